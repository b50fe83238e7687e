#include "wire/forwarded.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace parley::wire {
namespace {

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The elements of a list in all fields of that name, the last one first.
std::vector<std::string_view> list_from_right(const HttpHeaders& headers, std::string_view name) {
    std::vector<std::string_view> out;
    for (std::string_view value : headers.all(name)) {
        for (;;) {
            const auto comma = value.find(',');
            out.push_back(trim(value.substr(0, comma)));
            if (comma == std::string_view::npos) break;
            value.remove_prefix(comma + 1);
        }
    }
    std::reverse(out.begin(), out.end());
    return out;
}

/// Some proxies add the port: `192.0.2.7:49153`, `[2001:db8::7]:49153`.
std::optional<IpAddress> parse_hop(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        return end == std::string_view::npos ? std::nullopt : IpAddress::parse(text.substr(1, end - 1));
    }
    if (std::count(text.begin(), text.end(), ':') == 1) text = text.substr(0, text.find(':'));
    return IpAddress::parse(text);
}

}  // namespace

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& list) {
    TrustedProxies out;
    for (const std::string& text : list) {
        if (text == kUnixPeer) {
            out.unix_sockets_ = true;
        } else if (const auto range = IpRange::parse(text)) {
            out.ranges_.push_back(*range);
        } else {
            return fail(Code::kBadRequest, fmt::format("'{}' is no network, no address and not unix:", text));
        }
    }
    return out;
}

bool TrustedProxies::trusts(std::string_view peer) const {
    if (peer == kUnixPeer) return unix_sockets_;
    if (ranges_.empty()) return false;
    const auto address = IpAddress::parse(peer);
    return address && std::any_of(ranges_.begin(), ranges_.end(), [&](const auto& r) { return r.contains(*address); });
}

Client find_client(const TrustedProxies& trusted, std::string peer, bool over_tls, const HttpHeaders& headers) {
    Client out{std::move(peer), over_tls, false};
    out.proxied = trusted.trusts(out.address);
    if (!out.proxied) return out;
    std::size_t hops = 0;
    for (const std::string_view text : list_from_right(headers, "x-forwarded-for")) {
        const auto hop = parse_hop(text);
        if (!hop) break;
        ++hops;
        out.address = hop->text();
        if (!trusted.trusts(out.address)) break;
    }
    const auto protocols = list_from_right(headers, "x-forwarded-proto");
    if (!protocols.empty()) {
        const std::size_t at = std::min(std::max<std::size_t>(hops, 1), protocols.size()) - 1;
        out.secure = iequals(protocols[at], "https") || iequals(protocols[at], "wss");
    }
    return out;
}

}  // namespace parley::wire
