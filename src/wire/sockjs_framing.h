#pragma once
#include <string>
#include <string_view>

#include "wire/sockjs.h"

namespace parley::wire {

/// What a transport that receives over HTTP puts around SockJS frames.
///
/// `callback` is the page's function for htmlfile and jsonp, checked by is_sockjs_callback(); other transports take
/// none. Thread: any; immutable.
class SockJsFraming {
public:
    explicit SockJsFraming(SockJsTransport transport, std::string callback = {})
        : transport_(transport), callback_(std::move(callback)) {}

    [[nodiscard]] std::string_view content_type() const noexcept;
    /// What the body begins with, before any frame.
    [[nodiscard]] std::string prelude() const;
    void append(std::string& out, std::string_view frame) const;
    /// The response goes on after its first frame.
    [[nodiscard]] bool streams() const noexcept;
    /// The session's transport as metrics call it: `sockjs-xhr-polling`.
    [[nodiscard]] std::string_view name() const noexcept;

private:
    SockJsTransport transport_;
    std::string callback_;
};

/// `[a-zA-Z0-9-_.]`, and something at all. What is not, could be script.
[[nodiscard]] bool is_sockjs_callback(std::string_view callback) noexcept;

/// The page that brings another origin's messages here. `client_url` is where it loads sockjs-client from.
[[nodiscard]] std::string sockjs_iframe_page(std::string_view client_url);

}  // namespace parley::wire
