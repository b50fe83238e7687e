#pragma once
#include <string>

#include "gateway/exchange.h"

namespace parley::gateway {

struct Options;

/// The page `…/iframe*.html`, through which a page of another origin uses this server's HTTP transports, and our copy
/// of the sockjs-client it loads.
///
/// What this page does, it does as the server's own origin. So only pages of allowed origins may frame it.
/// Thread: core-local; immutable.
class SockJsIframe {
public:
    explicit SockJsIframe(const Options& options);

    enum class FramedBy : std::uint8_t { kAllowed, kAnyone };
    void serve(Exchange& exchange, FramedBy who) const;
    /// `Content-Security-Policy` of what may be shown in a frame.
    [[nodiscard]] const std::string& policy(FramedBy who) const;

private:
    std::string page_;
    std::string etag_;
    std::string allowed_policy_;
    std::string open_policy_;
};

}  // namespace parley::gateway
