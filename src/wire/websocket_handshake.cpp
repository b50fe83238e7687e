#include "wire/websocket_handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace parley::wire {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

std::string_view trim(std::string_view text) noexcept {
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

/// Calls `found` with each member of a comma list until it returns true.
template <class F>
bool any_member(std::string_view list, F found) {
    while (true) {
        const std::size_t comma = list.find(',');
        const std::string_view member = trim(list.substr(0, comma));
        if (!member.empty() && found(member)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

bool lists(std::string_view list, std::string_view lower) noexcept {
    return any_member(list, [lower](std::string_view member) {
        return std::equal(member.begin(), member.end(), lower.begin(), lower.end(), [](char a, char b) {
            return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
        });
    });
}

/// Base64 of 16 bytes.
bool is_key(std::string_view key) noexcept {
    if (key.size() != 24 || key.substr(22) != "==") return false;
    return std::all_of(key.begin(), key.begin() + 22, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    });
}

}  // namespace

bool wants_websocket(std::string_view upgrade) noexcept { return lists(upgrade, "websocket"); }

bool wants_upgrade(std::string_view connection) noexcept { return lists(connection, "upgrade"); }

std::optional<UpgradeRefusal> check_handshake(const UpgradeHeaders& headers) noexcept {
    if (!wants_websocket(headers.upgrade)) return UpgradeRefusal{400, "Upgrade: websocket is missing"};
    if (!wants_upgrade(headers.connection)) return UpgradeRefusal{400, "Connection: Upgrade is missing"};
    if (trim(headers.version) != "13") return UpgradeRefusal{426, "only WebSocket version 13 is spoken here"};
    if (!is_key(trim(headers.key))) return UpgradeRefusal{400, "Sec-WebSocket-Key is not the base64 of 16 bytes"};
    return std::nullopt;
}

std::string accept_key(std::string_view key) {
    std::string text{trim(key)};
    text += kGuid;
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::array<unsigned char, 29> encoded;
    const int size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
    return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

std::string_view choose_subprotocol(std::string_view offered, std::span<const std::string_view> supported) noexcept {
    std::string_view chosen;
    any_member(offered, [&](std::string_view member) {
        const auto match = std::find(supported.begin(), supported.end(), member);
        if (match == supported.end()) return false;
        chosen = *match;
        return true;
    });
    return chosen;
}

}  // namespace parley::wire
