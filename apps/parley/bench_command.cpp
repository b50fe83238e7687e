#include "bench_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "auth/jwt.h"
#include "base/clock.h"
#include "base/config_keys.h"
#include "bench/parley_dialect.h"
#include "bench/plain_dialect.h"
#include "bench/rest_dialect.h"
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

using Carrier = bench::ParleyDialect::Carrier;
using Receive = bench::RestDialect::Receive;
using Kind = bench::PlainDialect::Kind;

struct Transport {
    const char* name;
    std::optional<Carrier> carrier = {};  ///< of STOMP
    std::optional<Receive> receive = {};
    std::optional<Kind> kind = {};
};
const std::array<Transport, 13> kTransports{{
    {"stomp", Carrier::kWebSocket},
    {"sockjs", Carrier::kSockJs},
    {"xhr-streaming", Carrier::kXhrStreaming},
    {"xhr-polling", Carrier::kXhrPolling},
    {"eventsource", Carrier::kEventSource},
    {"htmlfile", Carrier::kHtmlFile},
    {"jsonp", Carrier::kJsonp},
    {"sse", {}, Receive::kStream},
    {"longpoll", {}, Receive::kLongPoll},
    {"longpoll-all", {}, Receive::kLongPollAll},
    {"polling", {}, Receive::kPoll},
    {"room", {}, {}, Kind::kRoom},
    {"direct", {}, {}, Kind::kDirect},
}};

/// What does not go with that transport, in words; empty: it can be done.
std::string misfit(const Transport& transport, const BenchRequest& request) {
    const bool websocket = transport.carrier == Carrier::kWebSocket || transport.carrier == Carrier::kSockJs;
    const auto& load = request.load;
    if (request.deflate && !websocket) return "--deflate: only with --transport stomp or sockjs";
    if (request.typing && !transport.carrier) return "--typing: only over STOMP";
    if (load.churn != 0 && transport.receive == Receive::kLongPollAll) {
        return "--churn: not with --transport longpoll-all, whose members join once";
    }
    if (load.churn_resume && transport.kind) return "--churn-resume: this transport begins where it likes";
    if (transport.kind == Kind::kDirect && load.connections % 2 != 0) return "--connections: direct talks in pairs";
    return {};
}

std::unique_ptr<bench::Dialect> dialect_for(const Transport& transport, const BenchRequest& request,
                                            const bench::Target& target,
                                            std::function<std::string(const bench::Seat&)> token) {
    if (transport.carrier) {
        bench::ParleyDialect::Options how;
        how.carrier = *transport.carrier;
        how.talk = request.typing ? bench::ParleyDialect::Talk::kTyping : bench::ParleyDialect::Talk::kMessages;
        how.deflate = request.deflate;
        how.message_ids = request.message_ids;
        how.host = target.host;
        if (target.path.size() > 1) how.path = target.path;
        how.token = std::move(token);
        return std::make_unique<bench::ParleyDialect>(std::move(how));
    }
    if (transport.receive) {
        bench::RestDialect::Options how;
        how.receive = *transport.receive;
        how.send_by =
            request.send_by == "stomp" ? bench::RestDialect::SendBy::kStomp : bench::RestDialect::SendBy::kPost;
        how.every = std::chrono::milliseconds{request.poll_every};
        how.message_ids = request.message_ids;
        how.host = target.host;
        how.token = std::move(token);
        return std::make_unique<bench::RestDialect>(std::move(how));
    }
    bench::PlainDialect::Options how;
    how.kind = *transport.kind;
    how.host = target.host;
    how.pairs = request.load.connections / 2;
    how.token = std::move(token);
    return std::make_unique<bench::PlainDialect>(std::move(how));
}

}  // namespace

std::vector<std::string> bench_transports() {
    std::vector<std::string> names;
    for (const Transport& transport : kTransports) names.emplace_back(transport.name);
    return names;
}

int bench(const Config& config, const BenchRequest& request) {
    const auto fault = [](const std::string& why) {
        fmt::print(stderr, "parley: bench: {}\n", why);
        return 2;
    };
    const auto keys = token_keys(config);
    if (!keys) return fault(keys.error().message);
    bench::Seat nobody;
    nobody.member = "bench";
    if (token_for(*keys, nobody).empty()) return fault("auth.algorithm: the key that is there cannot sign");
    const Transport& transport = *std::ranges::find(kTransports, request.transport, &Transport::name);
    if (const std::string why = misfit(transport, request); !why.empty()) return fault(why);
    bench::LoadOptions load = request.load;
    if (load.urls.empty()) {
        const auto listen = keys::parse_listen(config.get(keys::listen));
        if (!listen || !listen->path.empty()) return fault("listen is no address of a network; give --url");
        load.urls.push_back((listen->tls ? "wss://" : "ws://") +
                            rt::Endpoint{listen->address.host, listen->address.port}.text());
    }
    if (transport.kind) load.rooms = transport.kind == Kind::kRoom ? 1 : load.connections / 2;
    return bench::run_load(load, [&](const bench::Target& target) {
        return dialect_for(transport, request, target,
                           [&keys](const bench::Seat& seat) { return token_for(*keys, seat); });
    });
}

}  // namespace parley::app
