#include "gateway/refusals.h"

#include <utility>

#include "base/logger.h"

namespace parley::gateway {

bool is_own_fault(Code code) noexcept {
    return code == Code::kStoreUnavailable || code == Code::kAuthUnavailable || code == Code::kInternal;
}

std::string_view told_to_clients(const Error& error) noexcept {
    if (error.code == Code::kStoreUnavailable) return "the message store does not answer";
    const bool is_secret = is_own_fault(error.code);
    return is_secret || error.message.empty() ? info(error.code).english : std::string_view{error.message};
}

void Refusals::note(Code code, std::string_view why, std::string_view member) {
    Kind& kind = kinds_[code];
    ++kind.count;
    kind.why = why;
    kind.member = member;
}

void Refusals::say() {
    for (const auto& [code, kind] : std::exchange(kinds_, {})) {
        logger::write(is_own_fault(code) ? logger::Level::kWarn : logger::Level::kInfo, "gateway",
                      "operations were refused",
                      {{"code", name(code)}, {"count", kind.count}, {"member", kind.member}, {"why", kind.why}});
    }
}

}  // namespace parley::gateway
