#include "adapters/mongo/heads.h"

#include <algorithm>

#include "adapters/mongo/commands.h"
#include "adapters/mongo/database.h"
#include "adapters/mongo/schema.h"

namespace parley::mongo {
namespace {

constexpr std::size_t kRoomsAtOnce = 5'000;

Head read_head(const Document& document) {
    Head out{
        {document.number("first")}, {document.number("head")}, document.time("last_created"), document.number("total")};
    out.first = std::max(out.first, RoomSeq{1});
    out.head = std::max(out.head, out.first.prev());
    return out;
}

/// Passes blocks that nobody noted, one of each room a round trip. Answers the last of each.
Result<std::vector<Block>> pass_unnoted(Connection& connection, Heads& heads) {
    std::vector<std::string> next;
    for (const auto& [room, head] : heads) next.push_back(block_id(room, head.head.next()));
    std::map<std::string, Block> passed;
    while (!next.empty()) {
        const auto found = connection.find(find(collection::kMessages, any_of("_id", next), 0, {}, without_messages()));
        if (!found) return fail(found.error());
        next.clear();
        for (const Document& document : *found) {
            if (auto known = check_format(document); !known) return fail(std::move(known.error()));
            Block block = read_block(document);
            const std::string room = room_of(block.id);
            heads[room].pass(block);
            next.push_back(block_id(room, block.last.next()));
            passed[room] = std::move(block);
        }
    }
    std::vector<Block> out;
    for (auto& [room, block] : passed) out.push_back(std::move(block));
    return out;
}

}  // namespace

Result<Heads> look_up_heads(Connection& connection, const std::vector<std::string>& rooms) {
    Heads out;
    for (std::size_t at = 0; at < rooms.size(); at += kRoomsAtOnce) {
        const auto end = rooms.begin() + static_cast<std::ptrdiff_t>(std::min(rooms.size(), at + kRoomsAtOnce));
        Heads some;
        for (auto room = rooms.begin() + static_cast<std::ptrdiff_t>(at); room != end; ++room) some[*room];
        std::vector<std::string> names;
        for (const auto& [room, head] : some) names.push_back(room);
        const auto found = connection.find(find(collection::kHeads, any_of("_id", names)));
        if (!found) return fail(found.error());
        for (const Document& document : *found) {
            if (auto known = check_format(document); !known) return fail(std::move(known.error()));
            some[document.text("_id")] = read_head(document);
        }
        const auto unnoted = pass_unnoted(connection, some);
        if (!unnoted) return fail(unnoted.error());
        if (!unnoted->empty()) {
            if (const auto raised = raise_heads(connection, *unnoted); !raised) return fail(raised.error());
        }
        out.merge(some);
    }
    return out;
}

Result<std::vector<std::size_t>> raise_heads(Connection& connection, const std::vector<Block>& blocks) {
    std::vector<Document> changes;
    for (const Block& block : blocks) {
        Document room;
        room.text("_id", room_of(block.id)).document("first", Document{}.number("$lte", block.first.value));
        Document highest;
        highest.number("head", block.last.value).time("last_created", block.created_at).number("total", block.total);
        Document initial = formatted();
        initial.number("first", 1).number("swept", 1).number("gone", 0).time("oldest", block.created_at);
        Document raised;
        raised.document("$max", highest).document("$setOnInsert", initial);
        // A document whose `first` is higher does not match, and a second of its id cannot be inserted.
        changes.push_back(change(room, raised, Else::kInsert));
    }
    const Document command = update(collection::kHeads, changes);
    auto raised = connection.run(command);
    // Two servers that make a room's document at the same time: one of them finds it the second time.
    if (raised && !raised->duplicates.empty()) raised = connection.run(command);
    if (!raised) return fail(std::move(raised.error()));
    return std::move(raised->duplicates);
}

}  // namespace parley::mongo
