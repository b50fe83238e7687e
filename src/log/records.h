#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/message.h"
#include "base/result.h"
#include "log/room_log.h"

/// The bytes on disk (docs/storage-format.md): pure functions, no IO. Numbers are big-endian, so that
/// keys sort as the numbers do. Every record begins with kFormat; a reader of another one fails clearly.
namespace parley::log::records {

inline constexpr std::uint8_t kFormat = 1;

struct RoomNo {
    std::uint64_t value = 0;
    friend constexpr auto operator<=>(RoomNo, RoomNo) = default;
};

/// Where a room stands, as its record in `heads` says it.
struct Head {
    RoomNo room;
    Epoch epoch;
    RoomSeq first{1};
    RoomSeq head{0};
    WallTime last_created{};
    std::uint64_t bytes = 0;  ///< of the message records kept
};

/// What a dedup key points at.
struct Seen {
    RoomSeq seq;
    WallTime created_at;
};

struct MessageKey {
    RoomNo room;
    RoomSeq seq;
};

/// Seq 0 of a room is its name card, from which repair finds the room's id.
[[nodiscard]] std::string message_key(RoomNo room, RoomSeq seq);
[[nodiscard]] Result<MessageKey> parse_message_key(std::string_view key);
/// The id comes first: ids made by time (UUIDv7) then arrive in key order, which memtable, compaction and
/// the search for repeats are several times cheaper with.
[[nodiscard]] std::string dedup_key(RoomNo room, const MemberId& sender, const MessageId& id);

[[nodiscard]] std::string encode_head(const Head& head);
[[nodiscard]] Result<Head> decode_head(std::string_view record);
[[nodiscard]] std::string encode_seen(const Seen& seen);
[[nodiscard]] Result<Seen> decode_seen(std::string_view record);
[[nodiscard]] std::string encode_name(const RoomId& room);
[[nodiscard]] Result<RoomId> decode_name(std::string_view record);
[[nodiscard]] std::string encode_store(Epoch epoch);
[[nodiscard]] Result<Epoch> decode_store(std::string_view record);

/// Room and seq are in the key. encode_draft() leaves createdAt open, so that a message can be encoded
/// before it is sequenced; stamp() fills it in.
[[nodiscard]] std::string encode_draft(const Draft& draft);
void stamp(std::string& record, WallTime created_at) noexcept;
[[nodiscard]] Result<Message> decode_message(std::string_view record, const RoomId& room, RoomSeq seq);
/// Without copying the texts.
[[nodiscard]] Result<WallTime> decode_created_at(std::string_view record);

}  // namespace parley::log::records
