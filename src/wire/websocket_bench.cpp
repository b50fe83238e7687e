#include <benchmark/benchmark.h>

#include "wire/deflate.h"
#include "wire/websocket_test_support.h"

namespace parley::wire {
namespace {

class Nowhere final : public WebSocketDecoder::Handler {
public:
    Flow on_message(Opcode, std::string_view payload) override {
        benchmark::DoNotOptimize(payload.data());
        return Flow::kContinue;
    }
    void on_ping(std::string_view) override {}
    void on_pong(std::string_view) override {}
    void on_close(std::uint16_t, std::string_view) override {}
};

void unmask_payload(benchmark::State& state) {
    std::string data(static_cast<std::size_t>(state.range(0)), 'x');
    for (auto _ : state) {
        unmask(data.data(), data.size(), {0x37, 0xFA, 0x21, 0x3D});
        benchmark::DoNotOptimize(data.data());
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(unmask_payload)->Arg(200)->Arg(16'384);

/// 64 text frames of the given size in one read. Decoding is in place, so each round copies them first.
void decode_text(benchmark::State& state) {
    std::string frames;
    for (int i = 0; i < 64; ++i) {
        frames += client_frame(Opcode::kText, std::string(static_cast<std::size_t>(state.range(0)), 'x'));
    }
    std::string bytes;
    Nowhere handler;
    for (auto _ : state) {
        bytes = frames;
        WebSocketDecoder decoder;
        benchmark::DoNotOptimize(decoder.feed(bytes, handler).consumed);
    }
    state.SetItemsProcessed(state.iterations() * 64);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(frames.size()));
}
BENCHMARK(decode_text)->Arg(20)->Arg(200)->Arg(2000);

void deflate_message(benchmark::State& state) {
    std::string message;
    while (message.size() < 300) message += R"({"content":"주사위 2d6","seq":)" + std::to_string(message.size()) + "}";
    Deflater deflater{15};
    std::string out;
    for (auto _ : state) {
        out.clear();
        deflater.compress(message, out);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(deflate_message);

void inflate_message(benchmark::State& state) {
    std::string message;
    while (message.size() < 300) message += R"({"content":"주사위 2d6","seq":)" + std::to_string(message.size()) + "}";
    std::string payload;
    Deflater{15}.compress(message, payload);
    Inflater inflater;
    for (auto _ : state) benchmark::DoNotOptimize(inflater.inflate(payload, 128 * 1024).message.data());
}
BENCHMARK(inflate_message);

}  // namespace
}  // namespace parley::wire
