#include "wire/deflate_offer.h"

#include <utility>
#include <vector>

namespace parley::wire {
namespace {

struct Param {
    std::string_view name;
    std::optional<std::string> value;
};
struct Extension {
    std::string_view name;
    std::vector<Param> params;
};

bool is_token_char(char c) noexcept {
    if (c <= ' ' || c == '\x7F' || static_cast<unsigned char>(c) >= 0x80) return false;
    return std::string_view{"()<>@,;:\\\"/[]?={}"}.find(c) == std::string_view::npos;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const char lower = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] + ('a' - 'A')) : a[i];
        if (lower != b[i]) return false;
    }
    return true;
}

/// Reads RFC 6455 section 9.1's grammar.
class Scanner {
public:
    explicit Scanner(std::string_view text) noexcept : rest_(text) {}

    /// nullopt: not well formed.
    std::optional<std::vector<Extension>> extensions() {
        std::vector<Extension> list;
        while (true) {
            while (take(',')) {
            }
            if (rest_.empty()) return list;
            Extension extension;
            extension.name = token();
            if (extension.name.empty()) return std::nullopt;
            while (take(';')) {
                Param param;
                param.name = token();
                if (param.name.empty()) return std::nullopt;
                if (take('=')) {
                    param.value = value();
                    if (!param.value) return std::nullopt;
                }
                extension.params.push_back(std::move(param));
            }
            list.push_back(std::move(extension));
            skip_space();
            if (!rest_.empty() && rest_.front() != ',') return std::nullopt;
        }
    }

private:
    void skip_space() noexcept {
        while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
    }
    bool take(char c) noexcept {
        skip_space();
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view token() noexcept {
        skip_space();
        std::size_t length = 0;
        while (length < rest_.size() && is_token_char(rest_[length])) ++length;
        const std::string_view found = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return found;
    }
    /// A token, or a quoted string that holds one.
    std::optional<std::string> value() {
        std::string text;
        if (!take('"')) {
            text = token();
        } else {
            while (true) {
                if (rest_.empty()) return std::nullopt;
                char c = rest_.front();
                rest_.remove_prefix(1);
                if (c == '"') break;
                if (c == '\\') {
                    if (rest_.empty()) return std::nullopt;
                    c = rest_.front();
                    rest_.remove_prefix(1);
                }
                if (!is_token_char(c)) return std::nullopt;
                text += c;
            }
        }
        if (text.empty()) return std::nullopt;
        return text;
    }

    std::string_view rest_;
};

/// A decimal 8–15 without leading zeros.
std::optional<int> window_bits(std::string_view text) noexcept {
    if (text == "8" || text == "9") return text.front() - '0';
    if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5') return 10 + (text[1] - '0');
    return std::nullopt;
}

std::optional<DeflateAgreement> judge(const Extension& offer) {
    bool server_takeover = false;
    bool client_takeover = false;
    bool client_bits = false;
    std::optional<int> server_bits;
    for (const Param& param : offer.params) {
        if (equals_ignoring_case(param.name, "server_no_context_takeover")) {
            if (param.value || std::exchange(server_takeover, true)) return std::nullopt;
        } else if (equals_ignoring_case(param.name, "client_no_context_takeover")) {
            if (param.value || std::exchange(client_takeover, true)) return std::nullopt;
        } else if (equals_ignoring_case(param.name, "client_max_window_bits")) {
            if (std::exchange(client_bits, true)) return std::nullopt;
            if (param.value && !window_bits(*param.value)) return std::nullopt;
        } else if (equals_ignoring_case(param.name, "server_max_window_bits")) {
            if (server_bits || !param.value) return std::nullopt;
            server_bits = window_bits(*param.value);
            if (!server_bits || *server_bits == 8) return std::nullopt;
        } else {
            return std::nullopt;
        }
    }
    DeflateAgreement agreement;
    agreement.response = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    if (server_bits) {
        agreement.server_window_bits = *server_bits;
        agreement.response += "; server_max_window_bits=" + std::to_string(*server_bits);
    }
    return agreement;
}

}  // namespace

std::optional<DeflateAgreement> negotiate_deflate(std::string_view extensions) {
    const auto offers = Scanner{extensions}.extensions();
    if (!offers) return std::nullopt;
    for (const Extension& offer : *offers) {
        if (!equals_ignoring_case(offer.name, "permessage-deflate")) continue;
        if (auto agreement = judge(offer)) return agreement;
    }
    return std::nullopt;
}

}  // namespace parley::wire
