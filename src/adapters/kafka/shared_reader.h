#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/kafka/group_member.h"
#include "log/shared_reading.h"

namespace parley::kafka {

/// A consumer group's member that tells which rooms got records, once this server's log has counted them too.
///
/// Thread: one of its own.
/// Order:  a partition's records by offset. A group that is new begins at the first record that is kept, and says so
///         by a commit. What is done is committed every second.
/// Limit:  20 000 records of a partition that are not done; then it is not read on.
/// Fails:  a broker that is away is waited for. Where the group's position is not kept any more it goes on at the
///         first record that is, and the log says so.
class SharedReader final : public log::SharedReading, private GroupMember::Listener {
public:
    /// By partition: the next record that this server's log will read.
    using Counted = std::function<std::vector<std::uint64_t>()>;

    static Result<std::unique_ptr<SharedReader>> open(const Settings& settings, const std::string& group,
                                                      Counted counted, log::SharedReading::Listener& listener);
    ~SharedReader() override;
    SharedReader(const SharedReader&) = delete;
    SharedReader& operator=(const SharedReader&) = delete;

    void done(log::Position to) override;
    [[nodiscard]] bool is_well() const override { return !in_trouble_; }

private:
    struct Record {
        std::uint64_t offset = 0;
        RoomId room;
    };
    struct Owned {
        std::uint64_t next = 0;          ///< to be read
        std::deque<Record> waiting;      ///< until the log has counted them
        std::deque<std::uint64_t> told;  ///< until they are done
        std::uint64_t committed = 0;
        bool paused = false;
        [[nodiscard]] std::uint64_t done() const;
    };

    SharedReader(std::string group, Counted counted, log::SharedReading::Listener& listener)
        : group_(std::move(group)), counted_(std::move(counted)), listener_(listener) {}
    Result<std::uint64_t> on_assigned(std::uint32_t partition) override;
    void on_revoked(const GroupMember::Partitions& partitions) override;
    void on_trouble(const std::string& why) override;
    void run();
    void read();
    void take(const InRecord& record);
    void tell_counted();
    void pause_or_resume();
    enum class Commit : std::uint8_t { kMoved, kAll };
    void commit(Commit which);
    /// `from`, or the first record that is kept.
    [[nodiscard]] Result<std::uint64_t> kept_from(std::uint32_t partition, std::optional<std::uint64_t> from);

    const std::string group_;
    const Counted counted_;
    log::SharedReading::Listener& listener_;
    std::unique_ptr<GroupMember> member_;
    std::mutex mutex_;  ///< of what done() sees
    std::map<std::uint32_t, Owned> owned_;
    SteadyTime next_commit_;
    unsigned commits_ = 0;
    std::string trouble_;
    std::atomic<bool> in_trouble_{false};
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace parley::kafka
