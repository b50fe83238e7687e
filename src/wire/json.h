#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace parley::wire {

/// Reading the JSON that clients send. Strict RFC 8259: UTF-8 only, one value, nothing behind it, at
/// most 32 levels deep, integers that fit 64 bits. A key given twice counts the first time; unknown
/// keys are ignored; `null` is the same as absent.
/// Thread: any; each thread keeps one parser, which stays small whatever it has seen.

enum class ChatField : std::uint8_t {
    kType = 1,
    kRoomId = 2,
    kContent = 4,
    kMessageId = 8,
    kSender = 16,
    kSeq = 32,
};

/// Which fields an operation reads; the rest is ignored like any unknown key, whatever it holds.
class ChatFields {
public:
    constexpr ChatFields(std::initializer_list<ChatField> fields) noexcept {
        for (const ChatField field : fields) bits_ |= static_cast<unsigned>(field);
    }
    [[nodiscard]] constexpr bool has(ChatField field) const noexcept {
        return (bits_ & static_cast<unsigned>(field)) != 0;
    }

private:
    unsigned bits_ = 0;
};
inline constexpr ChatFields kAllChatFields{ChatField::kType,      ChatField::kRoomId, ChatField::kContent,
                                           ChatField::kMessageId, ChatField::kSender, ChatField::kSeq};

/// The body of a chat operation. What is there is only known to have the right JSON type: ids,
/// message types and texts are judged by the chat layer.
struct ChatBody {
    std::optional<std::string> type;
    std::optional<std::string> room_id;
    std::optional<std::string> content;
    std::optional<std::string> message_id;
    std::optional<std::string> sender;
    std::optional<std::uint64_t> seq;
};

/// Errors, all kInvalidPayload: not a JSON object, or a wanted field of the wrong type (named), or
/// one with half a surrogate pair, which no UTF-8 text can hold.
[[nodiscard]] Result<ChatBody> parse_chat_body(std::string_view json, ChatFields wanted = kAllChatFields);

/// Named members of a flat JSON object, for REST bodies.
class JsonFields {
public:
    /// Keeps the members called one of `names` that are strings, 64-bit integers or booleans.
    /// Error: kInvalidPayload, naming the member that is an array, an object or a fraction.
    static Result<JsonFields> parse(std::string_view json, std::initializer_list<std::string_view> names);
    /// Empty when absent or null; kInvalidPayload, naming the member, when it is of another type.
    [[nodiscard]] Result<std::optional<std::string>> text(std::string_view name) const;
    [[nodiscard]] Result<std::optional<std::int64_t>> integer(std::string_view name) const;
    [[nodiscard]] Result<std::optional<bool>> flag(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const noexcept;

private:
    using Value = std::variant<std::string, std::int64_t, bool>;
    template <class T>
    [[nodiscard]] Result<std::optional<T>> get(std::string_view name, std::string_view type) const;

    std::vector<std::pair<std::string, Value>> fields_;
};

/// What a payload of SockJS is as JSON. Half a surrogate pair, legal in a JavaScript string, becomes
/// U+FFFD, as it does when a browser sends such a string over a plain WebSocket.
struct JsonStrings {
    enum class Kind : std::uint8_t {
        kBroken,   ///< not JSON
        kOther,    ///< an object, a number, true, false or null
        kMixed,    ///< an array in which something is not a string
        kString,   ///< one string: the only one of `values`
        kStrings,  ///< an array of strings, maybe empty
    };
    Kind kind = Kind::kBroken;
    std::vector<std::string> values;
};
[[nodiscard]] JsonStrings parse_json_strings(std::string_view json);

/// Whether the text has a character other than Unicode White_Space (U+3000 is one, U+200B is not).
/// `text` is valid UTF-8.
[[nodiscard]] bool has_text(std::string_view text) noexcept;
[[nodiscard]] inline bool has_nul(std::string_view text) noexcept { return text.find('\0') != std::string_view::npos; }

}  // namespace parley::wire
