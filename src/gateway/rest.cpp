#include "gateway/rest.h"

#include <array>

#include "gateway/cors.h"
#include "gateway/handshake.h"
#include "gateway/rest_path.h"

namespace parley::gateway {
namespace {

/// Of everything but a message: ids, names and passwords.
constexpr Bytes kBody = 64_KiB;

bool is_ours(std::string_view path) { return path.starts_with("/api/") || path.starts_with("/v1/"); }

}  // namespace

std::span<const Rest::Route> Rest::routes() {
    static constexpr std::array kRoutes{
        Route{"POST", "/v1/member/register", &Rest::register_account, Access::kAnybody},
        Route{"POST", "/v1/auth/login", &Rest::login, Access::kAnybody},
        Route{"POST", "/v1/auth/logout", &Rest::logout},
        Route{"POST", "/v1/auth/refresh", &Rest::refresh},
        Route{"POST", "/v1/auth/ticket", &Rest::ticket},
        Route{"GET", "/api/rooms", &Rest::list_rooms},
        Route{"POST", "/api/rooms", &Rest::create_room},
        Route{"GET", "/api/rooms/{room}", &Rest::show_room},
        Route{"POST", "/api/rooms/{room}", &Rest::configure_room},
        Route{"PATCH", "/api/rooms/{room}", &Rest::configure_room},
        Route{"POST", "/api/rooms/{room}/join", &Rest::join},
        Route{"POST", "/api/rooms/{room}/leave", &Rest::leave},
        Route{"GET", "/api/rooms/{room}/members", &Rest::list_members},
        Route{"POST", "/api/rooms/{room}/members", &Rest::invite},
        Route{"DELETE", "/api/rooms/{room}/members/{member}", &Rest::kick},
        Route{"GET", "/api/rooms/{room}/read", &Rest::show_read_mark},
        Route{"POST", "/api/rooms/{room}/read", &Rest::raise_read_mark},
        Route{"GET", "/api/rooms/{room}/messages", &Rest::show_history},
        Route{"POST", "/api/rooms/{room}/messages", &Rest::post_message},
        Route{"GET", "/api/rooms/{room}/replay", &Rest::replay},
        Route{"GET", "/api/rooms/{room}/stream", &Rest::stream_room},
        Route{"GET", "/api/notifications/stream", &Rest::stream_notifications},
        Route{"GET", "/api/messages", &Rest::poll},
        Route{"GET", "/api/messages/longpoll", &Rest::long_poll},
    };
    return kRoutes;
}

Bytes Rest::body_limit(const wire::HttpRequest& request) const {
    // JSON may write every byte of the content as \u00xx.
    if (request.path.ends_with("/messages")) return Bytes{6 * core_.options().message.count + kBody.count};
    return kBody;
}

bool Rest::serve(const ExchangeRef& exchange) {
    const wire::HttpRequest& request = exchange->request();
    if (!is_ours(request.path)) return false;
    const auto segments = wire::split_path(request.path);
    if (!segments) {
        exchange->refuse(segments.error());
        return true;
    }
    auto call = std::make_shared<RestCall>(exchange, core_.services());
    call->enveloped = request.path.starts_with("/v1/");
    const Route* found = nullptr;
    std::vector<std::string_view> methods;
    for (const Route& route : routes()) {
        auto values = match_path(route.pattern, *segments);
        if (!values) continue;
        methods.push_back(route.method);
        if (found != nullptr || !takes_method(route.method, request.method)) continue;
        found = &route;
        call->values = std::move(*values);
    }
    if (methods.empty()) {
        if (call->enveloped) call->refuse({Code::kNotFound, {}});
        return call->enveloped;
    }
    const std::string allow = allow_field(methods);
    if (!admit_origin(core_.options(), *exchange)) {
        call->refuse({Code::kOriginForbidden, {}});
    } else if (request.method == "OPTIONS") {
        answer_options(*exchange, allow);
    } else if (found == nullptr) {
        call->refuse({Code::kMethodNotAllowed, {}}, {{"Allow", allow}});
    } else {
        run(*found, call);
    }
    return true;
}

void Rest::run(const Route& route, const RestCallRef& call) {
    if (core_.services().draining) {
        call->refuse({Code::kDraining, {}});
        return;
    }
    auto query = wire::QueryParams::parse(call->request().query);
    if (!query) {
        call->refuse(query.error());
        return;
    }
    call->query = std::move(*query);
    if (route.access == Access::kAnybody) {
        (this->*route.handler)(call);
        return;
    }
    authenticate(core_, request_token(call->request()), [this, call, &route](Result<Identity> identity) {
        if (!identity) {
            call->refuse(identity.error());
            return;
        }
        call->identity = std::move(*identity);
        if (!call->values.empty()) {
            auto room = RoomId::parse(call->values.front());
            if (!room) {
                call->refuse({Code::kRoomNotFound, "no room can have this id"});
                return;
            }
            call->room = std::move(*room);
        }
        (this->*route.handler)(call);
    });
}

RoomJudge Rest::judge(const RestCallRef& call, auth::Operation operation) {
    return {core_.services().directory, operation, call->room, call->member(), core_.options().auto_create};
}

void Rest::in_turn(const RestCallRef& call, auth::Operation operation, UniqueFunction<void(RoomEntry, RoomTurn)> then) {
    core_.services().room_turns.take(
        call->room, core_.loop(), [this, call, operation, then = std::move(then)](RoomTurn turn) mutable {
            in_room(
                call, operation, [](const RoomEntry& entry) { return Result<RoomEntry>{entry}; },
                [turn = std::move(turn), then = std::move(then)](RoomEntry entry) mutable {
                    then(std::move(entry), std::move(turn));
                });
        });
}

void Rest::change(const RestCallRef& call, RoomTurn turn, const RoomChange& change, std::string nickname,
                  std::string text, UniqueFunction<void()> then) {
    core_.chat().change(call->speaker(), call->room, change, std::move(nickname), std::move(text),
                        [call, turn = std::move(turn), then = std::move(then)](Result<RoomSeq> changed) mutable {
                            if (changed) {
                                then();
                            } else {
                                call->refuse(changed.error());
                            }
                        });
}

}  // namespace parley::gateway
