#include "wire/http_request.h"

#include "wire/http_grammar.h"

namespace parley::wire {

bool iequals(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    }
    return true;
}

std::optional<std::string_view> HttpHeaders::find(std::string_view name) const noexcept {
    for (const HttpHeader& field : fields_) {
        if (iequals(field.name, name)) return field.value;
    }
    return std::nullopt;
}

std::vector<std::string_view> HttpHeaders::all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const HttpHeader& field : fields_) {
        if (iequals(field.name, name)) values.emplace_back(field.value);
    }
    return values;
}

std::size_t HttpHeaders::count(std::string_view name) const noexcept {
    std::size_t n = 0;
    for (const HttpHeader& field : fields_) n += iequals(field.name, name) ? 1 : 0;
    return n;
}

bool HttpHeaders::has_token(std::string_view name, std::string_view token) const noexcept {
    for (const HttpHeader& field : fields_) {
        if (!iequals(field.name, name)) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            if (iequals(next_list_element(rest), token)) return true;
        }
    }
    return false;
}

}  // namespace parley::wire
