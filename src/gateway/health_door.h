#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "gateway/door.h"
#include "gateway/http_session.h"
#include "gateway/services.h"
#include "rt/connection.h"
#include "rt/listener.h"

namespace parley::gateway {

/// How a process without a front door tells what it is up to: /health, /ready and /metrics over plain HTTP.
///
/// Thread: core-local; made, used and destroyed on its loop, where `readiness` is asked. Borrows the registry.
/// Limit:  64 connections; who comes above that is closed.
/// Fails:  open() where the door cannot be listened at, with the system's reason.
class HealthDoor {
public:
    struct Parts {
        std::function<Services::Readiness()> readiness;
        const metrics::Registry& metrics;
    };
    static Result<std::unique_ptr<HealthDoor>> open(rt::Loop& loop, Door door, Parts parts);
    ~HealthDoor();
    HealthDoor(const HealthDoor&) = delete;
    HealthDoor& operator=(const HealthDoor&) = delete;

private:
    HealthDoor(rt::Loop& loop, Door door, Parts parts);
    void accept(int fd);
    void serve(const ExchangeRef& exchange);

    rt::Loop& loop_;
    const Door door_;
    const Parts parts_;
    HttpSession::Service service_;
    const HttpSession::Options options_;
    std::string date_;
    rt::ConnectionSet connections_;
    std::unique_ptr<rt::Listener> listener_;
};

}  // namespace parley::gateway
