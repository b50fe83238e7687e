#include "metrics.h"

#include "gateway/core.h"

namespace parley::app {

std::vector<metrics::GaugeHandle> server_gauges(metrics::Registry& registry, gateway::Services& services,
                                                log::EmbeddedLog& log) {
    std::vector<metrics::GaugeHandle> gauges;
    const auto sum = [&services](auto read) {
        return [&services, read] {
            double total = 0;
            for (gateway::Core* core : services.cores) {
                if (core != nullptr) total += static_cast<double>(read(*core));
            }
            return total;
        };
    };
    gauges.push_back(registry.gauge("parley_connections", "Open connections",
                                    sum([](gateway::Core& core) { return core.connections().count(); })));
    gauges.push_back(registry.gauge("parley_queue_bytes", "Bytes waiting in connections' send queues",
                                    sum([](gateway::Core& core) { return core.connections().queued_bytes(); })));
    gauges.push_back(registry.gauge("parley_sessions", "Open sessions",
                                    [&services] { return static_cast<double>(services.sessions.load()); }));
    const auto of_log = [&](const char* name, const char* help, auto read) {
        gauges.push_back(registry.gauge(name, help, [&log, read] { return static_cast<double>(read(log.stats())); }));
    };
    of_log("parley_log_messages", "Messages stored since the start", [](const log::LogStats& s) { return s.messages; });
    of_log("parley_log_commits", "Commits since the start", [](const log::LogStats& s) { return s.commits; });
    of_log("parley_log_repeats", "Messages that were repeats", [](const log::LogStats& s) { return s.repeats; });
    of_log("parley_log_refused", "Appends refused by the store", [](const log::LogStats& s) { return s.refused; });
    of_log("parley_log_queue_bytes", "Bytes waiting for a commit",
           [](const log::LogStats& s) { return s.queue_bytes; });
    of_log("parley_log_available", "1 while messages can be stored",
           [](const log::LogStats& s) { return s.available; });
    of_log("parley_log_commit_seconds_total", "Time spent in commits",
           [](const log::LogStats& s) { return static_cast<double>(s.commit_time_us) / 1e6; });
    for (std::size_t i = 0; i < log::LogStats::kCommitBoundsUs.size() + 1; ++i) {
        const std::string bound = i < log::LogStats::kCommitBoundsUs.size()
                                      ? std::to_string(log::LogStats::kCommitBoundsUs[i]) + "us"
                                      : "more";
        gauges.push_back(registry.gauge("parley_log_commits_by_time",
                                        "Commits since the start that took at most the bound (and more than the last)",
                                        [&log, i] { return static_cast<double>(log.stats().commit_time[i]); },
                                        {{"up_to", bound}}));
    }
    return gauges;
}

}  // namespace parley::app
