#include "wire/stomp.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace parley::wire {
namespace {

constexpr std::array<std::string_view, 11> kCommands{"CONNECT", "STOMP", "SEND",   "SUBSCRIBE", "UNSUBSCRIBE", "ACK",
                                                     "NACK",    "BEGIN", "COMMIT", "ABORT",     "DISCONNECT"};
constexpr std::array<std::string_view, 3> kVersions{"1.0", "1.1", "1.2"};

std::string_view trim(std::string_view text) noexcept {
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::optional<std::uint32_t> parse_millis(std::string_view digits) noexcept {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || end != digits.data() + digits.size()) return std::nullopt;
    if (error == std::errc::result_out_of_range) return std::numeric_limits<std::uint32_t>::max();
    if (error != std::errc{}) return std::nullopt;
    return value;
}

std::uint32_t slower(std::uint32_t can, std::uint32_t wants) noexcept {
    return can == 0 || wants == 0 ? 0 : std::max(can, wants);
}

/// The character after the backslash, or 0: `c` goes as it is.
char escape_of(char c, StompVersion version) noexcept {
    if (version == StompVersion::k10) return 0;
    switch (c) {
        case '\n': return 'n';
        case ':': return 'c';
        case '\\': return '\\';
        case '\r': return version == StompVersion::k12 ? 'r' : '\0';
        default: return 0;
    }
}

/// Whether `c`, which has no escape, would break the frame.
bool is_unspeakable(char c, StompVersion version) noexcept {
    return c == '\0' || (version == StompVersion::k10 && (c == '\n' || c == '\r'));
}

constexpr std::array<bool, 256> kSpecial = [] {
    std::array<bool, 256> table{};
    for (const unsigned char c : {'\0', '\n', '\r', ':', '\\'}) table[c] = true;
    return table;
}();

void append_escaped(std::string& out, std::string_view text, StompVersion version) {
    while (true) {
        std::size_t plain = 0;
        while (plain < text.size() && !kSpecial[static_cast<unsigned char>(text[plain])]) ++plain;
        out += text.substr(0, plain);
        if (plain == text.size()) return;
        const char c = text[plain];
        if (const char escape = escape_of(c, version)) {
            out += '\\';
            out += escape;
        } else {
            out += is_unspeakable(c, version) ? ' ' : c;
        }
        text.remove_prefix(plain + 1);
    }
}

void append_header(std::string& out, std::string_view name, std::string_view value, StompVersion version) {
    append_escaped(out, name, version);
    out += ':';
    append_escaped(out, value, version);
    out += '\n';
}

void append_rest(std::string& out, std::span<const StompHeader> headers, std::string_view body, StompVersion version,
                 bool with_length) {
    for (const StompHeader& header : headers) {
        if (header.name != "content-length") append_header(out, header.name, header.value, version);
    }
    if (with_length) {
        std::array<char, 20> digits;
        const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), body.size()).ptr;
        out += "content-length:";
        out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
        out += '\n';
    }
    out += '\n';
    out += body;
    out += '\0';
}

}  // namespace

std::string_view name(StompCommand command) noexcept { return kCommands[static_cast<std::size_t>(command)]; }
std::string_view name(StompVersion version) noexcept { return kVersions[static_cast<std::size_t>(version)]; }

std::optional<StompVersion> version_of_subprotocol(std::string_view subprotocol) noexcept {
    if (subprotocol == "v12.stomp") return StompVersion::k12;
    if (subprotocol == "v11.stomp") return StompVersion::k11;
    if (subprotocol == "v10.stomp") return StompVersion::k10;
    return std::nullopt;
}

std::optional<StompVersion> negotiate_version(std::optional<std::string_view> accept_version) noexcept {
    if (!accept_version) return StompVersion::k10;
    std::optional<StompVersion> best;
    std::string_view rest = *accept_version;
    while (true) {
        const std::size_t comma = rest.find(',');
        const std::string_view one = trim(rest.substr(0, comma));
        for (std::size_t i = 0; i < kVersions.size(); ++i) {
            const auto version = static_cast<StompVersion>(i);
            if (one == kVersions[i] && (!best || *best < version)) best = version;
        }
        if (comma == std::string_view::npos) return best;
        rest.remove_prefix(comma + 1);
    }
}

std::optional<HeartBeat> parse_heart_beat(std::string_view value) noexcept {
    const std::size_t comma = value.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    const auto sends = parse_millis(value.substr(0, comma));
    const auto expects = parse_millis(value.substr(comma + 1));
    if (!sends || !expects) return std::nullopt;
    return HeartBeat{*sends, *expects};
}

HeartBeat negotiate_heart_beat(HeartBeat client, HeartBeat server) noexcept {
    return {slower(server.sends, client.expects), slower(client.sends, server.expects)};
}

void append_stomp_frame(std::string& out, std::string_view command, std::span<const StompHeader> headers,
                        std::string_view body, StompVersion version) {
    out += command;
    out += '\n';
    const bool with_length = !body.empty() || command == "MESSAGE";
    append_rest(out, headers, body, command == "CONNECTED" ? StompVersion::k10 : version, with_length);
}

void append_message_head(std::string& out, std::string_view subscription, StompVersion version, std::string_view ack) {
    out += "MESSAGE\n";
    if (!subscription.empty()) append_header(out, "subscription", subscription, version);
    if (!ack.empty()) append_header(out, "ack", ack, version);
}

void append_message_tail(std::string& out, std::span<const StompHeader> headers, std::string_view body,
                         StompVersion version) {
    append_rest(out, headers, body, version, true);
}

}  // namespace parley::wire
