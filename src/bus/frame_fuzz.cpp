#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/mac.h"
#include "bus/frame.h"

namespace {

using namespace parley;

const bus::FrameCodec kCodec{{"key"}};

/// What decodes must say the same when it is encoded again.
void check(std::string_view bytes) {
    const auto frame = kCodec.decode(bytes);
    if (!frame) return;
    const std::string again =
        std::visit([&](const auto& body) { return kCodec.encode(frame->head, body); }, frame->body);
    if (again != bytes) std::abort();
}

}  // namespace

/// The input is a frame without its MAC: any bytes, and the same with a right one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 8192) return 0;
    std::string input{reinterpret_cast<const char*>(data), size};
    check(input);
    input += hmac_sha256("key", input).substr(0, 16);
    check(input);
    return 0;
}
