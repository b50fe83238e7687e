#include "gateway/rest_path.h"

namespace parley::gateway {

std::optional<std::vector<std::string>> match_path(std::string_view pattern, std::span<const std::string> segments) {
    std::vector<std::string> values;
    for (const std::string& segment : segments) {
        if (!pattern.starts_with('/')) return std::nullopt;
        pattern.remove_prefix(1);
        const std::string_view wanted = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(wanted.size());
        if (wanted.starts_with('{') && !segment.empty()) {
            values.push_back(segment);
        } else if (wanted != segment) {
            return std::nullopt;
        }
    }
    if (!pattern.empty()) return std::nullopt;
    return values;
}

bool takes_method(std::string_view route_method, std::string_view method) noexcept {
    return route_method == method || (route_method == "GET" && method == "HEAD");
}

std::string allow_field(std::span<const std::string_view> route_methods) {
    std::string allow;
    for (const std::string_view method : route_methods) {
        if (!allow.empty()) allow += ", ";
        allow += method;
        if (method == "GET") allow += ", HEAD";
    }
    return allow;
}

}  // namespace parley::gateway
