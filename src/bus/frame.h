#pragma once
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "bus/bus.h"

namespace parley::bus {

/// Whose frame it is, and its place among those of the same server.
struct FrameHead {
    std::uint64_t server = 0;  ///< made anew at each start of a server
    std::uint64_t number = 0;  ///< from 1, one more with each frame
    WallTime sent_at{};
};

struct Frame {
    FrameHead head;
    std::variant<std::vector<MessageRef>, RoomEvent, Notice> body;
};

/// The bytes that servers send each other, whatever carries them: a format version, the head, the body, and at the end
/// 16 bytes of HMAC-SHA256 over all before it. Numbers are little-endian, texts have their length before them.
///
/// Thread: any; immutable.
/// Fails:  decode() refuses what another version wrote, what has no right MAC and what is cut short; it takes any
/// bytes.
class FrameCodec {
public:
    static constexpr std::uint8_t kVersion = 1;

    /// The first of `keys` signs, each of them is believed: so a secret can be changed server by server.
    explicit FrameCodec(std::vector<std::string> keys) : keys_(std::move(keys)) {}

    [[nodiscard]] std::string encode(const FrameHead& head, std::span<const MessageRef> messages) const;
    [[nodiscard]] std::string encode(const FrameHead& head, const RoomEvent& event) const;
    [[nodiscard]] std::string encode(const FrameHead& head, const Notice& notice) const;
    /// Error: kBadRequest, saying what is wrong with it.
    [[nodiscard]] Result<Frame> decode(std::string_view bytes) const;

private:
    [[nodiscard]] std::string seal(std::string bytes) const;
    [[nodiscard]] bool is_ours(std::string_view bytes, std::string_view mac) const;

    std::vector<std::string> keys_;
};

}  // namespace parley::bus
