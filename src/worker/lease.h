#pragma once
#include <string>

#include "base/clock.h"
#include "store/ledger.h"

namespace parley::worker {

/// Which of the servers on one ledger works: who has put its name into a row, until the time that stands beside it.
///
/// Thread: one. Borrows the ledger and the clock.
/// Order:  who has it renews it after a third of the time. Clocks that differ, or a server that stands still, can make
///         two work for a while: what they do has to bear that.
/// Fails:  while the ledger is away who has it keeps it until its time is over.
class Lease {
public:
    static constexpr milliseconds kTime{9'000};

    Lease(store::Ledger& ledger, std::string key, std::string me, const Clock& clock)
        : ledger_(ledger), key_(std::move(key)), me_(std::move(me)), clock_(clock) {}

    /// Asks the ledger when that is due.
    [[nodiscard]] bool hold();
    /// The ledger answered when it was asked last.
    [[nodiscard]] bool is_answered() const { return answered_; }
    void give_back();

private:
    [[nodiscard]] Result<bool> ask();
    [[nodiscard]] std::string text(WallTime until) const;

    store::Ledger& ledger_;
    const std::string key_;
    const std::string me_;  ///< without spaces
    const Clock& clock_;
    bool held_ = false;
    bool answered_ = true;
    SteadyTime next_{};  ///< when the ledger is asked again
    SteadyTime until_{};
};

}  // namespace parley::worker
