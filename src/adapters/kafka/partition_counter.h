#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/kafka/dedup_window.h"
#include "adapters/kafka/record.h"
#include "log/message_table.h"

namespace parley::kafka {

/// Offsets before a record within which the same message is a repeat.
inline constexpr std::uint64_t kDedupWindow = 100'000;

/// The numbers of one partition's messages: what each reader derives alone, and all derive alike.
///
/// A message of a record counts if no counted one with the same (room, sender, messageId) lies at most `window` offsets
/// before it; one without messageId always counts. Those that count take their room's next seq, and
/// createdAt = max(the record's time, the predecessor's). Another rule or window means another topic.
///
/// Thread: one at a time. Order: records come by rising offset.
class PartitionCounter {
public:
    struct Counted {
        RoomSeq seq;          ///< of a repeat: the counted one's
        WallTime created_at;  ///< likewise
        bool repeated = false;
    };
    struct Head {
        RoomSeq head;
        WallTime last_created{};
    };

    explicit PartitionCounter(std::uint64_t window) : window_(window) {}
    /// Goes on from a checkpoint: as if every record before it had been counted.
    PartitionCounter(std::uint64_t window, const log::Checkpoint& checkpoint);

    /// One for each message of the record.
    [[nodiscard]] std::vector<Counted> count(const InRecord& record, const RecordHead& head);

    [[nodiscard]] Head head(const std::string& room) const;
    [[nodiscard]] std::size_t rooms() const { return heads_.size(); }
    [[nodiscard]] std::size_t window_size() const { return seen_.size(); }

private:
    std::uint64_t window_;
    DedupWindow seen_;
    std::unordered_map<std::string, Head> heads_;
};

}  // namespace parley::kafka
