#pragma once
#include <functional>
#include <mutex>
#include <string>

#include "gateway/services.h"
#include "rt/loop.h"

namespace parley::gateway {

/// Every 5 s a message in the room `~probe` goes through log and bus and back: what /ready reports is that, not that
/// the process is alive. A fault that every server of a fleet has is told but leaves this one ready, unless
/// `ready.strict`: taking all of them out would help nobody. What only this server's restart ends is its own.
///
/// Thread: its timer lives on the first loop; readiness may be asked from any.
/// Order:  made before the cores; stop() before the log goes, destroyed after cores and log, which still call it.
class Probe {
public:
    /// Says what only a restart of this server ends, for who asks /ready; else empty. Any thread.
    using OwnFault = std::function<std::string()>;
    explicit Probe(
        Services& services, OwnFault own_fault = [] { return std::string{}; });
    ~Probe() { stop(); }
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;

    /// Sends no more.
    void stop();

    /// The bus brought a message of the probe's room.
    void seen(const Message& message);

private:
    void run();
    [[nodiscard]] Services::Readiness readiness();

    Services& services_;
    const OwnFault own_fault_;
    rt::Loop& loop_;
    rt::Timer timer_;
    std::mutex mutex_;
    std::string waiting_for_;  ///< message id of the probe under way
    bool healthy_ = true;
    std::string fault_;
};

}  // namespace parley::gateway
