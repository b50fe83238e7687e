#pragma once
#include "base/metrics.h"
#include "store/ledger.h"
#include "worker/role.h"

namespace parley::worker {

/// Counts what is said in each room (room_figures.h). The figures are saved together with the position: whatever
/// restarts, each message is counted once.
/// Thread: its readers'. room() and rooms(), from any, read what was saved last. Borrows the metrics.
class AnalyticsRole final : public Role {
public:
    explicit AnalyticsRole(metrics::Registry& metrics);

    [[nodiscard]] const std::string& name() const override;
    [[nodiscard]] std::unique_ptr<RoomWork> open(const RoomId& room, std::string_view saved) override;

    /// One room with its members and anomalies; none: nothing was counted there.
    static Result<std::optional<std::string>> room(store::Ledger& ledger, const std::string& room, WallTime now);
    /// `{"rooms":[…]}`, those behind `after`, and `next` where there are more.
    static Result<std::string> rooms(store::Ledger& ledger, const std::string& after, std::size_t limit, WallTime now);

private:
    class InRoom;
    metrics::Counter& floods_;
    metrics::Counter& repeats_;
};

}  // namespace parley::worker
