#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::wire {

/// One event of a `text/event-stream` (the WHATWG EventSource text).
struct SseEvent {
    std::string_view name = {};  ///< empty: the default one, `message`
    std::string_view id = {};    ///< empty: none, the reader keeps the one it has
    std::string_view data = {};  ///< any text: each of its lines is a `data:` line
};

/// Appends the event with the empty line that ends it. A line end or U+0000 in name or id is left out.
void append_sse_event(std::string& out, const SseEvent& event);
/// A line, in front of an event or of an empty line: what the reader waits before it connects again.
void append_sse_retry(std::string& out, std::uint32_t milliseconds);
/// Keeps proxies from closing a line where nothing is said.
inline constexpr std::string_view kSseComment = ":\n\n";

}  // namespace parley::wire
