#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley {

/// An address of IP. IPv4 is kept as IPv4-mapped IPv6, so that a client is the same one on every socket.
struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};

    /// `192.0.2.7`, `2001:db8::7`; nothing else: no port, no brackets, no zone.
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
    [[nodiscard]] static IpAddress of_v4(const std::uint8_t* four) noexcept;
    [[nodiscard]] static IpAddress of_v6(const std::uint8_t* sixteen) noexcept;
    [[nodiscard]] bool is_v4() const noexcept;
    /// `192.0.2.7` for a mapped one.
    [[nodiscard]] std::string text() const;
    friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

/// A network: `10.0.0.0/8`, `2001:db8::/32`, or one address.
class IpRange {
public:
    /// Nothing where it is no network, or where the address has bits beyond the prefix.
    [[nodiscard]] static std::optional<IpRange> parse(std::string_view text);
    [[nodiscard]] bool contains(const IpAddress& address) const noexcept;

private:
    IpAddress first_;
    unsigned bits_ = 128;  ///< of the mapped form
};

}  // namespace parley
