#include <cstdlib>
#include <optional>

#include "wire/deflate.h"
#include "wire/utf8.h"
#include "wire/websocket_test_support.h"

// First byte: bit 0 permessage-deflate, bit 1 small limits, bit 2 pauses. Second byte: how the rest,
// a client's bytes, is cut. However it is cut, the events must be the same.

namespace {

using namespace parley::wire;
using parley::operator""_B;

struct Setting {
    bool deflate;
    bool small;
    bool pause;
};

std::vector<std::string> run(std::string bytes, Setting setting, std::optional<unsigned> cut, Inflater& inflater) {
    WebSocketLimits limits;
    if (setting.small) limits = {.max_message = 64_B, .max_fragments = 4};
    WebSocketDecoder decoder{limits, setting.deflate ? &inflater : nullptr};
    WebSocketRecorder recorder;
    recorder.pause_after_message = setting.pause;
    unsigned random = cut.value_or(0);
    std::size_t at = 0;
    std::size_t end = cut ? 0 : bytes.size();
    while (at < bytes.size()) {
        if (at == end) {
            random = random * 1103515245 + 12345;
            end = std::min(bytes.size(), at + 1 + (random >> 16) % (*cut % 16 + 1));
        }
        const WebSocketFed fed = decoder.feed({bytes.data() + at, end - at}, recorder);
        if (fed.consumed == 0 || fed.consumed > end - at) std::abort();
        if (!setting.pause && fed.consumed != end - at) std::abort();
        if (fed.fault) {
            recorder.events.push_back("fault:" + std::to_string(fed.fault->close_code) + std::string{fed.fault->text});
            if (!decoder.closed() || decoder.in_message()) std::abort();
            break;
        }
        at += fed.consumed;
    }
    return recorder.events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Inflater inflater;
    if (size < 2) return 0;
    const Setting setting{(data[0] & 1U) != 0, (data[0] & 2U) != 0, (data[0] & 4U) != 0};
    const std::string bytes{reinterpret_cast<const char*>(data + 2), size - 2};
    const auto whole = run(bytes, setting, std::nullopt, inflater);
    if (run(bytes, setting, data[1], inflater) != whole) std::abort();
    for (const std::string& event : whole) {
        if (event.starts_with("text:") && !is_valid_utf8(event)) std::abort();
    }
    return 0;
}
