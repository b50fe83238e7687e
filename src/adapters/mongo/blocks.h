#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/mongo/document.h"
#include "base/message.h"
#include "log/room_log.h"

/// How messages lie in `messages`: in blocks, one document each, of a room's adjacent messages that were stored
/// together. A block's id is its room and the seq of its first message; the next one begins at its last seq + 1.
namespace parley::mongo {

/// What a block says without its messages.
struct Block {
    std::string id;
    RoomSeq first;
    RoomSeq last;
    WallTime created_at;  ///< of all its messages
    std::uint64_t bytes = 0;
    std::uint64_t total = 0;  ///< of the room's blocks up to this one, trimmed ones included
    std::string nonce;        ///< who stored it, and when: two tries of one server have the same
};

/// A room as the blocks end it.
struct Head {
    RoomSeq first{1};  ///< what lies before it is trimmed, whether it is still there or not
    RoomSeq head;
    WallTime last_created;
    std::uint64_t total = 0;
    /// After `block` has been appended.
    void pass(const Block& block) {
        head = block.last;
        last_created = block.created_at;
        total = block.total;
    }
};

/// "r-42 0000000000000007": ordered as seqs are within a room. No id of ours has a space.
[[nodiscard]] std::string block_id(const std::string& room, RoomSeq first);
/// {_id: …} for the blocks of the room that begin at `from` or later, and before `to`.
[[nodiscard]] Document blocks_between(const std::string& room, RoomSeq from, RoomSeq to);
[[nodiscard]] std::string room_of(const std::string& block_id);
/// The entry of `keys` for a message: two messages with the same are one.
[[nodiscard]] std::string repeat_key(const RoomId& room, const Draft& draft);

/// What a message takes, about: its texts and its place in the index of keys.
[[nodiscard]] std::uint64_t size_of(const Draft& draft);
[[nodiscard]] Document to_document(const Block& block, const RoomId& room, const std::vector<const Draft*>& drafts);
[[nodiscard]] Block read_block(const Document& document);
/// Of a document that was read whole; message i has the seq `first` + i.
[[nodiscard]] std::vector<MessageRef> read_messages(const Document& document, const RoomId& room);
/// What read_block() does not need.
[[nodiscard]] Document without_messages();

/// The most of one block, unless a single request is larger: what a reader has to fetch for one message.
inline constexpr std::size_t kBlockMessages = 500;
inline constexpr std::size_t kBlockBytes = 1 << 20;

}  // namespace parley::mongo
