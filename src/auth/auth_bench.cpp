#include <benchmark/benchmark.h>

#include "auth/acl.h"
#include "auth/jwt.h"
#include "auth/passwords.h"
#include "auth/rate_limit.h"
#include "auth/test_keys.h"
#include "base/clock.h"

namespace parley::auth {
namespace {

const SystemClock kClock;

void verify(benchmark::State& state, const TokenKeys& keys) {
    const Claims claims{.member = MemberId::trusted("u-7"), .nickname = "앨리스"};
    const std::string token = *keys.sign(claims, kClock.wall(), seconds{3600});
    for (auto _ : state) benchmark::DoNotOptimize(keys.verify(token, kClock.wall()));
}

void verify_hs256(benchmark::State& state) {
    verify(state, *TokenKeys::load({.secret = "0123456789abcdef0123456789abcdef"}));
}
void verify_rs256(benchmark::State& state) {
    const TestKeyPair pair{"RSA"};
    verify(state, *TokenKeys::load({.algorithm = "RS256", .public_key = pair.private_file()}));
}
void verify_es256(benchmark::State& state) {
    const TestKeyPair pair{"EC"};
    verify(state, *TokenKeys::load({.algorithm = "ES256", .public_key = pair.private_file()}));
}
BENCHMARK(verify_hs256);
BENCHMARK(verify_rs256);
BENCHMARK(verify_es256);

void password_hash(benchmark::State& state) {
    const Passwords passwords;
    for (auto _ : state) benchmark::DoNotOptimize(passwords.hash("correct horse battery staple"));
}
BENCHMARK(password_hash)->Unit(benchmark::kMillisecond);

void send_rate(benchmark::State& state) {
    RateLimits limits{{}};
    SendRate rate = limits.send("u-7", kClock.steady());
    for (auto _ : state) benchmark::DoNotOptimize(rate.take(kClock.steady()));
}
BENCHMARK(send_rate);

void handshake_rate_of_ever_new_addresses(benchmark::State& state) {
    RateLimits limits{{}};
    std::uint64_t address = 0;
    for (auto _ : state) benchmark::DoNotOptimize(limits.handshake(std::to_string(++address), kClock.steady()));
}
BENCHMARK(handshake_rate_of_ever_new_addresses);

void decide_subscribe(benchmark::State& state) {
    const store::RoomInfo room{RoomId::trusted("r-42"), "", store::RoomKind::kChat, store::Visibility::kPublic, {}, {}};
    for (auto _ : state) {
        benchmark::DoNotOptimize(decide({.operation = Operation::kSubscribe,
                                         .destination = parse_destination(Profile::kGame, "/sub/chat/room/r-42"),
                                         .room = room}));
    }
}
BENCHMARK(decide_subscribe);

}  // namespace
}  // namespace parley::auth
