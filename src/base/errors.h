#pragma once
#include <cstdint>
#include <string_view>

namespace parley {

/// Every code a client may see. The table in errors.cpp is the one source of name, HTTP status,
/// retry advice and text; docs/protocol.md lists the same names.
enum class Code : std::uint8_t {
    kInvalidPayload,
    kInvalidMessageType,
    kMemberNotFound,
    kRoomNotFound,
    kForbidden,
    kRateLimited,
    kMessageTooLarge,
    kStoreUnavailable,
    kHistoryTruncated,
    kPositionInvalid,
    kResync,
    kAuthRequired,
    kAuthInvalid,
    kAuthExpired,
    kAuthUnavailable,
    kLoginFailed,
    kNameTaken,
    kRoomExists,
    kBadRequest,
    kNotFound,
    kMethodNotAllowed,
    kOriginForbidden,
    kServerFull,
    kDraining,
    kSubscriptionLimit,
    kTransactionInvalid,
    kInternal,
};

struct ErrorInfo {
    Code code;
    std::string_view name;  ///< what goes on the wire, e.g. `CHAT_ROOM_NOT_FOUND`
    int http_status;
    bool retry;  ///< true: the same request may succeed later
    std::string_view english;
    std::string_view korean;
};

/// The table's row. Never fails: every Code has one (a test checks it).
[[nodiscard]] const ErrorInfo& info(Code code) noexcept;
[[nodiscard]] inline std::string_view name(Code code) noexcept { return info(code).name; }

}  // namespace parley
