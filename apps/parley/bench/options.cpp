#include "bench/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "bench/stamp.h"

namespace parley::bench {
namespace {

constexpr std::size_t kMaxPayload = 64 * 1024;

/// Of a hundred messages of a chat, so many have this size or the one before at most.
struct Share {
    unsigned percent;
    std::size_t bytes;
};
constexpr std::array<Share, 5> kChat{{{45, 48}, {75, 96}, {92, 240}, {99, 1000}, {100, 4000}}};

struct Mix {
    const char* name;
    int connections;
    int rooms;
    int senders;
    int in_flight;
    double rate;
};
/// bench/README.md says what they stand for.
constexpr std::array<Mix, 4> kMixes{{
    {"A", 1000, 1, 1, 64, 0},
    {"B", 1000, 1, 1, 1, 100},
    {"C", 5000, 500, 500, 1, 0},
    {"D", 10'000, 100, 100, 1, 500},
}};

}  // namespace

bool LoadOptions::take_mix(const std::string& name) {
    const auto found =
        std::find_if(kMixes.begin(), kMixes.end(), [&name](const Mix& known) { return name == known.name; });
    if (found == kMixes.end()) return false;
    mix = name;
    connections = found->connections;
    rooms = found->rooms;
    senders = found->senders;
    in_flight = found->in_flight;
    rate = found->rate;
    payload = "64";
    return true;
}

Result<> LoadOptions::settle() {
    if (idle) senders = 0;
    if (rooms > connections) rooms = connections;
    if (senders < 0) senders = connections;
    if (subscribers < 0) subscribers = per_room();
    if (senders > connections) return fail(Code::kBadRequest, "--senders: there are fewer --connections");
    if (subscribers > per_room()) {
        return fail(Code::kBadRequest, "--subscribers: a room has no more than --connections / --rooms of them");
    }
    if (slow + stalled > 100) return fail(Code::kBadRequest, "--slow and --stalled: more than 100 percent");
    if (messages != 0 && (rate > 0 || idle)) return fail(Code::kBadRequest, "--messages: not with --rate or --idle");
    if (auto sizes = PayloadSizes::parse(payload); !sizes) return fail(sizes.error());
    return {};
}

Result<PayloadSizes> PayloadSizes::parse(const std::string& text) {
    PayloadSizes sizes;
    if (text == "chat") return sizes;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sizes.fixed_);
    if (error != std::errc{} || end != text.data() + text.size() || sizes.fixed_ < kStampSize ||
        sizes.fixed_ > kMaxPayload) {
        return fail(Code::kBadRequest, fmt::format("--payload: `chat`, or {} to {} bytes", kStampSize, kMaxPayload));
    }
    return sizes;
}

std::size_t PayloadSizes::next() noexcept {
    if (fixed_ != 0) return fixed_;
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    const unsigned drawn = random_ % 100;
    std::size_t least = kStampSize;
    for (const Share& share : kChat) {
        if (drawn < share.percent) return least + (random_ >> 8) % (share.bytes - least + 1);
        least = share.bytes;
    }
    return least;
}

std::size_t PayloadSizes::largest() const noexcept { return fixed_ != 0 ? fixed_ : kChat.back().bytes; }

}  // namespace parley::bench
