#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace parley::wire {

/// A field of a response. The name is ours; control characters in the value become spaces, so that
/// no value can end a line.
struct HttpField {
    std::string_view name;
    std::string_view value;
};

/// What decides a response's head besides its body. Everything is only viewed during the call.
struct HttpResponseHead {
    int status = 200;
    std::vector<HttpField> fields = {};  ///< never Content-Length, Transfer-Encoding, Connection or Date
    bool keep_alive = true;              ///< false adds `Connection: close`
    int version_minor = 1;               ///< the request's
    bool head_only = false;              ///< the request was HEAD
    std::string_view date = {};          ///< IMF-fixdate or empty for none: see format_http_date()
};

enum class HttpBodyFraming : std::uint8_t {
    kNone,        ///< HEAD, 1xx, 204, 304: the response is complete
    kChunked,     ///< append_chunk() each piece, then append_last_chunk()
    kUntilClose,  ///< HTTP/1.0: write the pieces as they are, then close
};

/// `OK`, `Not Found`, …; `Unknown` for a code without a name here.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// Appends a whole response with its Content-Length. 1xx, 204 and 304 go without length and body,
/// HEAD with the length alone. 101 takes its `Connection: Upgrade` from `fields`.
void append_response(std::string& out, const HttpResponseHead& head, std::string_view body);
/// Appends the head of a response whose length is not known; the answer says how its body goes.
HttpBodyFraming append_response_head(std::string& out, const HttpResponseHead& head);
/// One chunk; nothing for empty data, which would end the body.
void append_chunk(std::string& out, std::string_view data);
void append_last_chunk(std::string& out);
/// `Sun, 06 Nov 1994 08:49:37 GMT` for HttpResponseHead::date; worth making once a second at most.
[[nodiscard]] std::string format_http_date(WallTime time);
/// `HTTP/1.1 100 Continue` and its empty line.
void append_continue(std::string& out);

}  // namespace parley::wire
