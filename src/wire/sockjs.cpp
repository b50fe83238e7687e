#include "wire/sockjs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wire/http_grammar.h"
#include "wire/json.h"

namespace parley::wire {
namespace {

constexpr std::size_t kMaxPart = 128;
constexpr std::size_t kBlock = 32;

struct TransportName {
    std::string_view name;
    SockJsTransport transport;
};
constexpr std::array kTransports{
    TransportName{"websocket", SockJsTransport::kWebSocket},
    TransportName{"xhr", SockJsTransport::kXhr},
    TransportName{"xhr_send", SockJsTransport::kXhrSend},
    TransportName{"xhr_streaming", SockJsTransport::kXhrStreaming},
    TransportName{"eventsource", SockJsTransport::kEventSource},
    TransportName{"htmlfile", SockJsTransport::kHtmlFile},
    TransportName{"jsonp", SockJsTransport::kJsonp},
    TransportName{"jsonp_send", SockJsTransport::kJsonpSend},
};

/// Whether a byte may begin something that is escaped.
constexpr bool needs_a_look(unsigned char c) noexcept {
    return c < 0x20 || c == '"' || c == '\\' || c == 0xE2 || c >= 0xEF;
}

/// The first byte at or after `i` that needs a look. Whole blocks first: the loop over one has no
/// early exit, so the compiler turns it into vector compares.
std::size_t skip_plain(std::string_view text, std::size_t i) noexcept {
    for (; i + kBlock <= text.size(); i += kBlock) {
        unsigned found = 0;
        for (std::size_t k = 0; k < kBlock; ++k) {
            const auto c = static_cast<unsigned char>(text[i + k]);
            found |= static_cast<unsigned>(c < 0x20) | static_cast<unsigned>(c == '"') |
                     static_cast<unsigned>(c == '\\') | static_cast<unsigned>(c == 0xE2) |
                     static_cast<unsigned>(c >= 0xEF);
        }
        if (found != 0) break;
    }
    while (i < text.size() && !needs_a_look(static_cast<unsigned char>(text[i]))) ++i;
    return i;
}

void append_unit(std::string& out, unsigned unit) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out.append({'\\', 'u', kHex[unit >> 12 & 15], kHex[unit >> 8 & 15], kHex[unit >> 4 & 15], kHex[unit & 15]});
}

void append_ascii_escape(std::string& out, char c) {
    switch (c) {
        case '"': out.append("\\\""); break;
        case '\\': out.append("\\\\"); break;
        case '\b': out.append("\\b"); break;
        case '\f': out.append("\\f"); break;
        case '\n': out.append("\\n"); break;
        case '\r': out.append("\\r"); break;
        case '\t': out.append("\\t"); break;
        default: append_unit(out, static_cast<unsigned char>(c)); break;
    }
}

constexpr bool is_escaped(unsigned c) noexcept {
    return (c >= 0x200C && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) || (c >= 0x2060 && c <= 0x206F) || c >= 0xFFF0;
}

/// Escapes the character at `at` if it must be; answers its length in bytes.
std::size_t append_character(std::string& out, std::string_view text, std::size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) {
        append_ascii_escape(out, text[at]);
        return 1;
    }
    const std::size_t length = std::min<std::size_t>(first >= 0xF0 ? 4 : 3, text.size() - at);
    unsigned c = first & (first >= 0xF0 ? 0x07U : 0x0FU);
    for (std::size_t i = 1; i < length; ++i) c = c << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    if (!is_escaped(c)) {
        out.append(text, at, length);
    } else if (c > 0xFFFF) {
        append_unit(out, 0xD800 + ((c - 0x10000) >> 10));
        append_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
        append_unit(out, c);
    }
    return length;
}

/// `^/iframe[0-9-.a-z_]*.html$`, sockjs-node's own pattern.
bool is_iframe(std::string_view part) noexcept {
    if (!part.starts_with("iframe") || !part.ends_with("html") || part.size() < 11) return false;
    const std::string_view version = part.substr(6, part.size() - 11);
    return std::all_of(version.begin(), version.end(), [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
    });
}

