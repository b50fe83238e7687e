#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/metrics.h"
#include "bus/bus.h"
#include "stores.h"
#include "wire/query.h"
#include "worker/group_runner.h"
#include "worker/notification.h"
#include "worker/runner.h"

namespace parley::app {

/// Roles by their names, each on its thread. Borrows everything; ended before the log is.
/// Thread: hint(), missed() and faults() any, read() may wait for the store.
class Workers {
public:
    struct Parts {
        const Stores& stores;
        bus::Bus& bus;
        const Clock& clock;
        metrics::Registry& metrics;
        worker::NotificationRole::Present present;
        std::function<bool()> hears_others;  ///< hints come of what other servers store
    };
    /// Error: one sentence for the operator.
    static Result<std::unique_ptr<Workers>> open(const Config& config, const std::vector<std::string>& roles,
                                                 Parts parts);
    ~Workers();

    void hint(const bus::MessageBatch& messages);
    void missed();
    /// Roles that something keeps from reading their share of the log, or that wait for a store or an effect, by name.
    [[nodiscard]] std::vector<std::string> faults() const;
    /// As gateway::Services::admin_read.
    Result<std::optional<std::string>> read(const std::string& path, const wire::QueryParams& query);

private:
    struct Running {
        std::unique_ptr<worker::Role> role;
        std::unique_ptr<worker::Runner> runner;  ///< one of these two
        std::unique_ptr<worker::GroupRunner> group;
        std::vector<metrics::GaugeHandle> gauges;
    };

    Workers(const Config& config, Parts parts);
    Result<> start(std::unique_ptr<worker::Role> role);
    void run_alone(Running& running);
    Result<> run_in_group(Running& running);
    template <class AtWork, class Behind>
    void show(Running& running, AtWork at_work, Behind behind);
    [[nodiscard]] std::unique_ptr<worker::Role> notification();
    Result<std::optional<std::string>> analytics(const wire::QueryParams& query);
    Result<std::optional<std::string>> dead_letters(const wire::QueryParams& query);

    Parts parts_;
    const std::size_t threads_;  ///< of a role in a group
    std::string server_;
    std::vector<Running> running_;
};

}  // namespace parley::app
