#include "metrics.h"

#include <limits>

#include "base/memory_account.h"
#include "gateway/core.h"

namespace parley::app {

std::vector<metrics::GaugeHandle> server_gauges(metrics::Registry& registry, gateway::Services& services,
                                                const std::function<log::LogStats()>& log_stats) {
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
    gauges.push_back(registry.gauge("parley_tls_handshakes", "TLS handshakes since the start",
                                    sum([](gateway::Core& core) { return core.connections().handshakes(); }),
                                    {{"outcome", "done"}}));
    gauges.push_back(registry.gauge("parley_tls_handshakes", "TLS handshakes since the start",
                                    sum([](gateway::Core& core) { return core.connections().failed_handshakes(); }),
                                    {{"outcome", "failed"}}));
    gauges.push_back(registry.gauge("parley_sessions", "Open sessions",
                                    [&services] { return static_cast<double>(services.sessions.load()); }));
    gauges.push_back(registry.gauge("parley_memory_limit_bytes", "The memory budget (limits.memory)",
                                    [&services] { return static_cast<double>(services.memory->limit().count); }));
    gauges.push_back(registry.gauge("parley_memory_used_bytes", "Memory of the process, by which the budget is kept",
                                    [&services] { return static_cast<double>(services.memory->used().count); }));
    gauges.push_back(
        registry.gauge("parley_memory_level", "1: connections are refused, 2: senders wait too", [&services] {
            return services.memory->is_full() ? 2.0 : services.memory->refuses_connections() ? 1.0 : 0.0;
        }));
    for (const auto& [use, what] : {std::pair{memory::Use::kFrames, "frames"},
                                    {memory::Use::kMessages, "messages"},
                                    {memory::Use::kInput, "input"}}) {
        gauges.push_back(registry.gauge(
            "parley_memory_held_bytes", "What of the used memory grows quickly",
            [use] { return static_cast<double>(std::max<std::int64_t>(0, memory::total(use))); }, {{"what", what}}));
    }
    add_log_gauges(gauges, registry, log_stats);
    return gauges;
}

void add_log_gauges(std::vector<metrics::GaugeHandle>& gauges, metrics::Registry& registry,
                    const std::function<log::LogStats()>& log_stats) {
    const auto of_log = [&](const char* name, const char* help, auto read) {
        gauges.push_back(
            registry.gauge(name, help, [log_stats, read] { return static_cast<double>(read(log_stats())); }));
    };
    of_log("parley_log_messages", "Messages stored since the start", [](const log::LogStats& s) { return s.messages; });
    of_log("parley_log_commits", "Commits since the start", [](const log::LogStats& s) { return s.commits; });
    of_log("parley_log_repeats", "Messages that were repeats", [](const log::LogStats& s) { return s.repeats; });
    of_log("parley_log_refused", "Appends refused by the store", [](const log::LogStats& s) { return s.refused; });
    of_log("parley_log_left_out", "Records of the topic since the start that are no messages",
           [](const log::LogStats& s) { return s.left_out; });
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
                                        [log_stats, i] { return static_cast<double>(log_stats().commit_time[i]); },
                                        {{"up_to", bound}}));
    }
}

void add_lag_gauges(std::vector<metrics::GaugeHandle>& gauges, metrics::Registry& registry, const log::ReaderLags& lags,
                    std::uint32_t partitions) {
    const auto readers = lags();
    for (std::size_t i = 0; i < readers->size(); ++i) {
        for (std::uint32_t partition = 0; partition < partitions; ++partition) {
            gauges.push_back(registry.gauge(
                "parley_lag_records", "Records of the topic that a reader has not read yet; NaN: not known now",
                [lags, i, partition] {
                    const auto now = lags();
                    const log::ReaderLag& lag = now->at(i);
                    return lag.is_known() ? static_cast<double>(lag.by_partition[partition])
                                          : std::numeric_limits<double>::quiet_NaN();
                },
                {{"group", (*readers)[i].reader}, {"partition", std::to_string(partition)}}));
        }
    }
}

}  // namespace parley::app
