#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace parley::bus {

/// Whether a text was among the latest that were noted.
///
/// Thread: its owner's. Limit: the latest kMost, by hash.
class RecentTexts {
public:
    static constexpr std::size_t kMost = 16'384;

    void note(std::string_view text) {
        const auto hash = std::hash<std::string_view>{}(text);
        if (!known_.insert(hash).second) return;
        order_.push_back(hash);
        if (order_.size() <= kMost) return;
        known_.erase(order_.front());
        order_.pop_front();
    }
    [[nodiscard]] bool has(std::string_view text) const { return known_.contains(std::hash<std::string_view>{}(text)); }

private:
    std::unordered_set<std::size_t> known_;
    std::deque<std::size_t> order_;
};

}  // namespace parley::bus
