#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "wire/sockjs.h"

namespace {

using namespace parley::wire;

std::string repeat(std::string_view text, std::size_t size) {
    std::string out;
    while (out.size() < size) out += text;
    return out;
}

void encode(benchmark::State& state, std::string_view text) {
    const std::string message = repeat(text, static_cast<std::size_t>(state.range(0)));
    const std::array<std::string_view, 1> messages{message};
    std::string out;
    for (auto _ : state) {
        out.clear();
        append_sockjs_array(out, messages);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * message.size()));
}
void SockJsEncodeAscii(benchmark::State& state) { encode(state, "you roll a twenty, the door opens. "); }
void SockJsEncodeKorean(benchmark::State& state) { encode(state, "주사위를 굴려 20, 문이 열린다. "); }
void SockJsEncodeStompFrame(benchmark::State& state) {
    encode(state, "MESSAGE\nsubscription:sub-0\nseq:1842\n\n{\"content\":\"안녕\",\"type\":\"TALK\"}");
}
BENCHMARK(SockJsEncodeAscii)->Arg(100)->Arg(1000)->Arg(10000);
BENCHMARK(SockJsEncodeKorean)->Arg(100)->Arg(1000)->Arg(10000);
BENCHMARK(SockJsEncodeStompFrame)->Arg(300);

void SockJsDecode(benchmark::State& state) {
    std::string payload;
    const std::array<std::string_view, 1> messages{
        "SEND\ndestination:/pub/chat/send\n\n{\"type\":\"TALK\",\"roomId\":\"r-42\",\"content\":\"안녕하세요\"}"};
    append_sockjs_array(payload, messages);
    for (auto _ : state) {
        benchmark::DoNotOptimize(parse_sockjs_messages(std::string_view{payload}.substr(1), SockJsSource::kWebSocket));
    }
}
BENCHMARK(SockJsDecode);

}  // namespace
