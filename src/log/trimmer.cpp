#include "log/trimmer.h"

#include <future>

namespace parley::log {
namespace {
constexpr std::size_t kRoomsPerLook = 1000;
constexpr std::size_t kMessagesPerSlice = 500;
}  // namespace

Trimmer::Trimmer(Limits limits, const Clock& clock, WithStore with_store, CommitQueue& queue)
    : limits_(limits), clock_(clock), with_store_(std::move(with_store)), queue_(queue) {
    if (limits_.max_age.count() == 0 && limits_.max_room_bytes.count == 0) return;
    thread_ = std::make_unique<rt::Periodic>("log-trimmer", limits_.interval, [this] {
        sweep();
        return limits_.interval;
    });
}

Trimmer::~Trimmer() { ending_ = true; }

void Trimmer::sweep() {
    const std::lock_guard sweeping{sweep_mutex_};
    std::string after;
    while (!ending_) {
        const auto rooms = next_rooms(after);
        if (rooms.empty()) return;
        after = rooms.back().id.str();
        for (const Room& room : rooms) trim(room);
    }
}

std::vector<Trimmer::Room> Trimmer::next_rooms(const std::string& after) {
    std::vector<Room> out;
    with_store_([&](const Store& store) {
        rocksdb::ReadOptions options;
        options.fill_cache = false;
        const std::unique_ptr<rocksdb::Iterator> at{store.db().NewIterator(options, store.heads())};
        // '\0' sorts before every character of an id: the next key after `after`.
        for (at->Seek(after + '\0'); at->Valid() && out.size() < kRoomsPerLook; at->Next())
            if (auto head = records::decode_head(at->value().ToStringView()))
                out.push_back({RoomId::trusted(at->key().ToString()), *head});
    });
    return out;
}

void Trimmer::trim(Room room) {
    while (!ending_) {
        Trim slice;
        bool found = false;
        with_store_([&](const Store& store) { found = cut(store, room, slice); });
        if (!found) return;
        room.head.first = slice.to.next();
        room.head.bytes -= std::min(room.head.bytes, slice.bytes);
        std::promise<bool> done;
        slice.then = [&done](bool removed) { done.set_value(removed); };
        if (!queue_.push(slice) || !done.get_future().get()) return;
    }
}

/// The oldest messages of the room that are over a limit, at most one slice of them.
bool Trimmer::cut(const Store& store, const Room& room, Trim& slice) const {
    const std::uint64_t limit = limits_.max_room_bytes.count;
    const WallTime oldest = clock_.wall() - limits_.max_age;
    if (room.head.first > room.head.head) return false;
    if (limits_.max_age.count() == 0 && (limit == 0 || room.head.bytes <= limit)) return false;

    rocksdb::ReadOptions options;
    options.fill_cache = false;
    const std::string end = records::message_key(room.head.room, room.head.head.next());
    const rocksdb::Slice upper{end};
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> at{store.db().NewIterator(options, store.messages())};
    slice.room = room.id;
    slice.from = room.head.first;
    std::uint64_t left = room.head.bytes;
    RoomSeq seq = room.head.first;
    for (at->Seek(records::message_key(room.head.room, seq)); at->Valid(); at->Next(), seq = seq.next()) {
        if (slice.dedup_keys.size() == kMessagesPerSlice) break;
        const auto key = records::parse_message_key(at->key().ToStringView());
        const auto message = records::decode_message(at->value().ToStringView(), room.id, seq);
        if (!key || key->seq != seq || !message) break;
        const bool too_old = limits_.max_age.count() > 0 && message->created_at < oldest;
        const bool too_much = limit > 0 && left > limit;
        if (!too_old && !too_much) break;
        left -= std::min<std::uint64_t>(left, at->value().size());
        slice.bytes += at->value().size();
        slice.to = seq;
        slice.dedup_keys.push_back(records::dedup_key(room.head.room, message->sender, message->id));
    }
    return !slice.dedup_keys.empty();
}

}  // namespace parley::log
