#include <benchmark/benchmark.h>

#include "wire/http_parser.h"
#include "wire/json.h"

namespace {

using namespace parley::wire;

constexpr std::string_view kHandshake =
    "GET /ws-chat/000/abcdefgh/websocket?roomId=r-42&token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1LTcifQ.c2lnbmF0dXJl "
    "HTTP/1.1\r\n"
    "Host: chat.example:8080\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36\r\n"
    "Upgrade: websocket\r\nOrigin: http://chat.example:8080\r\nSec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate\r\nAccept-Language: ko-KR,ko;q=0.9,en;q=0.8\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

void HttpParseHandshake(benchmark::State& state) {
    for (auto _ : state) {
        HttpRequestParser parser;
        benchmark::DoNotOptimize(parser.feed(kHandshake));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kHandshake.size()));
}
BENCHMARK(HttpParseHandshake);

void ChatBodyParse(benchmark::State& state) {
    constexpr std::string_view kBody =
        R"({"type":"TALK","roomId":"r-42","messageId":"0192f0c1-aaaa-7bbb-8ccc-000000000001","content":"주사위를 굴려 20, 문이 열린다."})";
    for (auto _ : state) benchmark::DoNotOptimize(parse_chat_body(kBody));
}
BENCHMARK(ChatBodyParse);

}  // namespace
