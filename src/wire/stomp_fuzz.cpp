#include <cstdint>
#include <cstdlib>
#include <optional>

#include "wire/stomp_test_support.h"

// First byte: version (modulo 3), bit 2 small limits, bit 3 pauses. Second byte: how the rest, a
// client's bytes, is cut. However it is cut, the events must be the same; and a frame read as 1.2,
// written again, must read the same.

namespace {

using namespace parley::wire;
using parley::operator""_B;
using parley::operator""_KiB;

struct Setting {
    StompVersion version;
    bool small;
    bool pause;
};

std::vector<std::string> run(std::string_view bytes, Setting setting, std::optional<unsigned> cut) {
    StompLimits limits;
    if (setting.small) limits = {.max_frame = 100_B, .max_header_block = 60_B, .max_headers = 3};
    StompDecoder decoder{limits, setting.version};
    StompRecorder recorder{decoder};
    recorder.pause_after_frame = setting.pause;
    unsigned random = cut.value_or(0);
    std::size_t at = 0;
    std::size_t end = cut ? 0 : bytes.size();
    while (at < bytes.size()) {
        if (at == end) {
            random = random * 1103515245 + 12345;
            end = std::min(bytes.size(), at + 1 + (random >> 16) % (*cut % 16 + 1));
        }
        const StompFed fed = decoder.feed(bytes.substr(at, end - at), recorder);
        if (fed.consumed == 0 || fed.consumed > end - at) std::abort();
        if (!setting.pause && fed.consumed != end - at) std::abort();
        if (fed.fault) {
            recorder.events.push_back(describe(*fed.fault));
            if (decoder.in_frame()) std::abort();
            break;
        }
        at += fed.consumed;
    }
    return recorder.events;
}

/// Writes each frame again and reads that.
class Echo final : public StompDecoder::Handler {
public:
    Flow on_frame(const StompFrame& frame) override {
        if (frame.command != StompCommand::kSend || frame.headers.size() >= 128) return Flow::kContinue;
        struct Check final : StompDecoder::Handler {
            explicit Check(const StompFrame& wanted) : expected(wanted) {}
            Flow on_frame(const StompFrame& again) override {
                auto at = again.headers.begin();
                for (const StompHeader& header : expected.headers) {
                    if (header.name == "content-length") continue;
                    if (at == again.headers.end() || at->name != header.name || at->value != header.value) std::abort();
                    ++at;
                }
                if (again.body != expected.body) std::abort();
                seen = true;
                return Flow::kContinue;
            }
            void on_heartbeat() override { std::abort(); }
            const StompFrame& expected;
            bool seen = false;
        } check{frame};
        std::string bytes;
        append_stomp_frame(bytes, "SEND", frame.headers, frame.body, StompVersion::k12);
        StompDecoder decoder{{.max_frame = 512_KiB, .max_header_block = 64_KiB}};
        if (decoder.feed(bytes, check).fault || !check.seen) std::abort();
        return Flow::kContinue;
    }
    void on_heartbeat() override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const Setting setting{static_cast<StompVersion>((data[0] & 3U) % 3), (data[0] & 4U) != 0, (data[0] & 8U) != 0};
    const std::string_view bytes{reinterpret_cast<const char*>(data + 2), size - 2};
    if (run(bytes, setting, data[1]) != run(bytes, setting, std::nullopt)) std::abort();
    if (setting.version == StompVersion::k12) {
        StompDecoder decoder;
        Echo echo;
        (void)decoder.feed(bytes, echo);
    }
    return 0;
}
