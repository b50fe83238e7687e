#include "adapters/redis/settings.h"

#include <charconv>
#include <optional>

namespace parley::redis {
namespace {

constexpr const char* kExpected =
    "expected redis://USER:PASSWORD@HOST:PORT/DATABASE (user, password, port and database may be left out); in a "
    "password write @ as %40, : as %3A, / as %2F, % as %25";

template <class Number>
std::optional<Number> number(std::string_view text, Number max) {
    Number out{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size() || out > max || text.starts_with('-')) return {};
    return out;
}

std::optional<int> hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return {};
}

std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const auto high = i + 2 < text.size() ? hex(text[i + 1]) : std::nullopt;
        const auto low = high ? hex(text[i + 2]) : std::nullopt;
        if (!low) return {};
        out += static_cast<char>(*high * 16 + *low);
        i += 2;
    }
    return out;
}

/// `HOST`, `HOST:PORT`, `[::1]:PORT`.
bool take_place(std::string_view text, Settings& out) {
    std::string_view port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return false;
        out.host = text.substr(1, end - 1);
        port = text.substr(end + 1);
        if (!port.empty() && port.front() != ':') return false;
    } else {
        const auto colon = text.find(':');
        out.host = text.substr(0, colon);
        port = colon == std::string_view::npos ? "" : text.substr(colon);
    }
    if (out.host.empty()) return false;
    if (port.empty()) return true;
    const auto parsed = number<std::uint16_t>(port.substr(1), 65535);
    if (!parsed || *parsed == 0) return false;
    out.port = *parsed;
    return true;
}

bool take_login(std::string_view text, Settings& out) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) return false;
    const auto user = decoded(text.substr(0, colon));
    const auto password = decoded(text.substr(colon + 1));
    if (!user || !password || password->empty()) return false;
    out.user = *user;
    out.password = *password;
    return true;
}

}  // namespace

Result<Settings> parse_url(std::string_view url) {
    static constexpr std::string_view kScheme = "redis://";
    Settings out;
    if (url.starts_with("rediss://")) {
        return fail(Code::kBadRequest, "TLS to Redis (rediss://) is not built in; a tunnel such as stunnel can do it");
    }
    if (!url.starts_with(kScheme)) return fail(Code::kBadRequest, kExpected);
    url.remove_prefix(kScheme.size());
    if (const auto slash = url.find('/'); slash != std::string_view::npos) {
        const auto path = url.substr(slash + 1);
        const auto database = path.empty() ? std::optional{0} : number(path, 100'000);
        if (!database) return fail(Code::kBadRequest, kExpected);
        out.database = *database;
        url = url.substr(0, slash);
    }
    if (const auto at = url.find('@'); at != std::string_view::npos) {
        if (url.find('@', at + 1) != std::string_view::npos || !take_login(url.substr(0, at), out)) {
            return fail(Code::kBadRequest, kExpected);
        }
        url.remove_prefix(at + 1);
    }
    if (!take_place(url, out)) return fail(Code::kBadRequest, kExpected);
    return out;
}

std::string place(const Settings& settings) {
    const bool is_ipv6 = settings.host.find(':') != std::string::npos;
    return (is_ipv6 ? '[' + settings.host + ']' : settings.host) + ':' + std::to_string(settings.port);
}

}  // namespace parley::redis
