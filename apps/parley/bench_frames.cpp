#include "bench_frames.h"

#include <charconv>

namespace parley::app {

std::optional<ServerFrame> front_frame(std::string_view bytes) noexcept {
    if (bytes.size() < 2) return std::nullopt;
    const auto byte = [bytes](std::size_t i) {
        return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i]));
    };
    std::uint64_t size = byte(1) & 0x7F;
    std::size_t header = 2;
    const std::size_t extra = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (extra != 0) {
        if (bytes.size() < header + extra) return std::nullopt;
        size = 0;
        for (std::size_t i = 0; i < extra; ++i) size = size << 8 | byte(header + i);
        header += extra;
    }
    if (bytes.size() - header < size) return std::nullopt;
    return ServerFrame{static_cast<wire::Opcode>(byte(0) & 0xF), bytes.substr(header, size), header + size};
}

void append_client_frame(std::string& out, wire::Opcode opcode, std::string_view payload, std::uint32_t key) {
    const std::size_t start = out.size();
    wire::append_frame_header(out, opcode, payload.size());
    out[start + 1] = static_cast<char>(static_cast<unsigned char>(out[start + 1]) | 0x80U);
    std::array<unsigned char, 4> mask{};
    for (unsigned i = 0; i < 4; ++i) mask[i] = static_cast<unsigned char>(key >> (8 * i));
    out.append(reinterpret_cast<const char*>(mask.data()), mask.size());
    const std::size_t body = out.size();
    out += payload;
    wire::unmask(out.data() + body, payload.size(), mask);
}

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

}  // namespace parley::app
