#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::bench {

/// What a payload says of itself: when it was meant to be sent, by whom, and its number among that sender's.
struct Stamp {
    std::int64_t sent_ns = 0;   ///< steady clock
    std::uint32_t sender = 0;   ///< number of the connection
    std::uint32_t counter = 0;  ///< 1, 2, 3, … for each sender
    friend bool operator==(const Stamp&, const Stamp&) = default;
};

/// In a payload: `bm.`, then 16 + 8 + 8 hex digits. Letters, digits and a dot only, so that no escaping changes it.
inline constexpr std::string_view kStampMark = "bm.";
inline constexpr std::size_t kStampSize = kStampMark.size() + 32;

/// Appends `size` bytes of content that begin with the stamp; at least kStampSize.
void append_payload(std::string& out, const Stamp& stamp, std::size_t size);

/// A messageId that is the stamp's alone.
void append_message_id(std::string& out, const Stamp& stamp);

/// Finds the stamp of a message. It stands mostly where it stood in the message before, counted from the end.
/// Thread: one; one for all messages of a kind.
class StampFinder {
public:
    /// False: there is none.
    [[nodiscard]] bool find(std::string_view message, Stamp& stamp) noexcept;

private:
    std::size_t from_end_ = 0;
};

/// Finds `needle`, mostly where it was in the text before, counted from the beginning. npos: not there.
class HintedSearch {
public:
    explicit HintedSearch(std::string needle) : needle_(std::move(needle)) {}
    /// The offset behind the needle.
    [[nodiscard]] std::size_t behind(std::string_view text) noexcept;

private:
    std::string needle_;
    std::size_t at_ = 0;
};

/// The digits at the front of `text`; `size` becomes their number.
[[nodiscard]] std::uint64_t leading_number(std::string_view text, std::size_t& size) noexcept;

}  // namespace parley::bench
