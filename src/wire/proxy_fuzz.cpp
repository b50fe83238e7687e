// What a proxy says of its client: the PROXY header, and X-Forwarded-For with X-Forwarded-Proto.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/forwarded.h"
#include "wire/proxy_header.h"

namespace {

using namespace parley;
using namespace parley::wire;

void require(bool holds) {
    if (!holds) std::abort();
}

/// The verdict does not depend on how the header was cut, nor on what follows it.
void check_header(std::string_view input) {
    const auto whole = ProxyHeader::parse(input);
    if (whole.step == ProxyHeader::Step::kNeedMore) {
        require(input.size() < ProxyHeader::kMost);
        return;
    }
    for (std::size_t size = 0; size <= input.size(); ++size) {
        const auto part = ProxyHeader::parse(input.substr(0, size));
        if (part.step == ProxyHeader::Step::kNeedMore) continue;
        require(part.step == whole.step && part.size == whole.size && part.source == whole.source);
        require(part.step == ProxyHeader::Step::kFault || part.size == size);
        return;
    }
    std::abort();
}

/// Whoever is not trusted speaks for itself; else the client is an address that stands in the field, or the peer.
void check_forwarded(std::string_view input) {
    static const auto trusted = TrustedProxies::parse({"10.0.0.0/8", "2001:db8::/32"});
    HttpHeaders headers;
    for (std::size_t at = 0; at < input.size();) {
        const auto end = std::min(input.find('\n', at), input.size());
        const auto line = input.substr(at, end - at);
        headers.add(line.starts_with('p') ? "X-Forwarded-Proto" : "X-Forwarded-For", line.substr(line.empty() ? 0 : 1));
        at = end + 1;
    }
    require(find_client(*trusted, "192.0.2.1", false, headers).address == "192.0.2.1");
    const auto client = find_client(*trusted, "10.0.0.1", false, headers);
    require(client.proxied && IpAddress::parse(client.address).has_value());
    if (client.address == "10.0.0.1") return;
    // An address of the client's own in front of what the proxy added changes nothing.
    if (trusted->trusts(client.address)) return;
    HttpHeaders forged;
    forged.add("X-Forwarded-For", "203.0.113.66");
    for (const auto& field : headers) forged.add(field.name, field.value);
    require(find_client(*trusted, "10.0.0.1", false, forged).address == client.address);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 8192) return 0;
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    check_header(input);
    check_forwarded(input);
    return 0;
}
