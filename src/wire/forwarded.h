#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "wire/http_request.h"

namespace parley::wire {

/// Whose word about a client's address counts: `proxies.trusted`. Immutable.
class TrustedProxies {
public:
    /// What a peer on a Unix socket has as its address.
    static constexpr std::string_view kUnixPeer = "unix:";

    TrustedProxies() = default;
    /// Networks, addresses, and `unix:`. Error: kBadRequest, naming the element that is none.
    [[nodiscard]] static Result<TrustedProxies> parse(const std::vector<std::string>& list);

    /// `peer` as text, as Connection::peer_address() has it.
    [[nodiscard]] bool trusts(std::string_view peer) const;
    [[nodiscard]] bool empty() const noexcept { return ranges_.empty() && !unix_sockets_; }

private:
    std::vector<IpRange> ranges_;
    bool unix_sockets_ = false;
};

/// What is known of the client behind a request.
struct Client {
    std::string address;   ///< `192.0.2.7`, `unix:`
    bool secure = false;   ///< it speaks TLS, with us or with a trusted proxy
    bool proxied = false;  ///< the one connected to us is a trusted proxy
};

/// The client of a request that `peer` sent, over TLS or not. Only from a trusted peer do X-Forwarded-For and
/// X-Forwarded-Proto count: the right-most address that is not trusted is the client's, and what stands left of it, or
/// of what is no address, is hearsay. Proto is what stands at the same place, else the left-most there is.
[[nodiscard]] Client find_client(const TrustedProxies& trusted, std::string peer, bool over_tls,
                                 const HttpHeaders& headers);

}  // namespace parley::wire
