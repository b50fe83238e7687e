#pragma once
#include <memory>
#include <string>

#include "base/clock.h"
#include "log/room_log.h"

namespace parley::log {

class Store;

/// Reads the store in `<data_dir>/log` as it is at the moment of open(), whether a server is running on it or not;
/// changes nothing. For `parley replay`. Thread: one. Fails: kStoreUnavailable with a sentence for the operator.
class OfflineReader {
public:
    static Result<OfflineReader> open(const std::string& data_dir, const Clock& clock);
    ~OfflineReader();
    OfflineReader(OfflineReader&&) noexcept;
    OfflineReader& operator=(OfflineReader&&) noexcept;

    [[nodiscard]] Result<Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) const;
    [[nodiscard]] Result<RoomSeq> seek(const RoomId& room, WallTime time) const;

private:
    explicit OfflineReader(std::unique_ptr<Store> store);
    std::unique_ptr<Store> store_;
};

}  // namespace parley::log
