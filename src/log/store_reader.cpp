#include "log/store_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::log {
namespace {

RoomHead to_room_head(const records::Head& head) { return {head.epoch, head.first, head.head}; }

Error unreadable(const RoomId& room, RoomSeq seq, const std::string& why) {
    return {Code::kStoreUnavailable, fmt::format("room {}, message {}: {}", room.str(), seq.value, why)};
}

class Snapshot {
public:
    explicit Snapshot(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
    ~Snapshot() { db_.ReleaseSnapshot(snapshot_); }
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    [[nodiscard]] rocksdb::ReadOptions options() const {
        rocksdb::ReadOptions out;
        out.snapshot = snapshot_;
        return out;
    }

private:
    rocksdb::DB& db_;
    const rocksdb::Snapshot* snapshot_;
};

/// Gathers messages of one room until limit or size is reached.
class PageFill {
public:
    PageFill(const RoomId& room, std::size_t limit, Bytes max) : room_(room), limit_(limit), max_(max.count) {}

    [[nodiscard]] bool full() const { return messages.size() >= limit_ || (!messages.empty() && bytes_ >= max_); }
    /// The iterator must stand on `seq`.
    Result<> take(const rocksdb::Iterator& at, RoomSeq seq) {
        if (!at.Valid())
            return fail(unreadable(room_, seq, at.status().ok() ? "missing in the store" : at.status().ToString()));
        const auto key = records::parse_message_key(at.key().ToStringView());
        if (!key) return fail(unreadable(room_, seq, key.error().message));
        if (key->seq != seq) return fail(unreadable(room_, seq, "missing in the store"));
        auto message = records::decode_message(at.value().ToStringView(), room_, seq);
        if (!message) return fail(unreadable(room_, seq, message.error().message));
        bytes_ += at.value().size();
        messages.push_back(std::make_shared<const Message>(std::move(*message)));
        return {};
    }

    std::vector<MessageRef> messages;

private:
    const RoomId& room_;
    std::size_t limit_;
    std::size_t max_;
    std::size_t bytes_ = 0;
};

}  // namespace

Result<StoreReader::Found> StoreReader::find(const rocksdb::ReadOptions& options, const RoomId& room) const {
    rocksdb::PinnableSlice record;
    const auto status = store_.db().Get(options, store_.heads(), room.str(), &record);
    Found found;
    if (status.IsNotFound()) {
        found.head.epoch = store_.epoch();
        return found;
    }
    if (!status.ok()) return fail(Code::kStoreUnavailable, "the head of room " + room.str() + ": " + status.ToString());
    auto head = records::decode_head(record.ToStringView());
    if (!head) return fail(head.error());
    return Found{*head, true};
}

Result<RoomHead> StoreReader::head(const RoomId& room) const {
    const auto found = find({}, room);
    if (!found) return fail(found.error());
    return to_room_head(found->head);
}

Result<Page> StoreReader::read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) const {
    const Snapshot snapshot{store_.db()};
    auto options = snapshot.options();
    const auto found = find(options, room);
    if (!found) return fail(found.error());
    const records::Head& head = found->head;
    Page page{to_room_head(head), {}};
    if (limit == 0 || after >= head.head) return page;

    RoomSeq seq = std::max(after.next(), head.first);
    if (seq > head.head) return page;
    const std::string end = records::message_key(head.room, head.head.next());
    const rocksdb::Slice upper{end};
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> at{store_.db().NewIterator(options, store_.messages())};
    PageFill fill{room, limit, max};
    for (at->Seek(records::message_key(head.room, seq)); seq <= head.head && !fill.full(); at->Next()) {
        if (auto taken = fill.take(*at, seq); !taken) return fail(taken.error());
        seq = seq.next();
    }
    page.messages = std::move(fill.messages);
    return page;
}

Result<Page> StoreReader::read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) const {
    const Snapshot snapshot{store_.db()};
    auto options = snapshot.options();
    const auto found = find(options, room);
    if (!found) return fail(found.error());
    const records::Head& head = found->head;
    Page page{to_room_head(head), {}};
    if (limit == 0 || before.value == 0) return page;

    RoomSeq seq = std::min(before.prev(), head.head);
    if (seq < head.first) return page;
    const std::string begin = records::message_key(head.room, head.first);
    const rocksdb::Slice lower{begin};
    options.iterate_lower_bound = &lower;
    const std::unique_ptr<rocksdb::Iterator> at{store_.db().NewIterator(options, store_.messages())};
    PageFill fill{room, limit, max};
    for (at->SeekForPrev(records::message_key(head.room, seq)); seq >= head.first && !fill.full(); at->Prev()) {
        if (auto taken = fill.take(*at, seq); !taken) return fail(taken.error());
        seq = seq.prev();
    }
    page.messages.assign(std::make_move_iterator(fill.messages.rbegin()),
                         std::make_move_iterator(fill.messages.rend()));
    return page;
}

/// created_at never falls, so the first message that is late enough is found by halving.
Result<RoomSeq> StoreReader::seek(const RoomId& room, WallTime time) const {
    const Snapshot snapshot{store_.db()};
    const auto options = snapshot.options();
    const auto found = find(options, room);
    if (!found) return fail(found.error());
    const records::Head& head = found->head;
    RoomSeq low = head.first;
    RoomSeq high = head.head.next();
    if (head.last_created < time) return head.head;
    while (low < high) {
        const RoomSeq middle{low.value + (high.value - low.value) / 2};
        const auto at = created_at(options, head.room, middle);
        if (!at) return fail(unreadable(room, middle, at.error().message));
        if (*at < time)
            low = middle.next();
        else
            high = middle;
    }
    return low == head.first ? RoomSeq{0} : low.prev();
}

Result<std::vector<ListedRoom>> StoreReader::rooms(const RoomId& after, WallTime since, std::size_t limit) const {
    std::vector<ListedRoom> out;
    const std::unique_ptr<rocksdb::Iterator> at{store_.db().NewIterator({}, store_.heads())};
    for (at->Seek(after.str()); at->Valid() && out.size() < limit; at->Next()) {
        RoomId room = RoomId::trusted(at->key().ToString());
        if (room == after) continue;
        if (room.is_server_own()) return out;  // their `~` is behind every other letter
        const auto head = records::decode_head(at->value().ToStringView());
        if (!head) return fail(head.error());
        if (head->last_created >= since) out.push_back({std::move(room), head->head});
    }
    if (!at->status().ok()) return fail(Code::kStoreUnavailable, "the list of rooms: " + at->status().ToString());
    return out;
}

Result<WallTime> StoreReader::created_at(const rocksdb::ReadOptions& options, records::RoomNo room, RoomSeq seq) const {
    rocksdb::PinnableSlice record;
    const auto status = store_.db().Get(options, store_.messages(), records::message_key(room, seq), &record);
    if (!status.ok()) return fail(Code::kStoreUnavailable, status.ToString());
    return records::decode_created_at(record.ToStringView());
}

}  // namespace parley::log