int hex_value(char c) noexcept {
    if (is_digit(c)) return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// An escape hides nothing that may not stand there itself.
bool is_part(std::string_view part) noexcept {
    if (part.empty() || part.size() > kMaxPart || part.find('.') != std::string_view::npos) return false;
    for (auto at = part.find('%'); at != std::string_view::npos; at = part.find('%', at + 1)) {
        const int high = at + 3 <= part.size() ? hex_value(part[at + 1]) : -1;
        const int low = at + 3 <= part.size() ? hex_value(part[at + 2]) : -1;
        const int byte = high * 16 + low;
        if (high < 0 || low < 0 || byte < 0x20 || byte == '.' || byte == '/' || byte == 0x7F) return false;
    }
    return true;
}

}  // namespace

std::string_view sockjs_prelude() noexcept {
    static constexpr auto kPrelude = [] {
        std::array<char, kSockJsPreludeSize> text{};
        text.fill('h');
        text.back() = '\n';
        return text;
    }();
    return {kPrelude.data(), kPrelude.size()};
}

Result<std::vector<std::string>> parse_sockjs_messages(std::string_view payload, SockJsSource source) {
    const bool http = source == SockJsSource::kHttp;
    const auto refuse = [&](std::string_view http_text) {
        return fail(Code::kInvalidPayload, std::string{http ? http_text : kSockJsBrokenFraming});
    };
    if (payload.empty()) {
        if (http) return refuse(kSockJsPayloadExpected);
        return std::vector<std::string>{};
    }
    JsonStrings parsed = parse_json_strings(payload);
    switch (parsed.kind) {
        case JsonStrings::Kind::kStrings: return std::move(parsed.values);
        case JsonStrings::Kind::kString:
            if (http) return refuse(kSockJsPayloadExpected);
            return std::move(parsed.values);
        case JsonStrings::Kind::kOther: return refuse(kSockJsPayloadExpected);
        case JsonStrings::Kind::kMixed:
        case JsonStrings::Kind::kBroken: break;
    }
    return refuse(kSockJsBrokenJson);
}

void append_sockjs_string(std::string& out, std::string_view text) {
    out.push_back('"');
    append_sockjs_escaped(out, text);
    out.push_back('"');
}

void append_sockjs_escaped(std::string& out, std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t stop = skip_plain(text, at);
        out.append(text, at, stop - at);
        at = stop < text.size() ? stop + append_character(out, text, stop) : stop;
    }
}

void append_sockjs_array(std::string& out, std::span<const std::string_view> messages) {
    out.append("a[");
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (i > 0) out.push_back(',');
        append_sockjs_string(out, messages[i]);
    }
    out.push_back(']');
}

std::string sockjs_close_frame(int code, std::string_view reason) {
    std::string out = fmt::format("c[{},", code);
    append_sockjs_string(out, reason);
    out.push_back(']');
    return out;
}

std::string sockjs_info(bool websocket, bool cookie_needed, std::uint32_t entropy) {
    return fmt::format(R"({{"websocket":{},"origins":["*:*"],"cookie_needed":{},"entropy":{}}})", websocket,
                       cookie_needed, entropy);
}

std::optional<SockJsPath> parse_sockjs_path(std::string_view rest) noexcept {
    if (rest.empty() || rest == "/") return SockJsPath{};
    if (rest.front() != '/') return std::nullopt;
    rest.remove_prefix(1);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    const std::size_t first = rest.find('/');
    if (first == std::string_view::npos) {
        if (rest == "info") return SockJsPath{SockJsResource::kInfo, {}, {}, {}};
        if (rest == "websocket") return SockJsPath{SockJsResource::kRawWebSocket, {}, {}, {}};
        if (is_iframe(rest)) return SockJsPath{SockJsResource::kIframe, {}, {}, {}};
        return std::nullopt;
    }
    const std::size_t second = rest.find('/', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    SockJsPath path{SockJsResource::kSession, rest.substr(0, first), rest.substr(first + 1, second - first - 1), {}};
    if (!is_part(path.server) || !is_part(path.session)) return std::nullopt;
    const std::string_view name = rest.substr(second + 1);
    const auto known =
        std::find_if(kTransports.begin(), kTransports.end(), [&](const auto& t) { return t.name == name; });
    if (known == kTransports.end()) return std::nullopt;
    path.transport = known->transport;
    return path;
}

}  // namespace parley::wire
