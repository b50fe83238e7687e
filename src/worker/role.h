#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/message.h"
#include "base/result.h"

namespace parley::worker {

/// What a role does in one room.
/// Thread: its reader's.
class RoomWork {
public:
    virtual ~RoomWork() = default;
    /// Each message of the room in seq order; once more where it failed, or where the process ended before the position
    /// was saved. May wait for a store.
    /// Error: nothing has changed here. kStoreUnavailable is waited for; with anything else the message is at fault.
    virtual Result<> take(const Message& message) = 0;
    /// Saved together with the position; the next reader gives it to Role::open(). UTF-8 without U+0000.
    [[nodiscard]] virtual std::string save() const = 0;
};

/// A reader of the log with a purpose. Thread: its readers'; several where it shares partitions.
class Role {
public:
    virtual ~Role() = default;
    /// Of its rows in the ledger, its metrics and its thread: a to z and `-`.
    [[nodiscard]] virtual const std::string& name() const = 0;
    /// `saved` is empty where the role has never been.
    [[nodiscard]] virtual std::unique_ptr<RoomWork> open(const RoomId& room, std::string_view saved) = 0;
};

}  // namespace parley::worker
