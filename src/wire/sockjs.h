#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace parley::wire {

/// SockJS 0.3.3 as sockjs-node 0.3.24 speaks it: addresses and frames, without sessions and timers.
/// The frames here go into a WebSocket message as they are, and with a line feed behind each over
/// xhr and xhr-streaming.

inline constexpr std::string_view kSockJsGreeting = "Welcome to SockJS!\n";
inline constexpr std::string_view kSockJsOpen = "o";
inline constexpr std::string_view kSockJsHeartbeat = "h";
/// A streaming response ends once it has carried that much, so that the browser frees it.
inline constexpr Bytes kSockJsResponseLimit = 128_KiB;
/// xhr-streaming begins with 2048 `h` and a line feed, which gets proxies and browsers going.
inline constexpr std::size_t kSockJsPreludeSize = 2049;
[[nodiscard]] std::string_view sockjs_prelude() noexcept;

/// The three texts of a refused payload; the first two are bodies of a 500.
inline constexpr std::string_view kSockJsPayloadExpected = "Payload expected.";
inline constexpr std::string_view kSockJsBrokenJson = "Broken JSON encoding.";
inline constexpr std::string_view kSockJsBrokenFraming = "Broken framing.";  ///< closes a websocket with 3000

enum class SockJsSource : bool { kHttp, kWebSocket };

/// The messages in one payload: an array of strings; over WebSocket also one string, or nothing at
/// all, which is ignored. Error: kInvalidPayload with one of the texts above, ready to be sent.
[[nodiscard]] Result<std::vector<std::string>> parse_sockjs_messages(std::string_view payload, SockJsSource source);

/// Appends `text`, valid UTF-8, as a JSON string in SockJS's escaping: as JSON.stringify does, and
/// U+200C–200F, 2028–202F, 2060–206F, FFF0–FFFF and everything above U+FFFF as `\uxxxx`.
void append_sockjs_string(std::string& out, std::string_view text);
/// The same without the quotation marks: pieces of a string may be escaped one by one.
void append_sockjs_escaped(std::string& out, std::string_view text);
/// `a["…","…"]`.
void append_sockjs_array(std::string& out, std::span<const std::string_view> messages);
/// `c[3000,"Go away!"]`.
[[nodiscard]] std::string sockjs_close_frame(int code, std::string_view reason);
/// The body of `/info`.
[[nodiscard]] std::string sockjs_info(bool websocket, bool cookie_needed, std::uint32_t entropy);

enum class SockJsResource : std::uint8_t { kGreeting, kInfo, kIframe, kRawWebSocket, kSession };
enum class SockJsTransport : std::uint8_t {
    kWebSocket,
    kXhr,
    kXhrSend,
    kXhrStreaming,
    kEventSource,
    kHtmlFile,
    kJsonp,
    kJsonpSend,
};

/// What an address under a SockJS prefix names. The views are into the path.
struct SockJsPath {
    SockJsResource resource = SockJsResource::kGreeting;
    std::string_view server;   ///< of a session; picks a back end and means nothing here
    std::string_view session;  ///< of a session; still percent-encoded, compared as it is
    SockJsTransport transport = SockJsTransport::kWebSocket;
};

/// `rest` is the raw path behind the prefix: empty, or beginning with `/`. nullopt is a 404: an
/// unknown transport, an empty part, one of more than 128 bytes, one with a dot, an escaped dot, slash or control
/// character, or a broken escape.
[[nodiscard]] std::optional<SockJsPath> parse_sockjs_path(std::string_view rest) noexcept;

}  // namespace parley::wire
