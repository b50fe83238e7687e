#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace parley {

/// An identifier that has been checked: 1–120 of `A–Z a–z 0–9 _ . -` for rooms, 1–64 visible ASCII
/// characters for members and messages. Ids that begin with `~` are the server's own: parse()
/// refuses them, so whatever came from a client cannot name one; trusted() takes any.
template <class Tag>
class Id {
public:
    Id() = default;  ///< empty: "none"
    /// Error: kInvalidPayload, saying which rule.
    static Result<Id> parse(std::string_view text) {
        if (const char* problem = Tag::problem(text)) return fail(Code::kInvalidPayload, problem);
        return trusted(std::string{text});
    }
    /// For ids read back from our own storage or made by this server.
    static Id trusted(std::string text) {
        Id id;
        id.text_ = std::move(text);
        return id;
    }
    [[nodiscard]] const std::string& str() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
    [[nodiscard]] bool is_server_own() const noexcept { return !text_.empty() && text_.front() == '~'; }
    friend auto operator<=>(const Id&, const Id&) = default;

private:
    std::string text_;
};

struct RoomTag {
    static const char* problem(std::string_view text) noexcept;
};
struct MemberTag {
    static const char* problem(std::string_view text) noexcept;
};
struct MessageTag {
    static const char* problem(std::string_view text) noexcept;
};
using RoomId = Id<RoomTag>;
using MemberId = Id<MemberTag>;
using MessageId = Id<MessageTag>;

/// A position in one room: dense, from 1; 0 is "before the first".
struct RoomSeq {
    std::uint64_t value = 0;
    friend constexpr auto operator<=>(RoomSeq, RoomSeq) = default;
    [[nodiscard]] constexpr RoomSeq next() const noexcept { return {value + 1}; }
    [[nodiscard]] constexpr RoomSeq prev() const noexcept { return {value - 1}; }
};

/// Which life of a room a position belongs to. On the wire a decimal string.
struct Epoch {
    std::uint64_t value = 0;
    friend constexpr auto operator<=>(Epoch, Epoch) = default;
};

}  // namespace parley

template <class Tag>
struct std::hash<parley::Id<Tag>> {
    std::size_t operator()(const parley::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};
