#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/topic.h"
#include "base/units.h"
#include "log/message_table.h"

namespace parley::kafka {

/// Asks where the topic's partitions end and where a consumer group stands in them, and moves the group, without
/// ever being one of its members.
///
/// librdkafka 2.0's own questions about groups (ListConsumerGroupOffsets and its like) end the process when the
/// coordinator changes or is not known yet; a consumer that has the group's name asks and commits instead.
///
/// Thread: one at a time. Owns its client.
/// Fails:  each question is given up after `limit`: kStoreUnavailable.
class GroupAdmin {
public:
    /// `group` is the whole name, empty where only the topic is asked about; `partitions` is how many it has.
    static Result<std::unique_ptr<GroupAdmin>> open(const Settings& settings, std::string group,
                                                    std::uint32_t partitions, milliseconds limit);
    ~GroupAdmin();
    GroupAdmin(const GroupAdmin&) = delete;
    GroupAdmin& operator=(const GroupAdmin&) = delete;

    /// By partition: the offset of the next record.
    [[nodiscard]] Result<std::vector<std::uint64_t>> ends();
    /// By partition: the first offset that is kept, and the next record's.
    [[nodiscard]] Result<std::vector<TopicFacts::Range>> ranges();
    /// By partition: the first record whose time is not below `time`; nothing where there is none yet.
    [[nodiscard]] Result<std::vector<std::optional<std::uint64_t>>> offsets_at(WallTime time);

    /// By partition: the next record the group will read; nothing where it has not begun.
    [[nodiscard]] Result<std::vector<std::optional<std::uint64_t>>> positions();
    /// How many read in the group now.
    [[nodiscard]] Result<std::size_t> members();
    /// Error: somebody reads in the group, or a right is missing; then nothing is moved.
    Result<> move(std::span<const log::Position> to);

private:
    /// By partition; negative where there is none. `time` may be one of librdkafka's logical offsets.
    [[nodiscard]] Result<std::vector<std::int64_t>> offsets_for(std::int64_t time);
    [[nodiscard]] Error failed(const std::string& what, int code) const;

    GroupAdmin(std::string topic, std::string group, std::uint32_t partitions, milliseconds limit)
        : topic_(std::move(topic)),
          group_(std::move(group)),
          partitions_(partitions),
          limit_(static_cast<int>(limit.count())) {}

    const std::string topic_;
    const std::string group_;
    const std::uint32_t partitions_;
    const int limit_;
    std::unique_ptr<Client> client_;
    bool is_settled_ = true;
};

}  // namespace parley::kafka
