#include "gateway/health_door.h"

#include "gateway/handshake.h"
#include "gateway/health.h"
#include "wire/http_response.h"

namespace parley::gateway {
namespace {
constexpr std::size_t kMostConnections = 64;
}

HealthDoor::HealthDoor(rt::Loop& loop, Door door, Parts parts)
    : loop_(loop), door_(std::move(door)), parts_(std::move(parts)), connections_(loop, {}) {
    service_.body_limit = [](const wire::HttpRequest&) { return Bytes{0}; };
    service_.serve = [this](const ExchangeRef& exchange) { serve(exchange); };
    service_.date = [this] {
        date_ = wire::format_http_date(loop_.clock().wall());
        return std::string_view{date_};
    };
}

Result<std::unique_ptr<HealthDoor>> HealthDoor::open(rt::Loop& loop, Door door, Parts parts) {
    std::unique_ptr<HealthDoor> out{new HealthDoor{loop, std::move(door), std::move(parts)}};
    auto listener = rt::Listener::open(
        loop, out->door_.at, [self = out.get()](int fd) { self->accept(fd); }, {}, rt::Listener::Port::kAlone);
    if (!listener) return fail(listener.error());
    out->listener_ = std::move(*listener);
    return out;
}

HealthDoor::~HealthDoor() {
    listener_.reset();
    connections_.close_all();
}

void HealthDoor::accept(int fd) {
    if (connections_.count() >= kMostConnections) {
        rt::turn_away(fd, {});
    } else {
        connections_.open(fd, std::make_unique<HttpSession>(loop_, service_, options_, Arrival{&door_}));
    }
}

void HealthDoor::serve(const ExchangeRef& exchange) {
    if (exchange->is_local() && !host_is_this_machine(exchange->request())) {
        exchange->refuse({Code::kOriginForbidden, "this listener is for this machine only; Host names another"});
    } else if (!serve_health(exchange, parts_.readiness, &parts_.metrics)) {
        exchange->refuse({Code::kNotFound, "there is nothing at this path"});
    }
}

}  // namespace parley::gateway
