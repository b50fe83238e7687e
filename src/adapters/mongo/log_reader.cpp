#include "adapters/mongo/log_reader.h"

#include <algorithm>

#include "adapters/mongo/commands.h"
#include "adapters/mongo/database.h"
#include "adapters/mongo/schema.h"

namespace parley::mongo {
namespace {

constexpr std::size_t kBlocksAtOnce = 100;
constexpr int kTries = 5;

log::RoomHead head_of(const Head& head, Epoch epoch) { return {epoch, head.first, head.head}; }

Error trimmed_away(const RoomId& room) {
    return {Code::kStoreUnavailable, "MongoDB: messages of room " + room.str() + " are missing"};
}

}  // namespace

Result<std::vector<Document>> LogReader::block_with(Connection& connection, const std::string& room, RoomSeq seq,
                                                    const Document& fields) {
    auto found =
        connection.find(find(collection::kMessages, blocks_between(room, {0}, seq.next()), 1, {"_id", true}, fields));
    if (found && !found->empty() && read_block(found->front()).last < seq) found->clear();
    return found;
}

/// Stops where a block is missing: it is being trimmed.
Result<std::vector<MessageRef>> LogReader::messages(Connection& connection, const RoomId& room,
                                                    const Range& wanted) const {
    std::vector<MessageRef> out;
    std::uint64_t bytes = 0;
    RoomSeq from = wanted.from;
    RoomSeq to = wanted.to;
    while (from < to && out.size() < wanted.limit && (out.empty() || bytes < wanted.max)) {
        const std::size_t blocks = std::min(wanted.limit - out.size(), kBlocksAtOnce);
        auto found = connection.find(
            find(collection::kMessages, blocks_between(room.str(), from, to), blocks, {"_id", wanted.newest_first}));
        if (!found) return fail(std::move(found.error()));
        // The page begins in the middle of a block.
        if (!wanted.newest_first && (found->empty() || read_block(found->front()).first != from)) {
            found = block_with(connection, room.str(), from, {});
            if (!found) return fail(std::move(found.error()));
        }
        // It ends in one, or has come to one that begins before `from`.
        if (wanted.newest_first && found->empty()) {
            found = block_with(connection, room.str(), from, {});
            if (!found) return fail(std::move(found.error()));
        }
        if (found->empty()) break;
        for (const Document& document : *found) {
            if (auto known = check_format(document); !known) return fail(std::move(known.error()));
            const Block block = read_block(document);
            const RoomSeq next = wanted.newest_first ? to.prev() : from;
            if (next < block.first || block.last < next) return out;
            auto stored = read_messages(document, room);
            if (wanted.newest_first) std::reverse(stored.begin(), stored.end());
            for (MessageRef& message : stored) {
                if (message->seq < from || message->seq >= to) continue;
                if (out.size() == wanted.limit || (!out.empty() && bytes >= wanted.max)) return out;
                bytes += size_of(*message);
                (wanted.newest_first ? to : from) = wanted.newest_first ? message->seq : message->seq.next();
                out.push_back(std::move(message));
            }
        }
    }
    return out;
}

Result<log::Page> LogReader::page(const RoomId& room, Range wanted) const {
    return pool_->with([&](Connection& connection, Deadline, bool) -> Result<log::Page> {
        for (int tries = 0; tries < kTries; ++tries) {
            const auto heads = look_up_heads(connection, {room.str()});
            if (!heads) return fail(heads.error());
            const Head& head = heads->at(room.str());
            Range range = wanted;
            range.from = std::max(range.from, head.first);
            range.to = std::min(range.to, head.head.next());
            log::Page out{head_of(head, epoch_), {}};
            if (range.from >= range.to || range.limit == 0) return out;
            auto found = messages(connection, room, range);
            if (!found) return fail(std::move(found.error()));
            // A page may be short, but not empty where there is a message.
            if (found->empty()) continue;
            out.messages = std::move(*found);
            if (range.newest_first) std::reverse(out.messages.begin(), out.messages.end());
            return out;
        }
        return fail(trimmed_away(room));
    });
}

Result<log::Page> LogReader::read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) const {
    if (after.value == UINT64_MAX) return page(room, {after, after, false, 0, 0});
    return page(room, {after.next(), {UINT64_MAX}, false, limit, max.count});
}

Result<log::Page> LogReader::read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) const {
    return page(room, {{1}, before, true, limit, max.count});
}

Result<std::vector<log::RoomHead>> LogReader::heads(std::span<const RoomId> rooms) const {
    std::vector<std::string> names;
    for (const RoomId& room : rooms) names.push_back(room.str());
    if (names.empty()) return std::vector<log::RoomHead>{};
    return pool_->with([&](Connection& connection, Deadline, bool) -> Result<std::vector<log::RoomHead>> {
        const auto found = look_up_heads(connection, names);
        if (!found) return fail(found.error());
        std::vector<log::RoomHead> out;
        for (const std::string& name : names) out.push_back(head_of(found->at(name), epoch_));
        return out;
    });
}

Result<log::RoomHead> LogReader::head(const RoomId& room) const {
    const auto found = heads({&room, 1});
    if (!found) return fail(found.error());
    return found->front();
}

/// By halves: created_at never falls as seq rises.
Result<RoomSeq> LogReader::seek(const RoomId& room, WallTime time) const {
    return pool_->with([&](Connection& connection, Deadline, bool) -> Result<RoomSeq> {
        const auto heads = look_up_heads(connection, {room.str()});
        if (!heads) return fail(heads.error());
        const Head& head = heads->at(room.str());
        if (head.last_created < time) return head.head;
        RoomSeq low = head.first;
        RoomSeq high = head.head.next();
        // `low` to `high` holds the first message that is not older.
        while (low < high) {
            const RoomSeq middle{low.value + (high.value - low.value) / 2};
            const auto found = block_with(connection, room.str(), middle, without_messages());
            if (!found) return fail(found.error());
            if (found->empty()) break;  // being trimmed: from `low` on nothing is left out
            const Block block = read_block(found->front());
            if (block.created_at < time) {
                low = block.last.next();
            } else {
                high = block.first;
            }
        }
        return low == head.first ? RoomSeq{0} : low.prev();
    });
}

Result<std::vector<log::ListedRoom>> LogReader::rooms(const RoomId& after, WallTime since, std::size_t limit) const {
    Document filter;
    filter.document("_id", Document{}.text("$gt", after.str()).text("$lt", "~"));
    filter.document("last_created", Document{}.time("$gte", since));
    const auto found = pool_->find(find(collection::kHeads, filter, limit));
    if (!found) return fail(found.error());
    std::vector<log::ListedRoom> out;
    for (const Document& head : *found) {
        if (auto known = check_format(head); !known) return fail(std::move(known.error()));
        out.push_back({RoomId::trusted(head.text("_id")), {head.number("head")}});
    }
    return out;
}

}  // namespace parley::mongo
