#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "wire/http_parser.h"

namespace parley::wire {

/// What became of the first request in a stream.
struct HttpOutcome {
    HttpStep step = HttpStep::kNeedMore;
    int status = 0;  ///< of the fault, 0 without one
    std::size_t consumed = 0;
    HttpRequest request;
};

/// Feeds `stream` in pieces of `piece` bytes up to the end of its first request.
inline HttpOutcome read_request(std::string_view stream, std::size_t piece, HttpLimits limits = {}) {
    HttpRequestParser parser{limits};
    HttpOutcome out;
    std::size_t arrived = 0;
    for (;;) {
        const auto progress = parser.feed(stream.substr(out.consumed, arrived - out.consumed));
        out.step = progress.step;
        out.consumed += progress.consumed;
        if (out.step == HttpStep::kHead) continue;
        if (out.step != HttpStep::kNeedMore || arrived == stream.size()) break;
        arrived += std::min(piece, stream.size() - arrived);
    }
    if (out.step == HttpStep::kFault) out.status = parser.fault().status;
    if (out.step == HttpStep::kDone) out.request = parser.take_request();
    return out;
}

}  // namespace parley::wire
