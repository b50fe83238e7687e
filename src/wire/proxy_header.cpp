#include "wire/proxy_header.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace parley::wire {
namespace {

using Step = ProxyHeader::Step;

constexpr std::string_view kText = "PROXY ";
constexpr std::size_t kMostText = 107;  // with its CR LF, by the specification
constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t kBinaryHead = 16;
constexpr std::size_t kV4Part = 12;
constexpr std::size_t kV6Part = 36;
constexpr std::size_t kUnixPart = 216;

ProxyHeader refuse(std::string_view why) noexcept { return {.step = Step::kFault, .fault = why}; }

bool begins_alike(std::string_view bytes, std::string_view wanted) noexcept {
    const std::size_t both = std::min(bytes.size(), wanted.size());
    return bytes.substr(0, both) == wanted.substr(0, both);
}

bool is_port(std::string_view text) noexcept {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value <= 65535 &&
           (text.size() == 1 || text.front() != '0');
}

std::string_view take_word(std::string_view& text) noexcept {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

ProxyHeader parse_text(std::string_view bytes) noexcept {
    const auto end = bytes.substr(0, kMostText).find("\r\n");
    if (end == std::string_view::npos) {
        return bytes.size() >= kMostText ? refuse("a PROXY line longer than 107 bytes") : ProxyHeader{};
    }
    ProxyHeader out{.step = Step::kDone, .size = end + 2};
    std::string_view rest = bytes.substr(kText.size(), end - kText.size());
    const std::size_t spaces = static_cast<std::size_t>(std::count(rest.begin(), rest.end(), ' '));
    const auto family = take_word(rest);
    if (family == "UNKNOWN") return out;
    if (family != "TCP4" && family != "TCP6") return refuse("a PROXY line of an unknown family");
    if (spaces != 4) return refuse("a PROXY line needs two addresses and two ports");
    const auto parse_address = [&](std::string_view text) {
        const bool is_v6 = text.find(':') != std::string_view::npos;
        return is_v6 == (family == "TCP6") ? IpAddress::parse(text) : std::nullopt;
    };
    out.source = parse_address(take_word(rest));
    const auto destination = parse_address(take_word(rest));
    if (!out.source || !destination) return refuse("a PROXY line with a bad address");
    const auto port = take_word(rest);
    if (!is_port(port) || !is_port(rest)) return refuse("a PROXY line with a bad port");
    return out;
}

ProxyHeader parse_binary(std::string_view bytes) noexcept {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
    if (bytes.size() > 12 && byte(12) != 0x20 && byte(12) != 0x21) return refuse("a PROXY header of another version");
    if (bytes.size() < kBinaryHead) return {};
    const std::size_t length = static_cast<std::size_t>(byte(14)) << 8 | byte(15);
    if (kBinaryHead + length > ProxyHeader::kMost) return refuse("a PROXY header longer than 4 KiB");
    const unsigned family = byte(13) >> 4;
    const unsigned transport = byte(13) & 0xf;
    const bool is_local = byte(12) == 0x20;
    std::size_t needed = 0;
    if (!is_local) {
        if (family > 3 || transport > 1) return refuse("a PROXY header of an unknown family");
        if (transport == 1) needed = family == 1 ? kV4Part : family == 2 ? kV6Part : family == 3 ? kUnixPart : 0;
    }
    if (length < needed) return refuse("a PROXY header shorter than its addresses");
    if (bytes.size() < kBinaryHead + length) return {};
    ProxyHeader out{.step = Step::kDone, .size = kBinaryHead + length};
    const auto* const source = reinterpret_cast<const std::uint8_t*>(bytes.data() + kBinaryHead);
    if (needed == kV4Part) out.source = IpAddress::of_v4(source);
    if (needed == kV6Part) out.source = IpAddress::of_v6(source);
    return out;
}

}  // namespace

ProxyHeader ProxyHeader::parse(std::string_view bytes) noexcept {
    if (begins_alike(bytes, kText)) return bytes.size() < kText.size() ? ProxyHeader{} : parse_text(bytes);
    if (begins_alike(bytes, kSignature)) return bytes.size() < kSignature.size() ? ProxyHeader{} : parse_binary(bytes);
    return refuse("no PROXY header");
}

}  // namespace parley::wire
