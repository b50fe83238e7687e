#include "adapters/postgres/settings.h"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>

namespace parley::postgres {
namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

std::string find(const Options& options, std::string_view name) {
    const auto found = std::find_if(options.begin(), options.end(), [&](const auto& o) { return o.first == name; });
    return found == options.end() ? std::string{} : found->second;
}

/// An `@`, `:` or `/` that was not written as %40, %3A or %2F puts a piece of the password where libpq would name it.
bool holds_a_piece_of_password(const Options& options) {
    const std::string port = find(options, "port");
    return find(options, "host").find('@') != std::string::npos ||
           find(options, "dbname").find_first_of("@/") != std::string::npos ||
           port.find_first_not_of("0123456789,") != std::string::npos;
}

}  // namespace

Result<Options> parse_url(const std::string& url) {
    static constexpr const char* kExpected =
        "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE; in a password write @ as %40, : as %3A, / as %2F, % as "
        "%25";
    const auto free_options = [](PQconninfoOption* parsed) { PQconninfoFree(parsed); };
    const std::unique_ptr<PQconninfoOption, decltype(free_options)> parsed{PQconninfoParse(url.c_str(), nullptr),
                                                                           free_options};
    if (url.empty() || parsed == nullptr) return fail(Code::kBadRequest, kExpected);
    Options options;
    for (const auto* option = parsed.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) options.emplace_back(option->keyword, option->val);
    }
    if (holds_a_piece_of_password(options)) return fail(Code::kBadRequest, kExpected);
    return options;
}

std::string place(const std::string& url) {
    const auto options = parse_url(url);
    if (!options) return "PostgreSQL";
    const std::string port = find(*options, "port");
    return find(*options, "host") + ":" + (port.empty() ? "5432" : port);
}

}  // namespace parley::postgres
