#include "bench_command.h"

#include <fmt/format.h>

#include <cstdio>

#include "auth/jwt.h"
#include "base/clock.h"
#include "base/config_keys.h"
#include "bench/parley_dialect.h"
#include "bench/run.h"
#include "rt/listener.h"
#include "settings.h"

namespace parley::app {
namespace {

constexpr std::chrono::hours kTokenLife{24};

std::string token_for(const auth::TokenKeys& keys, const bench::Seat& seat) {
    auth::Claims claims;
    claims.member = MemberId::trusted(seat.member);
    claims.nickname = seat.member;
    // A key that cannot sign was refused before the first connection.
    return keys.sign(claims, SystemClock{}.wall(), kTokenLife).value_or("");
}

}  // namespace

int bench(const Config& config, const BenchRequest& request) {
    const auto fault = [](const std::string& why) {
        fmt::print(stderr, "parley: bench: {}\n", why);
        return 2;
    };
    const auto options = token_options(config);
    if (!options) return fault(options.error().message);
    const auto keys = auth::TokenKeys::load(*options);
    if (!keys) return fault(keys.error().message);
    bench::Seat nobody;
    nobody.member = "bench";
    if (token_for(*keys, nobody).empty()) return fault("auth.algorithm: the key that is there cannot sign");
    bench::LoadOptions load = request.load;
    if (load.urls.empty()) {
        const auto listen = keys::parse_listen(config.get(keys::listen));
        if (!listen || !listen->path.empty()) return fault("listen is no address of a network; give --url");
        load.urls.push_back("ws://" + rt::Endpoint{listen->address.host, listen->address.port}.text());
    }
    return bench::run_load(load, [&](const bench::Target& target) {
        bench::ParleyDialect::Options how;
        how.carrier = request.transport == "sockjs" ? bench::ParleyDialect::Carrier::kSockJs
                                                    : bench::ParleyDialect::Carrier::kWebSocket;
        how.talk = request.typing ? bench::ParleyDialect::Talk::kTyping : bench::ParleyDialect::Talk::kMessages;
        how.deflate = request.deflate;
        how.message_ids = request.message_ids;
        how.host = target.host;
        if (target.path.size() > 1) how.path = target.path;
        how.token = [&keys](const bench::Seat& seat) { return token_for(*keys, seat); };
        return std::make_unique<bench::ParleyDialect>(std::move(how));
    });
}

}  // namespace parley::app
