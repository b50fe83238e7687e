#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::wire {

/// ASCII case-insensitive equality: field names, schemes and tokens.
[[nodiscard]] bool iequals(std::string_view a, std::string_view b) noexcept;

struct HttpHeader {
    std::string name;
    std::string value;  ///< without surrounding white space; may hold obs-text (bytes ≥ 0x80)
};

/// A request's fields in the order they came. Names compare without case.
class HttpHeaders {
public:
    void add(std::string_view name, std::string_view value) {
        fields_.push_back({std::string{name}, std::string{value}});
    }
    /// The first field of that name.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
    /// Every field of that name, in order.
    [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
    [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
    /// Whether the comma-separated list in all fields of that name holds `token`, without case:
    /// has_token("connection", "upgrade").
    [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
    [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
    [[nodiscard]] auto end() const noexcept { return fields_.end(); }

private:
    std::vector<HttpHeader> fields_;
};

/// One request as HttpRequestParser accepted it.
struct HttpRequest {
    std::string method;     ///< a token, case kept: `GET`, but also `FOO`; the router answers 405 or 501
    std::string target;     ///< as sent; goes to logs through redact_query() only
    std::string host;       ///< `host[:port]` of an absolute target, else of Host; empty only in HTTP/1.0
    std::string path;       ///< raw, still percent-encoded; `*` for asterisk-form, empty for CONNECT
    std::string query;      ///< raw, without `?`
    int version_minor = 1;  ///< 0 or 1; a client of HTTP/1.2 is spoken to as 1.1
    HttpHeaders headers;
    std::string body;  ///< transfer coding removed; trailers are checked and dropped
    bool keep_alive = true;
    bool expect_continue = false;  ///< the client waits for `100 Continue` before its body
};

}  // namespace parley::wire
