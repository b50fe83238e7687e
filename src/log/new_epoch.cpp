#include "log/new_epoch.h"

#include <algorithm>
#include <filesystem>

#include "log/store.h"

namespace parley::log {
namespace {

/// The heads in reach of `store`, each with its key.
template <class Take>
Result<> each_head(const Store& store, const std::string& data_dir, Take take) {
    const std::unique_ptr<rocksdb::Iterator> at{store.db().NewIterator({}, store.heads())};
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        const auto head = records::decode_head(at->value().ToStringView());
        if (!head) return fail(head.error());
        take(at->key(), *head);
    }
    if (!at->status().ok()) return fail(explain(at->status(), data_dir));
    return {};
}

}  // namespace

Result<NewEpoch> renew_epoch(const std::string& data_dir, const Clock& clock) {
    if (!std::filesystem::is_directory(store_dir(data_dir)))
        return fail(Code::kStoreUnavailable, store_dir(data_dir) + ": there is no store");
    auto opened = Store::open({.data_dir = data_dir}, clock);
    if (!opened) return fail(opened.error());
    Store& store = **opened;

    const auto now = static_cast<std::uint64_t>(clock.wall().time_since_epoch().count());
    NewEpoch out{{std::max(now, store.epoch().value + 1)}, 0};
    auto read = each_head(store, data_dir, [&out](rocksdb::Slice, const records::Head& head) {
        out.epoch.value = std::max(out.epoch.value, head.epoch.value + 1);
    });
    if (!read) return fail(read.error());

    rocksdb::WriteBatch batch;
    auto status = store.set_epoch(out.epoch);
    const auto write = [&](Bytes at_least) {
        if (!status.ok() || batch.GetDataSize() < at_least.count) return;
        status = store.db().Write({}, &batch);
        batch.Clear();
    };
    read = each_head(store, data_dir, [&](rocksdb::Slice room, records::Head head) {
        head.epoch = out.epoch;
        batch.Put(store.heads(), room, records::encode_head(head));
        ++out.rooms;
        write(4_MiB);
    });
    if (!read) return fail(read.error());
    write(Bytes{0});
    if (status.ok()) status = store.db().SyncWAL();
    if (!status.ok()) return fail(explain(status, data_dir));
    store.flush();
    return out;
}

}  // namespace parley::log
