#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/ip.h"

namespace parley::wire {

/// What a proxy says of a connection before its first byte: the PROXY protocol, versions 1 and 2 (HAProxy's
/// proxy-protocol.txt).
struct ProxyHeader {
    enum class Step : unsigned char { kNeedMore, kDone, kFault };
    Step step = Step::kNeedMore;
    std::size_t size = 0;  ///< of the header, once it is done
    /// Who connected to the proxy. None: the proxy speaks for itself (LOCAL) or does not say (UNKNOWN, a Unix socket).
    std::optional<IpAddress> source{};
    std::string_view fault{};  ///< what is wrong; holds nothing the peer sent

    /// The most that is read of one, its TLVs included. They are skipped.
    static constexpr std::size_t kMost = 4096;

    /// `bytes` is all that has arrived. What cannot become a header is a fault at its first wrong byte.
    [[nodiscard]] static ProxyHeader parse(std::string_view bytes) noexcept;
};

}  // namespace parley::wire
