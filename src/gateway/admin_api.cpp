#include "gateway/admin_api.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <memory>

#include "gateway/admin_members.h"
#include "gateway/admin_replay.h"
#include "gateway/core.h"
#include "gateway/notifications.h"
#include "gateway/rest_json.h"

namespace parley::gateway {
namespace {

struct Broadcast {
    std::string event = "broadcast";
    std::string data;
};

/// `{"event":"maintenance","data":…}`: a text goes out as it is, anything else as JSON.
Result<Broadcast> parse_broadcast(std::string_view body) {
    boost::system::error_code error;
    const auto json = boost::json::parse(body, error);
    if (error || !json.is_object()) return fail(Code::kInvalidPayload, "the body must be a JSON object");
    Broadcast broadcast;
    if (const auto* event = json.as_object().if_contains("event")) {
        if (!event->is_string() || !is_event_name(std::string_view{event->as_string()})) {
            return fail(Code::kInvalidPayload,
                        "event must have 1 to 64 characters, no control characters, and be no word of streams'");
        }
        broadcast.event = std::string_view{event->as_string()};
    }
    const auto* data = json.as_object().if_contains("data");
    if (data == nullptr) return fail(Code::kInvalidPayload, "data is missing");
    broadcast.data =
        data->is_string() ? std::string{std::string_view{data->as_string()}} : boost::json::serialize(*data);
    return broadcast;
}

void serve_broadcast(Core& core, const AdminCallRef& call) {
    auto parsed = parse_broadcast(call->exchange->request().body);
    if (!parsed) {
        call->exchange->refuse(parsed.error());
        return;
    }
    broadcast(
        core, parsed->event, std::move(parsed->data), [call, event = parsed->event](const Result<RoomSeq>& stored) {
            if (stored) {
                call->exchange->respond_json(201, JsonObject{}.text("event", event).number("seq", stored->value).str());
            } else {
                call->exchange->refuse(stored.error());
            }
        });
}

/// What other parts of the server let operators read.
bool serve_reading(Core& core, const ExchangeRef& exchange) {
    const wire::HttpRequest& request = exchange->request();
    if (!core.services().admin_read || request.method != "GET" || !request.path.starts_with("/admin/api/"))
        return false;
    auto query = wire::QueryParams::parse(request.query);
    if (!query) {
        exchange->refuse(query.error());
        return true;
    }
    core.asker().ask([&services = core.services(), path = std::string{request.path},
                      query = std::move(*query)] { return services.admin_read(path, query); },
                     [exchange](const Result<std::optional<std::string>>& json) {
                         if (!json) {
                             exchange->refuse(json.error());
                         } else if (!*json) {
                             exchange->refuse({Code::kNotFound, "there is nothing at this path"});
                         } else {
                             exchange->respond_json(200, **json);
                         }
                     });
    return true;
}

bool serve_replays(Core& core, const ExchangeRef& exchange) {
    const wire::HttpRequest& request = exchange->request();
    if (!core.services().open_replay || request.path != "/admin/api/replay") return false;
    if (request.method == "GET" || request.method == "HEAD") {
        serve_replay(core, std::make_shared<AdminCall>(exchange, core.services()));
    } else {
        refuse_method(exchange, "GET, HEAD");
    }
    return true;
}

struct Order {
    std::string_view path;
    void (*serve)(Core&, const AdminCallRef&);
};
constexpr std::array kOrders{Order{"/admin/api/broadcast", serve_broadcast}, Order{"/admin/api/revoke", serve_revoke},
                             Order{"/admin/api/kick", serve_kick}};

}  // namespace

bool serve_admin_api(Core& core, const ExchangeRef& exchange) {
    const auto* const found = std::ranges::find(kOrders, exchange->request().path, &Order::path);
    if (found == kOrders.end()) return serve_replays(core, exchange) || serve_reading(core, exchange);
    if (exchange->request().method == "POST") {
        found->serve(core, std::make_shared<AdminCall>(exchange, core.services()));
    } else {
        refuse_method(exchange, "POST");
    }
    return true;
}

}  // namespace parley::gateway
