#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "adapters/kafka/group_admin.h"
#include "adapters/kafka/lag_alarm.h"
#include "adapters/kafka/settings.h"
#include "base/function.h"
#include "log/message_table.h"
#include "log/reader_lag.h"

namespace parley::kafka {

class KafkaLog;

struct LagWatchOptions {
    std::vector<std::string> groups;  ///< whose committed positions count, by their names without prefix and end
    std::string group_end;            ///< of those names at the brokers
    milliseconds every{60'000};
    std::uint64_t warn_at = 10'000;  ///< records of a reader, all partitions together; 0: never
    /// Told on the watch's thread when a reader falls behind by so much, and when that is over.
    UniqueFunction<void(const std::string& reader, std::uint64_t records, LagAlarm::Change)> on_change;
};

/// Looks at once and then every `every` how far the topic's readers are behind its end: this server's own ("sender"),
/// the table ("db-writer", by the table's position) and consumer groups (by what they have committed).
///
/// Thread: one of its own; last() from any. Borrows log and table.
/// Fails:  a reader whose lag cannot be had now is unknown, and no alarm changes: also a group that never began.
class LagWatch {
public:
    static Result<std::unique_ptr<LagWatch>> open(const Settings& settings, LagWatchOptions options, KafkaLog& log,
                                                  log::MessageTable& table);
    ~LagWatch();
    LagWatch(const LagWatch&) = delete;
    LagWatch& operator=(const LagWatch&) = delete;

    using Lags = std::vector<log::ReaderLag>;
    /// As it was looked up last: the same readers in the same order each time.
    [[nodiscard]] std::shared_ptr<const Lags> last() const;
    [[nodiscard]] std::uint32_t partitions() const { return partitions_; }

private:
    using Positions = std::vector<std::uint64_t>;

    LagWatch(LagWatchOptions options, KafkaLog& log, log::MessageTable& table);
    void run();
    void look();
    [[nodiscard]] Result<Positions> table_positions();
    [[nodiscard]] Result<Positions> group_positions(GroupAdmin& group);

    LagWatchOptions options_;
    KafkaLog& log_;
    log::MessageTable& table_;
    const std::uint32_t partitions_;
    std::unique_ptr<GroupAdmin> topic_;
    std::vector<std::unique_ptr<GroupAdmin>> groups_;
    std::vector<LagAlarm> alarms_;
    mutable std::mutex mutex_;
    std::condition_variable stopped_;
    bool stopping_ = false;
    std::shared_ptr<const Lags> last_;
    std::thread thread_;
};

}  // namespace parley::kafka
