#include "wire/json.h"

#include <simdjson.h>

#include <algorithm>

#include "wire/json_escapes.h"

namespace parley::wire {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kKeptCapacity = 256 * 1024;  // above it a parser is used once and freed

/// A parser for one document: the thread's own, or a passing one for a large document.
class Parser {
public:
    explicit Parser(std::string_view json) : json_(json) {
        if (json.size() > kKeptCapacity) own_.emplace();
    }
    simdjson::simdjson_result<dom::element> parse() {
        dom::parser& parser = own_ ? *own_ : shared();
        if (parser.max_depth() != kMaxDepth) {
            if (const auto error = parser.allocate(std::max<std::size_t>(json_.size(), 4096), kMaxDepth)) return error;
        }
        return parser.parse(json_.data(), json_.size());
    }

private:
    static dom::parser& shared() {
        thread_local dom::parser parser{kKeptCapacity};
        return parser;
    }

    std::string_view json_;
    std::optional<dom::parser> own_;
};

Result<dom::object> parse_object(Parser& parser) {
    dom::object object;
    if (const auto error = parser.parse().get(object)) {
        return fail(Code::kInvalidPayload,
                    error == simdjson::INCORRECT_TYPE ? "the body is not a JSON object" : "the body is not valid JSON");
    }
    return object;
}

tl::unexpected<Error> wrong_type(std::string_view field, std::string_view type) {
    return fail(Code::kInvalidPayload, std::string{field} + " is not " + std::string{type});
}

struct TextField {
    std::string_view key;
    ChatField field;
    std::optional<std::string> ChatBody::*member;
};
constexpr TextField kTextFields[] = {
    {"type", ChatField::kType, &ChatBody::type},          {"roomId", ChatField::kRoomId, &ChatBody::room_id},
    {"content", ChatField::kContent, &ChatBody::content}, {"messageId", ChatField::kMessageId, &ChatBody::message_id},
    {"sender", ChatField::kSender, &ChatBody::sender},
};

}  // namespace

Result<ChatBody> parse_chat_body(std::string_view json, ChatFields wanted) {
    if (find_lone_surrogate(json) != std::string_view::npos) {
        return fail(Code::kInvalidPayload, "the body has half a surrogate pair");
    }
    Parser parser{json};
    const auto object = parse_object(parser);
    if (!object) return fail(object.error());
    ChatBody body;
    unsigned seen = 0;
    const auto first_time = [&](ChatField field) {
        const auto bit = static_cast<unsigned>(field);
        const bool first = (seen & bit) == 0;
        seen |= bit;
        return first && wanted.has(field);
    };
    for (const auto [key, value] : *object) {
        for (const TextField& field : kTextFields) {
            if (key != field.key || !first_time(field.field) || value.is_null()) continue;
            std::string_view text;
            if (value.get(text)) return wrong_type(field.key, "a string");
            (body.*field.member).emplace(text);
        }
        if (key == "seq" && first_time(ChatField::kSeq) && !value.is_null()) {
            std::uint64_t seq = 0;
            if (value.get(seq)) return wrong_type("seq", "a whole number ≥ 0");
            body.seq = seq;
        }
    }
    return body;
}

Result<JsonFields> JsonFields::parse(std::string_view json, std::initializer_list<std::string_view> names) {
    if (find_lone_surrogate(json) != std::string_view::npos) {
        return fail(Code::kInvalidPayload, "the body has half a surrogate pair");
    }
    Parser parser{json};
    const auto object = parse_object(parser);
    if (!object) return fail(object.error());
    JsonFields fields;
    std::vector<std::string_view> left{names};
    for (const auto [key, value] : *object) {
        const auto name = std::find(left.begin(), left.end(), key);
        if (name == left.end()) continue;
        left.erase(name);
        std::string_view text;
        std::int64_t number = 0;
        bool flag = false;
        if (value.is_null()) continue;
        if (!value.get(text)) {
            fields.fields_.emplace_back(key, std::string{text});
        } else if (!value.get(number)) {
            fields.fields_.emplace_back(key, number);
        } else if (!value.get(flag)) {
            fields.fields_.emplace_back(key, flag);
        } else {
            return wrong_type(key, "a string, a whole number or a boolean");
        }
    }
    return fields;
}

template <class T>
Result<std::optional<T>> JsonFields::get(std::string_view name, std::string_view type) const {
    for (const auto& [key, value] : fields_) {
        if (key != name) continue;
        if (const T* found = std::get_if<T>(&value)) return std::optional<T>{*found};
        return wrong_type(name, type);
    }
    return std::optional<T>{};
}

Result<std::optional<std::string>> JsonFields::text(std::string_view name) const {
    return get<std::string>(name, "a string");
}
Result<std::optional<std::int64_t>> JsonFields::integer(std::string_view name) const {
    return get<std::int64_t>(name, "a whole number");
}
Result<std::optional<bool>> JsonFields::flag(std::string_view name) const { return get<bool>(name, "true or false"); }

bool JsonFields::has(std::string_view name) const noexcept {
    return std::any_of(fields_.begin(), fields_.end(), [name](const auto& field) { return field.first == name; });
}

JsonStrings parse_json_strings(std::string_view json) {
    const auto mended = replace_lone_surrogates(json);
    if (mended) json = *mended;
    using Kind = JsonStrings::Kind;
    Parser parser{json};
    dom::element root;
    if (parser.parse().get(root)) return {};
    JsonStrings out;
    std::string_view text;
    if (!root.get(text)) {
        out.kind = Kind::kString;
        out.values.emplace_back(text);
        return out;
    }
    dom::array array;
    if (root.get(array)) return {Kind::kOther, {}};
    out.values.reserve(std::min<std::size_t>(array.size(), 4096));
    for (const dom::element element : array) {
        if (element.get(text)) return {Kind::kMixed, {}};
        out.values.emplace_back(text);
    }
    out.kind = Kind::kStrings;
    return out;
}

bool has_text(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned first = byte(i);
        if (first == 0x20 || (first >= 0x09 && first <= 0x0D)) {
            i += 1;
        } else if (first == 0xC2 && (byte(i + 1) == 0x85 || byte(i + 1) == 0xA0)) {
            i += 2;
        } else if (first >= 0xE1 && first <= 0xE3) {
            const unsigned c = (first & 0x0F) << 12 | (byte(i + 1) & 0x3F) << 6 | (byte(i + 2) & 0x3F);
            const bool white = c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
                               c == 0x202F || c == 0x205F || c == 0x3000;
            if (!white) return true;
            i += 3;
        } else {
            return true;
        }
    }
    return false;
}

}  // namespace parley::wire
