#pragma once
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/stomp_decoder.h"

namespace parley::wire {

/// Writes down each event as a line: `SEND{destination=/a,x=1}body`, `beat`. A CONNECT with
/// accept-version sets that version, as the gateway does.
class StompRecorder final : public StompDecoder::Handler {
public:
    explicit StompRecorder(StompDecoder& decoder) : decoder_(decoder) {}

    Flow on_frame(const StompFrame& frame) override {
        const std::string line = headers_of(frame);
        if (!announced.empty() && announced != line) std::abort();  // they do not change with the body's arrival
        announced.clear();
        events.push_back(line + std::string{frame.body});
        if (frame.command == StompCommand::kConnect) {
            decoder_.set_version(negotiate_version(frame.find("accept-version")).value_or(StompVersion::k12));
        }
        return pause_after_frame ? Flow::kPause : Flow::kContinue;
    }
    void on_headers(const StompFrame& frame) override { announced = headers_of(frame); }
    void on_heartbeat() override { events.emplace_back("beat"); }

    std::vector<std::string> events;
    std::string announced;  ///< of the frame whose end has not come
    bool pause_after_frame = false;

private:
    static std::string headers_of(const StompFrame& frame) {
        std::string line{name(frame.command)};
        line += '{';
        for (const StompHeader& header : frame.headers) {
            if (&header != frame.headers.data()) line += ',';
            line.append(header.name).append("=").append(header.value);
        }
        return line + '}';
    }

    StompDecoder& decoder_;
};

inline std::string describe(const StompFault& fault) {
    std::string line = fault.kind == StompFault::Kind::kTooLarge ? "too large: " : "fault: ";
    line += fault.message;
    if (fault.receipt_id) line += " (" + *fault.receipt_id + ")";
    return line;
}

/// Feeds `bytes` in pieces of `step` (0: at once), a fault ending the events.
inline std::vector<std::string> decode_stomp(std::string_view bytes, std::size_t step = 0,
                                             StompVersion version = StompVersion::k12, StompLimits limits = {}) {
    StompDecoder decoder{limits, version};
    StompRecorder recorder{decoder};
    if (step == 0) step = std::max<std::size_t>(bytes.size(), 1);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const StompFed fed = decoder.feed(bytes.substr(at, step), recorder);
        if (fed.fault) {
            recorder.events.push_back(describe(*fed.fault));
            break;
        }
    }
    return recorder.events;
}

}  // namespace parley::wire
