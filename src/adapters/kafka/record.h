#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "log/room_log.h"

/// What a record of the topic holds (docs/protocol.md section 5, docs/kafka.md): pure functions, no IO.
namespace parley::kafka {

/// The format of the records this version writes, in header `v`.
inline constexpr unsigned kRecordFormat = 1;

/// Which append() of which server a record came from, so that this server knows its own when it reads them.
struct Ticket {
    std::uint64_t server = 0;
    std::uint64_t number = 0;
    friend bool operator==(const Ticket&, const Ticket&) = default;
};

/// One record as it is sent: all drafts of an append.
struct OutRecord {
    std::string key;
    std::string value;
    std::vector<std::pair<std::string_view, std::string>> headers;  ///< names are static
    WallTime timestamp{};
};
/// Every draft has an id.
[[nodiscard]] OutRecord encode(const log::AppendRequest& request, WallTime now, Ticket ticket);

/// One record as it was read. Borrows everything.
struct InRecord {
    struct Header {
        std::string_view name;
        std::string_view value;
    };
    std::uint32_t partition = 0;
    std::uint64_t offset = 0;
    WallTime timestamp{};
    std::string_view key;
    std::string_view value;
    std::vector<Header> headers;
};

/// What the counting rule reads: key and headers, nothing else. Borrows from the record.
struct RecordHead {
    struct Ids {
        std::string_view sender;  ///< empty: no header names it
        std::string_view id;      ///< empty: the record has no messageId, or one without senderId
    };
    std::string_view room;
    std::vector<Ids> messages;  ///< one for each messageId; one without where there is none
    unsigned format = 0;        ///< 0: another producer's
    std::optional<Ticket> ticket;
};
/// Nothing: the headers do not parse and the record does not count. The key is a room's id. The k-th `senderId` is
/// the k-th `messageId`'s, the last one that of all behind it.
[[nodiscard]] std::optional<RecordHead> parse_head(const InRecord& record);

/// An id that decode() gave a message without messageId: `~kafka:` and its place. A header cannot bring one.
[[nodiscard]] bool is_made_up(std::string_view id) noexcept;

/// The record's messages, one for each of `head.messages`. What cannot be read is a SYSTEM message that says so: it has
/// its place in the order. Another producer's record gives content, nickname, type, and what no header says.
[[nodiscard]] std::vector<Draft> decode(const InRecord& record, const RecordHead& head);

}  // namespace parley::kafka
