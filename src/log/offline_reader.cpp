#include "log/offline_reader.h"

#include "log/store.h"
#include "log/store_reader.h"

namespace parley::log {

Result<OfflineReader> OfflineReader::open(const std::string& data_dir, const Clock& clock) {
    StoreOptions options;
    options.data_dir = data_dir;
    options.read_only = true;
    auto store = Store::open(options, clock);
    if (!store) return fail(std::move(store.error()));
    return OfflineReader{std::move(*store)};
}

OfflineReader::OfflineReader(std::unique_ptr<Store> store) : store_(std::move(store)) {}
OfflineReader::~OfflineReader() = default;
OfflineReader::OfflineReader(OfflineReader&&) noexcept = default;
OfflineReader& OfflineReader::operator=(OfflineReader&&) noexcept = default;

Result<Page> OfflineReader::read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) const {
    return StoreReader{*store_}.read(room, after, limit, max);
}

Result<RoomSeq> OfflineReader::seek(const RoomId& room, WallTime time) const {
    return StoreReader{*store_}.seek(room, time);
}

}  // namespace parley::log
