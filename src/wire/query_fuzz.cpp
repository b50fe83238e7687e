#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/cookie.h"
#include "wire/query.h"
#include "wire/utf8.h"

namespace {

using namespace parley::wire;

std::string encode(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
    return out;
}

void check_path(std::string_view input) {
    const auto segments = split_path(input);
    if (!segments) return;
    std::string again = segments->empty() ? "/" : "";
    for (const std::string& segment : *segments) {
        if (!is_valid_utf8(segment) || segment.find('\0') != std::string::npos) std::abort();
        again += '/' + encode(segment);
    }
    if (*split_path(again) != *segments) std::abort();
}

/// No value of `token` may be left in what goes to a log.
void check_redaction(std::string_view input) {
    const std::string redacted = redact_query("/p?" + std::string{input});
    if (redacted != redact_query(redacted)) std::abort();
    const auto query = QueryParams::parse(std::string_view{redacted}.substr(3));
    if (!query) return;
    for (const char* name : {"token", "ticket"}) {
        const auto value = query->get(name);
        if (value && !value->empty() && *value != "***") std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    check_path(input);
    check_redaction(input);
    const auto query = QueryParams::parse(input);
    if (query && query->size() > 256) std::abort();
    const std::size_t equals = input.find('=');
    if (equals != std::string_view::npos && is_valid_utf8(input) && input.find('\0') == std::string_view::npos) {
        const auto again = QueryParams::parse(encode(input.substr(0, equals)) + '=' + encode(input.substr(equals + 1)));
        if (input.size() * 3 < 16 * 1024 &&
            (!again || again->get(input.substr(0, equals)) != input.substr(equals + 1))) {
            std::abort();
        }
    }
    const auto made = set_cookie("n", input);
    if (made && cookie(made->substr(0, made->find(" Path")), "n") != input) std::abort();
    (void)cookie(input, "token");
    return 0;
}
