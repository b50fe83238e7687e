#include "base/errors.h"

#include <array>

namespace parley {
namespace {

// clang-format off
constexpr std::array kTable{
    ErrorInfo{Code::kInvalidPayload,     "CHAT_INVALID_PAYLOAD",      400, false, "The message body is not valid.", "메시지 형식이 올바르지 않습니다."},
    ErrorInfo{Code::kInvalidMessageType, "CHAT_INVALID_MESSAGE_TYPE", 400, false, "This message type is not allowed here.", "허용되지 않는 메시지 유형입니다."},
    ErrorInfo{Code::kMemberNotFound,     "CHAT_MEMBER_NOT_FOUND",     404, false, "There is no such member.", "회원을 찾을 수 없습니다."},
    ErrorInfo{Code::kRoomNotFound,       "CHAT_ROOM_NOT_FOUND",       404, false, "There is no such room.", "채팅방을 찾을 수 없습니다."},
    ErrorInfo{Code::kForbidden,          "CHAT_FORBIDDEN",            403, false, "This is not allowed.", "권한이 없습니다."},
    ErrorInfo{Code::kRateLimited,        "CHAT_RATE_LIMITED",         429, true,  "Too many requests; wait a moment.", "요청이 너무 많습니다. 잠시 후 다시 시도하세요."},
    ErrorInfo{Code::kMessageTooLarge,    "CHAT_MESSAGE_TOO_LARGE",    413, false, "The message is too large.", "메시지가 너무 큽니다."},
    ErrorInfo{Code::kStoreUnavailable,   "CHAT_STORE_UNAVAILABLE",    503, true,  "The message could not be stored; send it again.", "메시지를 저장하지 못했습니다. 다시 보내 주세요."},
    ErrorInfo{Code::kHistoryTruncated,   "HISTORY_TRUNCATED",         410, false, "Older messages are no longer kept.", "이전 메시지는 더 이상 보관되지 않습니다."},
    ErrorInfo{Code::kPositionInvalid,    "POSITION_INVALID",          409, false, "The position does not belong to this room's history.", "읽기 위치가 이 방의 기록과 맞지 않습니다."},
    ErrorInfo{Code::kResync,             "RESYNC",                    409, true,  "Delivery was too slow; it goes on from the given position.", "전송이 지연되어 지정된 위치부터 다시 보냅니다."},
    ErrorInfo{Code::kAuthRequired,       "AUTH_REQUIRED",             401, false, "A token is required.", "토큰이 필요합니다."},
    ErrorInfo{Code::kAuthInvalid,        "AUTH_INVALID",              401, false, "The token is not valid.", "토큰이 올바르지 않습니다."},
    ErrorInfo{Code::kAuthExpired,        "AUTH_EXPIRED",              401, false, "The token has expired or was revoked.", "토큰이 만료되었거나 취소되었습니다."},
    ErrorInfo{Code::kAuthUnavailable,    "AUTH_UNAVAILABLE",          503, true,  "Tokens cannot be checked at the moment.", "지금은 토큰을 확인할 수 없습니다."},
    ErrorInfo{Code::kLoginFailed,        "AUTH_LOGIN_FAILED",         401, false, "Name or password is wrong.", "이름 또는 비밀번호가 올바르지 않습니다."},
    ErrorInfo{Code::kNameTaken,          "MEMBER_NAME_TAKEN",         409, false, "This name is taken.", "이미 사용 중인 이름입니다."},
    ErrorInfo{Code::kRoomExists,         "CHAT_ROOM_EXISTS",          409, false, "A room with this id exists.", "같은 아이디의 채팅방이 이미 있습니다."},
    ErrorInfo{Code::kBadRequest,         "BAD_REQUEST",               400, false, "The request is not valid.", "요청이 올바르지 않습니다."},
    ErrorInfo{Code::kNotFound,           "NOT_FOUND",                 404, false, "There is nothing here.", "찾을 수 없습니다."},
    ErrorInfo{Code::kMethodNotAllowed,   "METHOD_NOT_ALLOWED",        405, false, "This method is not allowed here.", "허용되지 않는 메서드입니다."},
    ErrorInfo{Code::kOriginForbidden,    "ORIGIN_FORBIDDEN",          403, false, "This origin is not allowed.", "허용되지 않은 출처입니다."},
    ErrorInfo{Code::kServerFull,         "SERVER_FULL",               503, true,  "The server is full.", "서버가 가득 찼습니다."},
    ErrorInfo{Code::kDraining,           "SERVER_DRAINING",           503, true,  "The server is shutting down.", "서버가 종료 중입니다."},
    ErrorInfo{Code::kSubscriptionLimit,  "SUBSCRIPTION_LIMIT",        429, false, "Too many subscriptions on this connection.", "이 연결의 구독 수가 너무 많습니다."},
    ErrorInfo{Code::kTransactionInvalid, "TRANSACTION_INVALID",       400, false, "The transaction is not valid.", "트랜잭션이 올바르지 않습니다."},
    ErrorInfo{Code::kInternal,           "INTERNAL_ERROR",            500, true,  "Something went wrong on the server.", "서버에서 오류가 발생했습니다."},
};
// clang-format on

constexpr bool table_is_indexed_by_code() {
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        if (static_cast<std::size_t>(kTable[i].code) != i) return false;
    }
    return kTable.size() == static_cast<std::size_t>(Code::kInternal) + 1;
}
static_assert(table_is_indexed_by_code());

}  // namespace

const ErrorInfo& info(Code code) noexcept { return kTable[static_cast<std::size_t>(code)]; }

}  // namespace parley
