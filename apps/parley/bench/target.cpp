#include "bench/target.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/config_keys.h"

namespace parley::bench {

Result<Target> resolve(const std::string& url) {
    Target target;
    const std::size_t scheme = url.find("://");
    const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
    const bool is_tls = url.starts_with("wss://") || url.starts_with("https://");
    if (begin != 0 && !is_tls && !url.starts_with("ws://") && !url.starts_with("http://") &&
        !url.starts_with("tcp://")) {
        return fail(Code::kBadRequest, fmt::format("--url {}: it must be ws://HOST:PORT/PATH or wss://", url));
    }
    if (is_tls) target.wire = Line::Wire::kTls;
    const std::size_t slash = url.find('/', begin);
    target.host = url.substr(begin, slash - begin);
    if (slash != std::string::npos) target.path = url.substr(slash);
    const auto address = keys::parse_address(target.host);
    if (!address) return fail(Code::kBadRequest, fmt::format("--url {}: {}", url, address.error().message));
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int problem = ::getaddrinfo(address->host.c_str(), std::to_string(address->port).c_str(), &hints, &found);
        problem != 0) {
        return fail(Code::kBadRequest, fmt::format("--url {}: {}", url, ::gai_strerror(problem)));
    }
    std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
                reinterpret_cast<char*>(&target.address));
    target.address_size = found->ai_addrlen;
    ::freeaddrinfo(found);
    return target;
}

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

}  // namespace parley::bench
