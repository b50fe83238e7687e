#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace parley::gateway {

/// For whom a server brings a request to another one.
struct RelayedClient {
    std::string address;  ///< as Exchange::peer()
    bool secure = false;  ///< it speaks TLS
};

/// What two servers of a fleet say before one of them takes a request that a client brought to the other:
///
///     asking → owner   greeting: the protocol's name and version, 16 random bytes
///     owner → asking   proof: the owner's number, 16 random bytes, a MAC over these and the greeting's
///     asking → owner   order: the client, the request's length and MAC, a MAC over these; then the request
///
/// Each side shows that it knows the fleet's secret before the other gives anything away, and every MAC is over both
/// sides' random bytes: what was heard once is worth nothing on another connection, or in the other direction.
///
/// Thread: any; immutable.
/// Fails:  takes any bytes, and believes none that another key made.
class RelayWords {
public:
    static constexpr std::size_t kNonce = 16;
    static constexpr std::size_t kGreeting = 16 + kNonce;
    static constexpr std::size_t kProof = 8 + kNonce + 16;
    /// The most that comes before a request.
    static constexpr std::size_t kOrder = 512;

    /// The random bytes of one connection.
    struct Nonces {
        std::string asking;
        std::string owner;
    };
    [[nodiscard]] static std::string make_nonce();

    /// The first of `keys` signs, each of them is believed: so a secret can be changed server by server.
    explicit RelayWords(std::vector<std::string> keys) : keys_(std::move(keys)) {}

    [[nodiscard]] static std::string greeting(std::string_view asking_nonce);
    /// The other side's random bytes. Error as soon as `bytes` can be no greeting; empty while there are too few.
    [[nodiscard]] static Result<std::string> read_greeting(std::string_view bytes);

    [[nodiscard]] std::string proof(std::uint64_t owner, const Nonces& nonces) const;
    struct Proof {
        std::uint64_t owner;
        std::string nonce;
    };
    /// Of kProof bytes. Error: another secret.
    [[nodiscard]] Result<Proof> read_proof(std::string_view bytes, std::string_view asking_nonce) const;

    [[nodiscard]] std::string order(const RelayedClient& client, std::string_view request, const Nonces& nonces) const;
    struct Order {
        RelayedClient client;
        std::size_t size;  ///< of what stands before the request
    };
    /// `bytes` is all that has come; nothing while the order or the `most` bytes of its request are not there.
    [[nodiscard]] Result<std::optional<Order>> read_order(std::string_view bytes, const Nonces& nonces,
                                                          std::size_t most) const;

private:
    [[nodiscard]] std::string sign(std::string_view what, const Nonces& nonces, std::string_view bytes) const;
    [[nodiscard]] bool is_signed(std::string_view mac, std::string_view what, const Nonces& nonces,
                                 std::string_view bytes) const;

    std::vector<std::string> keys_;
};

}  // namespace parley::gateway
