#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "base/config_value.h"

namespace parley::config_detail {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr std::size_t kMaxDepth = 16;

/// toml++ nests a table per dot and frees them recursively: `a.a.a…` of a megabyte would end the stack.
bool nests_too_deep(std::string_view text) {
    std::size_t dots = 0;
    for (const char c : text) {
        if (c == '\n') dots = 0;
        if (c == '.' && ++dots > 4096) return true;
    }
    return false;
}

struct Flattener {
    std::string_view file;
    std::vector<TomlSetting> out;

    [[nodiscard]] auto refuse(const toml::node& node, std::string_view name, std::string_view why) const {
        return fail(Code::kBadRequest, fmt::format("{}:{}: {}: {}", file, node.source().begin.line, name, why));
    }

    Result<void> list(const std::string& name, const toml::array& array) {
        std::string joined;
        for (const toml::node& element : array) {
            const auto* text = element.as_string();
            if (text == nullptr) return refuse(element, name, "a list may hold texts in quotes only");
            if (text->get().find(',') != std::string::npos)
                return refuse(element, name, "a list's text may not hold a comma");
            if (!joined.empty()) joined += ',';
            joined += text->get();
        }
        out.push_back({name, std::move(joined), TomlKind::kList, array.source().begin.line});
        return {};
    }

    Result<void> leaf(const std::string& name, const toml::node& node) {
        const auto add = [&](std::string text, TomlKind kind) {
            out.push_back({name, std::move(text), kind, node.source().begin.line});
        };
        if (const auto* text = node.as_string()) {
            add(text->get(), TomlKind::kText);
        } else if (const auto* number = node.as_integer()) {
            add(std::to_string(number->get()), TomlKind::kNumber);
        } else if (const auto* flag = node.as_boolean()) {
            add(flag->get() ? "true" : "false", TomlKind::kBool);
        } else if (const auto* array = node.as_array()) {
            return list(name, *array);
        } else {
            return refuse(node, name, "expected a text in quotes, a whole number, true, false or a list");
        }
        return {};
    }

    Result<void> table(const std::string& prefix, const toml::table& table, std::size_t depth) {
        for (const auto& [key, node] : table) {
            const std::string name = prefix.empty() ? std::string{key.str()} : fmt::format("{}.{}", prefix, key.str());
            if (depth > kMaxDepth) return refuse(node, prefix, "unknown key");
            const auto* inner = node.as_table();
            const auto done = inner != nullptr ? this->table(name, *inner, depth + 1) : leaf(name, node);
            if (!done) return fail(done.error());
        }
        return {};
    }
};

}  // namespace

Result<std::vector<TomlSetting>> read_toml(std::string_view text, std::string_view file_name) {
    if (text.size() > kMaxFile) return fail(Code::kBadRequest, fmt::format("{}: larger than 1 MiB", file_name));
    if (nests_too_deep(text)) return fail(Code::kBadRequest, fmt::format("{}: too many dots in one line", file_name));
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        const auto& error = parsed.error();
        return fail(Code::kBadRequest, fmt::format("{}:{}: not valid TOML: {}", file_name, error.source().begin.line,
                                                   error.description()));
    }
    Flattener flat{file_name, {}};
    if (const auto done = flat.table("", parsed.table(), 0); !done) return fail(done.error());
    std::stable_sort(flat.out.begin(), flat.out.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
    return std::move(flat.out);
}

}  // namespace parley::config_detail
