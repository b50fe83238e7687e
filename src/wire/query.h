#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace parley::wire {

/// The parameters of a query string or of a form body (application/x-www-form-urlencoded):
/// `&` separates, `+` is a space, `%xx` a byte. Thread: any, once made. Owns what it decoded.
class QueryParams {
public:
    /// Errors, all kBadRequest: a malformed `%`, U+0000, bytes that are not UTF-8 once decoded, a
    /// query above `limit`, more than 256 parameters.
    static Result<QueryParams> parse(std::string_view raw, Bytes limit = 16_KiB);
    /// The first value of that name; empty for `name` and `name=`.
    [[nodiscard]] std::optional<std::string> get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return params_.size(); }

private:
    std::vector<std::pair<std::string, std::string>> params_;
};

/// `target` fit for a log: the values of `token` and `ticket` are `***`, however their names are
/// percent-encoded or cased. Works on any bytes.
[[nodiscard]] std::string redact_query(std::string_view target);

/// The segments of a raw path that begins with `/`, each percent-decoded by itself, so an encoded
/// slash stays inside its segment and `+` stays a plus. `/` has none; `/a/` has `a` and an empty
/// one. Dot segments are not interpreted: a segment is a name to look up, never to open.
/// Errors, all kBadRequest: no leading slash, a malformed `%`, U+0000, not UTF-8.
[[nodiscard]] Result<std::vector<std::string>> split_path(std::string_view path);

}  // namespace parley::wire
