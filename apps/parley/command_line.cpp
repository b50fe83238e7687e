#include "command_line.h"

#include <fmt/format.h>

#include <cstdio>

#include "gateway/iso_time.h"

namespace parley::app {

int fault(const std::string& why) {
    fmt::print(stderr, "parley: {}\n", why);
    return 2;
}

Result<WallTime> parse_time(const char* flag, const std::string& text) {
    const auto time = gateway::parse_iso_time(text);
    if (time) return *time;
    return fail(Code::kBadRequest, fmt::format("{}: must be an ISO 8601 time such as 2026-11-20T12:34:56Z", flag));
}

}  // namespace parley::app
