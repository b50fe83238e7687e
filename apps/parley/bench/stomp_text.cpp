#include "bench/stomp_text.h"

#include <charconv>

namespace parley::bench {

ServerStomp read_server_stomp(std::string_view frame) noexcept {
    ServerStomp out;
    if (frame.ends_with('\0')) frame.remove_suffix(1);
    std::size_t end = frame.find('\n');
    if (end == std::string_view::npos) return out;
    out.command = frame.substr(0, end);
    for (;;) {
        frame.remove_prefix(end + 1);
        end = frame.find('\n');
        if (end == std::string_view::npos) return out;
        if (end == 0) break;
        const std::string_view line = frame.substr(0, end);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = line.substr(colon + 1);
        if (name == "receipt-id") out.receipt_id = value;
        if (name == "seq") out.seq = value;
        if (name == "subscription") out.subscription = value;
        if (name == "message") out.message = value;
    }
    out.body = frame.substr(1);
    return out;
}

std::uint64_t number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? value : 0;
}

std::string_view json_field(std::string_view json, std::string_view name) noexcept {
    for (std::size_t at = 0; (at = json.find(name, at)) != std::string_view::npos; at += name.size()) {
        const std::size_t after = at + name.size();
        if (at == 0 || json[at - 1] != '"' || json.substr(after, 2) != "\":") continue;
        std::string_view value = json.substr(after + 2);
        if (value.starts_with('"')) {
            value.remove_prefix(1);
            return value.substr(0, value.find('"'));
        }
        return value.substr(0, value.find_first_of(",}"));
    }
    return {};
}

}  // namespace parley::bench
