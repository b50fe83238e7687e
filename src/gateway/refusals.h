#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace parley::gateway {

/// Whether the server failed at it, rather than the client.
[[nodiscard]] bool is_own_fault(Code code) noexcept;
/// What a client is told: where the server failed a general sentence, for the detail names what only its operator may
/// know.
[[nodiscard]] std::string_view told_to_clients(const Error& error) noexcept;

/// Refusals that the operator hears of: one line a second for each code, with their number and the last of them.
///
/// Thread: core-local. Owned by the Core.
/// Limit:  one entry for each code.
class Refusals {
public:
    void note(Code code, std::string_view why, std::string_view member = {});
    /// Once a second.
    void say();

private:
    struct Kind {
        std::uint64_t count = 0;
        std::string why;
        std::string member;
    };
    std::map<Code, Kind> kinds_;
};

}  // namespace parley::gateway
