#include "adapters/mongo/blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "adapters/mongo/schema.h"

namespace parley::mongo {

std::string block_id(const std::string& room, RoomSeq first) { return fmt::format("{} {:016}", room, first.value); }

Document blocks_between(const std::string& room, RoomSeq from, RoomSeq to) {
    // Above every seq there can be, in the order of ids.
    constexpr RoomSeq kEnd{9'999'999'999'999'999};
    Document range;
    range.text("$gte", block_id(room, std::min(from, kEnd))).text("$lt", block_id(room, std::min(to, kEnd)));
    return Document{}.document("_id", range);
}

std::string room_of(const std::string& block_id) { return block_id.substr(0, block_id.find(' ')); }

std::string repeat_key(const RoomId& room, const Draft& draft) {
    return room.str() + ' ' + draft.sender.str() + ' ' + draft.id.str();
}

std::uint64_t size_of(const Draft& draft) {
    return 150 + 2 * (draft.sender.str().size() + draft.id.str().size()) + draft.nickname.size() +
           draft.content.size() + draft.extra.size();
}

Document to_document(const Block& block, const RoomId& room, const std::vector<const Draft*>& drafts) {
    std::vector<std::string> keys;
    std::vector<Document> messages;
    RoomSeq seq = block.first;
    for (const Draft* draft : drafts) {
        keys.push_back(repeat_key(room, *draft));
        Document& message = messages.emplace_back();
        message.number("seq", seq.value).integer("type", static_cast<int>(draft->type));
        message.text("sender", draft->sender.str()).text("id", draft->id.str()).text("nickname", draft->nickname);
        message.text("content", draft->content).text("extra", draft->extra);
        seq = seq.next();
    }
    Document out;
    out.text("_id", block.id).number("v", kFormat).text("room", room.str());
    out.number("first", block.first.value).number("last", block.last.value).time("created_at", block.created_at);
    out.number("bytes", block.bytes).number("total", block.total).text("nonce", block.nonce);
    out.texts("keys", keys).documents("messages", messages);
    return out;
}

Block read_block(const Document& document) {
    return {document.text("_id"),        {document.number("first")}, {document.number("last")},
            document.time("created_at"), document.number("bytes"),   document.number("total"),
            document.text("nonce")};
}

std::vector<MessageRef> read_messages(const Document& document, const RoomId& room) {
    std::vector<MessageRef> out;
    const WallTime created_at = document.time("created_at");
    RoomSeq seq{document.number("first")};
    for (const Document& stored : document.documents("messages")) {
        auto message = std::make_shared<Message>();
        message->type = static_cast<MessageType>(stored.number("type"));
        message->sender = MemberId::trusted(stored.text("sender"));
        message->id = MessageId::trusted(stored.text("id"));
        message->nickname = stored.text("nickname");
        message->content = stored.text("content");
        message->extra = stored.text("extra");
        message->room = room;
        message->seq = seq;
        message->created_at = created_at;
        out.push_back(std::move(message));
        seq = seq.next();
    }
    return out;
}

Document without_messages() { return Document{}.integer("messages", 0).integer("keys", 0); }

}  // namespace parley::mongo
