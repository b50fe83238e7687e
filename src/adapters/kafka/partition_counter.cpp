#include "adapters/kafka/partition_counter.h"

#include <algorithm>

namespace parley::kafka {

PartitionCounter::PartitionCounter(std::uint64_t window, const log::Checkpoint& checkpoint) : window_(window) {
    heads_.reserve(checkpoint.heads.size());
    for (const auto& at : checkpoint.heads) heads_[at.room.str()] = {at.head, at.last_created};
    for (const auto& row : checkpoint.window) {
        if (is_made_up(row.id.str())) continue;
        seen_.add(
            {DedupWindow::key(row.room.str(), row.sender.str(), row.id.str()), row.offset, row.seq, row.created_at});
    }
}

std::vector<PartitionCounter::Counted> PartitionCounter::count(const InRecord& record, const RecordHead& head) {
    seen_.forget_before(record.offset < window_ ? 0 : record.offset - window_);
    Head& room = heads_[std::string{head.room}];
    std::vector<Counted> out;
    out.reserve(head.messages.size());
    for (const auto& [sender, id] : head.messages) {
        const auto key = id.empty() ? DedupWindow::Key{} : DedupWindow::key(head.room, sender, id);
        if (!id.empty()) {
            if (const auto* before = seen_.find(key)) {
                out.push_back({before->seq, before->created_at, true});
                continue;
            }
        }
        room.head = room.head.next();
        room.last_created = std::max(record.timestamp, room.last_created);
        if (!id.empty()) seen_.add({key, record.offset, room.head, room.last_created});
        out.push_back({room.head, room.last_created, false});
    }
    return out;
}

PartitionCounter::Head PartitionCounter::head(const std::string& room) const {
    const auto found = heads_.find(room);
    return found == heads_.end() ? Head{} : found->second;
}

}  // namespace parley::kafka
