#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/units.h"

namespace parley::kafka {

/// The ids of the messages that counted lately in one partition: what a repeat is recognised by.
///
/// Thread: one at a time. Memory: about 50 bytes a message; as many as lie within the window.
/// Order:  add() takes offsets that do not fall.
/// A key is the first half of a SHA-256, so that nobody can send a message that hides another one's.
class DedupWindow {
public:
    using Key = std::array<std::uint64_t, 2>;
    struct Entry {
        Key key{};
        std::uint64_t offset = 0;
        RoomSeq seq;
        WallTime created_at{};
    };

    [[nodiscard]] static Key key(std::string_view room, std::string_view sender, std::string_view id);

    /// Null: not here. Until the next add() or forget_before().
    [[nodiscard]] const Entry* find(const Key& key) const;
    /// A key that is not here.
    void add(const Entry& entry);
    /// Drops the entries with an offset below `first`.
    void forget_before(std::uint64_t first);
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    using Number = std::uint32_t;  ///< of an entry, from 1, wrapping round; 0 in the index: free
    [[nodiscard]] std::size_t home(const Key& key) const { return key[0] & (index_.size() - 1); }
    [[nodiscard]] std::size_t next(std::size_t slot) const { return (slot + 1) & (index_.size() - 1); }
    [[nodiscard]] const Entry& entry(Number number) const { return entries_[number - first_]; }
    void insert(Number number);
    void erase(const Key& key);
    void grow();

    std::deque<Entry> entries_;
    Number first_ = 1;           ///< of entries_.front()
    std::vector<Number> index_;  ///< open addressing, a power of two, at most three quarters full
};

}  // namespace parley::kafka
