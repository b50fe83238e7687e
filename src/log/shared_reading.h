#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "log/message_table.h"

namespace parley::log {

/// A member of the readers that share a log's partitions under one name: each partition is read by one of them at a
/// time, from where the last one said that all is done.
///
/// Thread: done() any. Leaves with the object; the listener is told of it.
class SharedReading {
public:
    /// Told on the reading's thread.
    class Listener {
    public:
        virtual ~Listener() = default;
        virtual void on_assigned(std::uint32_t partition) = 0;
        /// A record of a client's room, by offset; RoomLog::head() of the room has its messages. Of those that are not
        /// done so many come at most that they may be kept.
        virtual void on_record(std::uint32_t partition, std::uint64_t offset, const RoomId& room) = 0;
        /// Another may get it as soon as this returns.
        virtual void on_revoked(std::uint32_t partition) = 0;
    };
    virtual ~SharedReading() = default;
    /// Every record before `to.next` is done.
    virtual void done(Position to) = 0;
    /// Nothing keeps it from reading: no right that is missing, no broker that it has to wait for. From any thread.
    [[nodiscard]] virtual bool is_well() const = 0;
};

/// Error: one sentence for the operator.
using ShareReading =
    std::function<Result<std::unique_ptr<SharedReading>>(const std::string& name, SharedReading::Listener& listener)>;

}  // namespace parley::log
