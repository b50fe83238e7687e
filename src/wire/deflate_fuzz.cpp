#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/deflate.h"
#include "wire/deflate_offer.h"

// First byte: 0 the rest is a Sec-WebSocket-Extensions header, 1 a compressed payload, 9–15 a
// message to compress with that many window bits.

namespace {

using namespace parley::wire;

void check(bool holds) {
    if (!holds) std::abort();
}

void negotiate(std::string_view header) {
    const auto agreement = negotiate_deflate(header);
    if (!agreement) return;
    check(agreement->server_window_bits >= 9 && agreement->server_window_bits <= 15);
    const auto again = negotiate_deflate(agreement->response);
    check(again && again->response == agreement->response);
}

void expand(std::string_view payload) {
    constexpr std::size_t kLimit = 50'000;
    static Inflater inflater;
    static Inflater fresh;
    const Inflater::Outcome outcome = inflater.inflate(payload, kLimit);
    check(outcome.message.size() <= kLimit);
    const std::string message{outcome.message};
    const Inflater::Outcome wider = fresh.inflate(payload, 2 * kLimit);
    if (outcome.status == InflateStatus::kOk) {
        check(wider.status == InflateStatus::kOk && wider.message == message);
        if (!message.empty()) check(inflater.inflate(payload, message.size() - 1).status == InflateStatus::kTooLarge);
    } else {
        check(message.empty());
        check(outcome.status == InflateStatus::kTooLarge || wider.status == InflateStatus::kCorrupt);
    }
}

void round_trip(std::string_view message, int bits) {
    static DeflaterSet deflaters;
    static Inflater inflater;
    std::string payload;
    deflaters.at(bits).compress(message, payload);
    const Inflater::Outcome outcome = inflater.inflate(payload, message.size());
    check(outcome.status == InflateStatus::kOk && outcome.message == message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view rest{reinterpret_cast<const char*>(data + 1), size - 1};
    const int mode = data[0] % 16;
    if (mode == 0) negotiate(rest);
    if (mode == 1) expand(rest);
    if (mode >= Deflater::kMinWindowBits) round_trip(rest, mode);
    return 0;
}
