#pragma once
#include <unordered_map>

#include "log/records.h"

namespace parley::log {

/// The heads the writer works on, loaded on demand: about the `limit` most recently used rooms.
///
/// Thread: the writer's only; readers look at the disk. Order: an entry stays where it is until begin().
class HeadCache {
public:
    struct Entry {
        records::Head head;
        bool made = false;     ///< the room exists (here or on disk)
        bool touched = false;  ///< differs from the disk: belongs to the commit being built
    };

    explicit HeadCache(std::size_t limit) : half_(limit / 2 + 1) {}

    /// Between two commits: drops the older half when the younger is full.
    void begin() {
        if (young_.size() < half_) return;
        old_ = std::move(young_);
        young_.clear();
    }
    /// Null: not here.
    Entry* find(const RoomId& room) {
        if (auto found = young_.find(room); found != young_.end()) return &found->second;
        auto node = old_.extract(room);
        if (node.empty()) return nullptr;
        return &young_.insert(std::move(node)).position->second;
    }
    Entry& add(const RoomId& room, Entry entry) { return young_.insert_or_assign(room, entry).first->second; }
    /// After a failed or unknown write: nothing here may be trusted.
    void clear() {
        young_.clear();
        old_.clear();
    }
    [[nodiscard]] std::size_t size() const { return young_.size() + old_.size(); }

private:
    std::size_t half_;
    std::unordered_map<RoomId, Entry> young_;
    std::unordered_map<RoomId, Entry> old_;
};

}  // namespace parley::log
