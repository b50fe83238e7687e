#include <benchmark/benchmark.h>

#include "wire/stomp_decoder.h"

namespace parley::wire {
namespace {

class Nowhere final : public StompDecoder::Handler {
public:
    Flow on_frame(const StompFrame& frame) override {
        benchmark::DoNotOptimize(frame.body.data());
        return Flow::kContinue;
    }
    void on_heartbeat() override {}
};

std::string send_frame() {
    const StompHeader headers[]{
        {"destination", "/pub/chat/send"}, {"content-type", "application/json"}, {"receipt", "r-1842"}};
    std::string out;
    append_stomp_frame(out, "SEND", headers, R"({"type":"TALK","roomId":"r-42","content":"주사위를 굴립니다: 2d6"})",
                       StompVersion::k12);
    return out;
}

void decode_send(benchmark::State& state) {
    const std::string frame = send_frame();
    StompDecoder decoder;
    Nowhere handler;
    for (auto _ : state) benchmark::DoNotOptimize(decoder.feed(frame, handler).consumed);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_send);

void decode_send_in_two_pieces(benchmark::State& state) {
    const std::string frame = send_frame();
    const std::string_view first = std::string_view{frame}.substr(0, frame.size() / 2);
    const std::string_view second = std::string_view{frame}.substr(first.size());
    StompDecoder decoder;
    Nowhere handler;
    for (auto _ : state) {
        benchmark::DoNotOptimize(decoder.feed(first, handler).consumed);
        benchmark::DoNotOptimize(decoder.feed(second, handler).consumed);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_send_in_two_pieces);

void encode_message_tail(benchmark::State& state) {
    const StompHeader headers[]{{"destination", "/sub/chat/room/r-42"},
                                {"message-id", "r-42:1842"},
                                {"seq", "1842"},
                                {"content-type", "application/json"}};
    const std::string body(300, 'x');
    std::string out;
    for (auto _ : state) {
        out.clear();
        append_message_tail(out, headers, body, StompVersion::k12);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(encode_message_tail);

void encode_message_head(benchmark::State& state) {
    std::string out;
    for (auto _ : state) {
        out.clear();
        append_message_head(out, "sub-0", StompVersion::k12);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(encode_message_head);

}  // namespace
}  // namespace parley::wire
