#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/topic.h"
#include "adapters/kafka/topic_reader.h"

namespace parley::kafka {

/// One of a consumer group on the topic. The group says only whose a partition is: cooperative rebalancing, positions
/// committed by hand, none made up. A TopicReader reads it (docs/adr/0013).
///
/// Thread: one, on which the listener is told inside read() and leave(); stop() any. Owns its clients.
/// Fails:  as TopicReader. It waits for brokers that are away, and for rights. A partition beyond those of the settings
///         is not read, and waiting_for() says so.
class GroupMember final : private Client::Listener {
public:
    using Partitions = std::vector<std::uint32_t>;
    class Listener {
    public:
        virtual ~Listener() = default;
        /// The offset it is to be read from. Error: asked again after `between_tries`.
        virtual Result<std::uint64_t> on_assigned(std::uint32_t partition) = 0;
        /// They are read no more; others may get them as soon as this returns.
        virtual void on_revoked(const Partitions& partitions) = 0;
        /// Why nothing is read; empty: it is again.
        virtual void on_trouble(const std::string& why) = 0;
    };

    /// `group` is without the prefix.
    static Result<std::unique_ptr<GroupMember>> open(const Settings& settings, const std::string& group,
                                                     milliseconds between_tries, Listener& listener);
    GroupMember(const GroupMember&) = delete;
    GroupMember& operator=(const GroupMember&) = delete;

    /// As TopicReader's.
    Result<std::span<const InRecord>> read(milliseconds wait, std::size_t most = TopicReader::kMostAtOnce);
    /// After a failure: its partitions are revoked and assigned again, as far as the listener is told.
    void begin_anew();
    /// One of its partitions is not read until read_from().
    void pause(std::uint32_t partition) { reader_->stop(partition); }
    Result<> read_from(std::uint32_t partition, std::uint64_t offset);
    /// What keeps it from reading; empty: nothing does.
    [[nodiscard]] std::string waiting_for() const;

    /// Where the group stands; nothing: it has not begun.
    [[nodiscard]] Result<std::optional<std::uint64_t>> committed(std::uint32_t partition);
    [[nodiscard]] Result<TopicFacts::Range> kept(std::uint32_t partition);
    /// By partition: the next record. Without waiting; what is lost is read again.
    void commit(const std::map<std::uint32_t, std::uint64_t>& positions);

    /// Nothing is waited for, and no partition taken any more.
    void stop() { stopping_ = true; }
    /// Gives all partitions back. The last thing that is done with it.
    void leave();

private:
    GroupMember(Settings settings, std::string group, milliseconds between_tries, Listener& listener);
    void serve_group();
    void give_back(Partitions partitions);
    [[nodiscard]] Result<std::uint64_t> take(std::uint32_t partition);
    /// Until it is taken. Nothing: it was stopped.
    std::optional<std::uint64_t> insist_on(std::uint32_t partition);
    [[nodiscard]] bool wait_to_try_again() const;
    void on_assigned(rd_kafka_topic_partition_list_s& partitions) override;
    void on_revoked(rd_kafka_topic_partition_list_s& partitions) override;

    const Settings settings_;
    const std::string group_;  ///< with the prefix
    const milliseconds between_tries_;
    Listener& listener_;
    std::unique_ptr<TopicReader> reader_;
    std::set<std::uint32_t> owned_;
    std::string not_allowed_;               ///< what the group's coordinator says, until it gives partitions
    std::optional<std::uint32_t> unknown_;  ///< a partition that the topic did not have at the start
    bool was_assigned_ = false;
    std::atomic<bool> stopping_{false};
    std::unique_ptr<Client> client_;
};

}  // namespace parley::kafka
