#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

namespace parley {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;

}  // namespace

IpAddress IpAddress::of_v4(const std::uint8_t* four) noexcept {
    IpAddress out;
    std::copy(kMapped.begin(), kMapped.end(), out.bytes.begin());
    std::copy_n(four, 4, out.bytes.begin() + kMapped.size());
    return out;
}

IpAddress IpAddress::of_v6(const std::uint8_t* sixteen) noexcept {
    IpAddress out;
    std::copy_n(sixteen, out.bytes.size(), out.bytes.begin());
    return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
    const std::string copy{text};
    std::array<std::uint8_t, 16> bytes{};
    if (::inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1) return of_v4(bytes.data());
    if (::inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return of_v6(bytes.data());
    return std::nullopt;
}

bool IpAddress::is_v4() const noexcept { return std::equal(kMapped.begin(), kMapped.end(), bytes.begin()); }

std::string IpAddress::text() const {
    std::array<char, INET6_ADDRSTRLEN> out{};
    if (is_v4()) {
        ::inet_ntop(AF_INET, &bytes[kMapped.size()], out.data(), out.size());
    } else {
        ::inet_ntop(AF_INET6, bytes.data(), out.data(), out.size());
    }
    return out.data();
}

std::optional<IpRange> IpRange::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    IpRange out;
    out.first_ = *address;
    if (slash == std::string_view::npos) return out;
    const std::string_view digits = text.substr(slash + 1);
    const unsigned most = text.find(':') == std::string_view::npos ? 32 : 128;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.bits_);
    if (error != std::errc{} || end != digits.data() + digits.size() || out.bits_ > most) return std::nullopt;
    if (most == 32) out.bits_ += kMappedBits;
    for (unsigned bit = out.bits_; bit < 128; ++bit) {
        if ((address->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
    }
    return out;
}

bool IpRange::contains(const IpAddress& address) const noexcept {
    const auto whole = static_cast<std::ptrdiff_t>(bits_ / 8);
    if (!std::equal(first_.bytes.begin(), first_.bytes.begin() + whole, address.bytes.begin())) return false;
    const unsigned rest = bits_ % 8;
    if (rest == 0) return true;
    const auto at = static_cast<std::size_t>(whole);
    return (first_.bytes[at] ^ address.bytes[at]) >> (8 - rest) == 0;
}

}  // namespace parley
