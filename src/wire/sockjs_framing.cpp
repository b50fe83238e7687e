#include "wire/sockjs_framing.h"

#include <algorithm>

#include "wire/http_grammar.h"

namespace parley::wire {
namespace {

/// Browsers begin to run a page's scripts after its first KiB.
constexpr std::size_t kHtmlFilePrelude = 1100;

// The texts of the two pages are the protocol's own, to the letter.
constexpr std::string_view kHtmlFileHead = R"(<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.)";
constexpr std::string_view kHtmlFileTail = R"(;
    c.start();
    function p(d) {c.message(d);};
    window.onload = function() {c.stop();};
  </script>)";

constexpr std::string_view kIframeHead = R"(<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src=")";
constexpr std::string_view kIframeTail = R"("></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>)";

/// A frame as a string of a script. A frame has no control characters: its own JSON escapes them. `<` must not end the
/// script element around it.
void append_script_string(std::string& out, std::string_view frame) {
    out.push_back('"');
    for (const char c : frame) {
        if (c == '<') {
            out.append("\\u003c");
        } else {
            if (c == '"' || c == '\\') out.push_back('\\');
            out.push_back(c);
        }
    }
    out.push_back('"');
}

}  // namespace

std::string_view SockJsFraming::content_type() const noexcept {
    switch (transport_) {
        case SockJsTransport::kEventSource: return "text/event-stream";
        case SockJsTransport::kHtmlFile: return "text/html; charset=UTF-8";
        default: return "application/javascript; charset=UTF-8";
    }
}

std::string SockJsFraming::prelude() const {
    switch (transport_) {
        case SockJsTransport::kXhrStreaming: return std::string{sockjs_prelude()};
        case SockJsTransport::kEventSource: return "\r\n";
        case SockJsTransport::kHtmlFile: {
            std::string page{kHtmlFileHead};
            page += callback_;
            page += kHtmlFileTail;
            if (page.size() < kHtmlFilePrelude) page.append(kHtmlFilePrelude - page.size(), ' ');
            page += "\r\n\r\n";
            return page;
        }
        default: return {};
    }
}

void SockJsFraming::append(std::string& out, std::string_view frame) const {
    switch (transport_) {
        case SockJsTransport::kEventSource: out.append("data: ").append(frame).append("\r\n\r\n"); return;
        case SockJsTransport::kHtmlFile:
            out.append("<script>\np(");
            append_script_string(out, frame);
            out.append(");\n</script>\r\n");
            return;
        case SockJsTransport::kJsonp:
            // The comment keeps the answer from being any other kind of file that begins with the callback's letters.
            out.append("/**/").append(callback_).append("(");
            append_script_string(out, frame);
            out.append(");\r\n");
            return;
        default: out.append(frame).append("\n"); return;
    }
}

bool SockJsFraming::streams() const noexcept {
    return transport_ != SockJsTransport::kXhr && transport_ != SockJsTransport::kJsonp;
}

std::string_view SockJsFraming::name() const noexcept {
    switch (transport_) {
        case SockJsTransport::kXhrStreaming: return "sockjs-xhr-streaming";
        case SockJsTransport::kEventSource: return "sockjs-eventsource";
        case SockJsTransport::kHtmlFile: return "sockjs-htmlfile";
        case SockJsTransport::kJsonp: return "sockjs-jsonp-polling";
        default: return "sockjs-xhr-polling";
    }
}

bool is_sockjs_callback(std::string_view callback) noexcept {
    return !callback.empty() && std::all_of(callback.begin(), callback.end(), [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
    });
}

std::string sockjs_iframe_page(std::string_view client_url) {
    std::string page{kIframeHead};
    page += client_url;
    page += kIframeTail;
    return page;
}

}  // namespace parley::wire
