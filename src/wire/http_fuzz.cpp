#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/http_parser.h"

namespace {

using namespace parley::wire;
using parley::literals::operator""_B;

/// Everything a stream led to: requests, the fault, and what was consumed at each step.
struct Transcript {
    std::string text;
    std::size_t consumed = 0;
};

Transcript read_all(std::string_view stream, const std::uint8_t* cuts, std::size_t cut_count) {
    HttpRequestParser parser{HttpLimits{.head = 512_B, .body = 256_B, .headers = 8}};
    Transcript out;
    std::size_t arrived = 0;
    for (std::size_t i = 0;;) {
        const auto progress = parser.feed(stream.substr(out.consumed, arrived - out.consumed));
        out.consumed += progress.consumed;
        if (progress.step == HttpStep::kFault) {
            out.text += std::to_string(parser.fault().status) + std::string{parser.fault().text};
            return out;
        }
        if (progress.step == HttpStep::kHead) {
            out.text += "head@" + std::to_string(out.consumed);
            continue;
        }
        if (progress.step == HttpStep::kDone) {
            const HttpRequest& request = parser.request();
            if (request.body.size() > 256 || request.headers.size() > 8) std::abort();
            if (request.version_minor == 1 && request.host.empty()) std::abort();
            out.text += request.method + ' ' + request.host + ' ' + request.path + '?' + request.query + '\n';
            for (const HttpHeader& field : request.headers) out.text += field.name + ':' + field.value + '\n';
            out.text += request.body + (request.keep_alive ? "+" : "-") + std::to_string(out.consumed);
            parser.reset();
            continue;
        }
        if (out.consumed != arrived) std::abort();  // kNeedMore takes everything
        if (arrived == stream.size()) return out;
        const std::size_t piece = cut_count == 0 ? stream.size() : 1 + cuts[i++ % cut_count];
        arrived += std::min(piece, stream.size() - arrived);
    }
}

}  // namespace

/// The first byte says how many of the next are lengths of pieces; the rest is the stream.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t cut_count = std::min<std::size_t>(data[0] % 8, size - 1);
    const std::string_view stream{reinterpret_cast<const char*>(data) + 1 + cut_count, size - 1 - cut_count};
    const Transcript whole = read_all(stream, nullptr, 0);
    const Transcript cut = read_all(stream, data + 1, cut_count);
    const std::uint8_t zero = 0;
    const Transcript bytewise = read_all(stream, &zero, 1);
    if (whole.text != cut.text || whole.consumed != cut.consumed) std::abort();
    if (whole.text != bytewise.text || whole.consumed != bytewise.consumed) std::abort();
    return 0;
}
