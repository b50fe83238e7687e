#include "gateway/close_code.h"

#include "wire/websocket_frame.h"

namespace parley::gateway {

std::uint16_t close_code(Code code) noexcept {
    switch (code) {
        case Code::kAuthRequired:
        case Code::kAuthInvalid:
        case Code::kAuthExpired:
        case Code::kLoginFailed: return wire::kCloseToken;
        case Code::kForbidden:
        case Code::kOriginForbidden:
        case Code::kRoomNotFound: return wire::kCloseForbidden;
        case Code::kRateLimited: return wire::kCloseRate;
        case Code::kStoreUnavailable:
        case Code::kAuthUnavailable:
        case Code::kServerFull:
        case Code::kDraining: return wire::kCloseOverloaded;
        case Code::kMessageTooLarge: return wire::kCloseTooBig;
        case Code::kInternal: return wire::kCloseInternal;
        default: return wire::kCloseRefused;
    }
}

}  // namespace parley::gateway
