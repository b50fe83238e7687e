#include "log/store_scan.h"

#include <algorithm>

namespace parley::log {

using records::RoomNo;

StoreScan::StoreScan(const Store& store) : store_(store) {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    at_.reset(store.db().NewIterator(options, store.messages()));
    load_heads();
}

void StoreScan::load_heads() {
    const std::unique_ptr<rocksdb::Iterator> at{store_.db().NewIterator({}, store_.heads())};
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        if (auto head = records::decode_head(at->value().ToStringView())) {
            newest_epoch_ = std::max(newest_epoch_, head->epoch);
            heads_[head->room.value] = {RoomId::trusted(at->key().ToString()), *head};
        } else {
            heads_unreadable_ = true;
        }
    }
    if (!at->status().ok()) heads_unreadable_ = true;
    unreadable_ = heads_unreadable_;
}

void StoreScan::run(const OnMessage& message, const OnRoom& room) {
    std::uint64_t messages = 0;
    for (auto no = next_room({1}); no; no = next_room({no->value + 1})) {
        const ScannedRoom found = scan(*no, message);
        messages += found.head.value + 1 - found.first.value;
        room(*no, found);
    }
    check_dedup(messages);
}

/// Every kept message has its key, and there are no others.
void StoreScan::check_dedup(std::uint64_t messages) {
    const std::unique_ptr<rocksdb::Iterator> at{store_.db().NewIterator({}, store_.dedup())};
    std::uint64_t keys = 0;
    for (at->SeekToFirst(); at->Valid(); at->Next()) ++keys;
    if (!at->status().ok() || keys != messages) unreadable_ = true;
}

/// False: unreadable there, or the end.
bool StoreScan::seek(RoomNo no, RoomSeq seq) {
    at_->Seek(records::message_key(no, seq));
    if (!at_->status().ok()) unreadable_ = true;
    return at_->Valid();
}

std::optional<RoomNo> StoreScan::next_room(RoomNo from) {
    const auto known = heads_.lower_bound(from.value);
    std::optional<RoomNo> out;
    if (known != heads_.end()) out = RoomNo{known->first};
    if (seek(from, {0})) {
        const auto key = records::parse_message_key(at_->key().ToStringView());
        if (key && (!out || key->room < *out)) out = key->room;
    }
    return out;
}

ScannedRoom StoreScan::scan(RoomNo no, const OnMessage& message) {
    ScannedRoom out;
    if (const auto known = heads_.find(no.value); known != heads_.end()) {
        out.id = known->second.first;
        out.known = known->second.second;
        out.first = out.known->first;
    }
    if (seek(no, {0}) && at_->key() == records::message_key(no, {0})) {
        if (auto name = records::decode_name(at_->value().ToStringView()); name && out.id.empty()) out.id = *name;
    }
    out.first = first_readable(no, out.first, out.known ? out.known->head : RoomSeq{UINT64_MAX - 1});
    out.head = out.first.prev();
    if (out.id.empty()) return out;
    for (seek(no, out.first); at_->Valid(); at_->Next()) {
        const auto key = records::parse_message_key(at_->key().ToStringView());
        if (!key || key->room != no || key->seq != out.head.next()) break;
        const auto decoded = records::decode_message(at_->value().ToStringView(), out.id, key->seq);
        if (!decoded) {
            unreadable_ = true;
            break;
        }
        out.head = key->seq;
        out.last_created = std::max(out.last_created, decoded->created_at);
        out.bytes += at_->value().size();
        message(no, key->seq, at_->value(), *decoded);
    }
    if (!at_->status().ok()) unreadable_ = true;
    return out;
}

/// `from` where it is there; else, past an unreadable place, the next that is; else `from`.
RoomSeq StoreScan::first_readable(RoomNo no, RoomSeq from, RoomSeq to) {
    const auto found = [&](RoomSeq seq) -> std::optional<RoomSeq> {
        if (!seek(no, seq)) return std::nullopt;
        const auto key = records::parse_message_key(at_->key().ToStringView());
        if (!key || key->room != no) return std::nullopt;
        return key->seq;
    };
    if (from > to) return from;
    if (const auto seq = found(from)) return *seq;
    if (at_->status().ok()) return from;
    RoomSeq low = from;
    RoomSeq high = to.next();
    while (low.next() < high) {
        const RoomSeq middle{low.value + (high.value - low.value) / 2};
        (found(middle) ? high : low) = middle;
    }
    return high <= to ? high : from;
}

}  // namespace parley::log
