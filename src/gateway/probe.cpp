#include "gateway/probe.h"

#include <algorithm>

#include "base/uuid.h"
#include "gateway/core.h"
#include "gateway/health.h"

namespace parley::gateway {
namespace {
constexpr seconds kEvery{5};
}

Probe::Probe(Services& services, OwnFault own_fault)
    : services_(services),
      own_fault_(std::move(own_fault)),
      loop_(services.runtime.loop(0)),
      timer_(rt::Timer::of<&Probe::run>(this)) {
    services_.readiness = [this] { return readiness(); };
    services_.on_probe = [this](const Message& message) { seen(message); };
    loop_.post([this] { run(); });
}

void Probe::stop() {
    services_.runtime.for_each([this](rt::Loop& loop) {
        if (&loop == &loop_) timer_.cancel();
    });
}

void Probe::run() {
    Draft draft;
    draft.id = MessageId::trusted(make_uuid7(loop_.clock().wall()));
    draft.sender = MemberId::trusted("~probe");
    draft.nickname = "probe";
    draft.type = MessageType::kSystem;
    draft.content = "probe";
    {
        const std::lock_guard lock{mutex_};
        if (!waiting_for_.empty()) {
            healthy_ = false;
            if (fault_.empty()) fault_ = "a probe message did not come back within 5 s";
        }
        waiting_for_ = draft.id.str();
    }
    services_.log.append({RoomId::trusted("~probe"), {std::move(draft)}}, [this, &services = services_](auto result) {
        if (result) {
            for (std::size_t i = 0; i < services.cores.size(); ++i) {
                services.runtime.loop(i).post([&services, i] {
                    if (services.cores[i] != nullptr) services.cores[i]->chat().settle_refused();
                });
            }
            return;
        }
        const std::lock_guard lock{mutex_};
        healthy_ = false;
        fault_ = "the message store does not take messages";  // the log says why
    });
    loop_.arm(timer_, kEvery);
}

void Probe::seen(const Message& message) {
    const std::lock_guard lock{mutex_};
    if (message.id.str() != waiting_for_) return;
    waiting_for_.clear();
    fault_.clear();
    healthy_ = true;
}

Services::Readiness Probe::readiness() {
    if (services_.not_ready || services_.draining) return not_ready(Code::kDraining, "the server is shutting down");
    if (services_.memory->refuses_connections()) return not_ready(Code::kServerFull, "memory is short");
    if (const std::string own = own_fault_(); !own.empty()) return not_ready(Code::kStoreUnavailable, own);
    auto degraded = services_.shared_faults();
    {
        const std::lock_guard lock{mutex_};
        if (!healthy_ && !services_.options.log_is_shared) return not_ready(Code::kStoreUnavailable, fault_);
        if (!healthy_ && std::ranges::find(degraded, "log") == degraded.end()) degraded.emplace_back("log");
    }
    return ready(degraded, services_.options.ready_strict, services_.reader_lags);
}

}  // namespace parley::gateway
