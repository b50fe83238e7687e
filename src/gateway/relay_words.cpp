#include "gateway/relay_words.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

#include "base/byte_codec.h"
#include "base/mac.h"

namespace parley::gateway {
namespace {

constexpr std::string_view kName{"parley relay  1\n", 16};
constexpr std::size_t kMac = 16;
constexpr std::size_t kLength = 2;

std::string mac_of(const std::string& key, std::string_view what, const RelayWords::Nonces& nonces,
                   std::string_view bytes) {
    std::string text{what};
    text.reserve(what.size() + 2 * RelayWords::kNonce + bytes.size());
    text += nonces.asking;
    text += nonces.owner;
    text += bytes;
    return hmac_sha256(key, text).substr(0, kMac);
}

auto foreign() {
    return fail(Code::kBadRequest, "it is not signed with this fleet's secret (fleet.secret, auth.secret)");
}

}  // namespace

std::string RelayWords::make_nonce() {
    std::string out(kNonce, '\0');
    // Only a broken system generator fails; a proof without randomness proves nothing.
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) != 1) std::abort();
    return out;
}

std::string RelayWords::sign(std::string_view what, const Nonces& nonces, std::string_view bytes) const {
    return mac_of(keys_.front(), what, nonces, bytes);
}

bool RelayWords::is_signed(std::string_view mac, std::string_view what, const Nonces& nonces,
                           std::string_view bytes) const {
    return std::ranges::any_of(
        keys_, [&](const std::string& key) { return same_bytes(mac_of(key, what, nonces, bytes), mac); });
}

std::string RelayWords::greeting(std::string_view asking_nonce) { return std::string{kName} += asking_nonce; }

Result<std::string> RelayWords::read_greeting(std::string_view bytes) {
    const std::size_t both = std::min(bytes.size(), kName.size());
    if (bytes.substr(0, both) != kName.substr(0, both)) {
        return fail(Code::kBadRequest, "it does not begin as a server of this version does");
    }
    return bytes.size() < kGreeting ? std::string{} : std::string{bytes.substr(kName.size(), kNonce)};
}

std::string RelayWords::proof(std::uint64_t owner, const Nonces& nonces) const {
    ByteWriter number;
    number.number(owner);
    const std::string bytes = number.take();
    return bytes + nonces.owner + sign("proof", nonces, bytes);
}

Result<RelayWords::Proof> RelayWords::read_proof(std::string_view bytes, std::string_view asking_nonce) const {
    if (bytes.size() < kProof) return fail(Code::kBadRequest, "it is cut short");
    const auto number = bytes.substr(0, 8);
    const Nonces nonces{std::string{asking_nonce}, std::string{bytes.substr(8, kNonce)}};
    if (!is_signed(bytes.substr(8 + kNonce, kMac), "proof", nonces, number)) return foreign();
    return Proof{ByteReader{number}.number(), nonces.owner};
}

std::string RelayWords::order(const RelayedClient& client, std::string_view request, const Nonces& nonces) const {
    ByteWriter words;
    words.byte(client.secure ? 1 : 0);
    words.text(client.address);
    words.number(request.size(), 4);
    std::string head = words.take();
    head += sign("request", nonces, request);
    ByteWriter length;
    length.number(head.size(), kLength);
    std::string out = length.take();
    out.reserve(out.size() + head.size() + kMac + request.size());
    out += head;
    out += sign("order", nonces, head);
    out += request;
    return out;
}

Result<std::optional<RelayWords::Order>> RelayWords::read_order(std::string_view bytes, const Nonces& nonces,
                                                                std::size_t most) const {
    if (bytes.size() < kLength) return std::nullopt;
    const std::size_t length = ByteReader{bytes}.number(kLength);
    Order out{.client = {}, .size = kLength + length + kMac};
    if (out.size > kOrder || length < kMac) return fail(Code::kBadRequest, "its order has a length that none has");
    if (bytes.size() < out.size) return std::nullopt;
    const auto head = bytes.substr(kLength, length);
    // Before anything is believed, and before a request is waited for.
    if (!is_signed(bytes.substr(kLength + length, kMac), "order", nonces, head)) return foreign();
    ByteReader words{head.substr(0, length - kMac)};
    out.client.secure = words.byte() != 0;
    out.client.address = words.text();
    const std::size_t size = words.number(4);
    if (!words.ok() || !words.is_at_end()) return fail(Code::kBadRequest, "its order is not what this version says");
    if (size > most) return fail(Code::kBadRequest, "its request is larger than any client's");
    if (bytes.size() < out.size + size) return std::nullopt;
    if (!is_signed(head.substr(length - kMac), "request", nonces, bytes.substr(out.size, size))) return foreign();
    return out;
}

}  // namespace parley::gateway
