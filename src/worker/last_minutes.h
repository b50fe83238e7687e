#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <istream>
#include <string>

namespace parley::worker {

/// How much of something came in a minute and in each of the five before it. Minutes are counted since 1970.
/// Thread: one.
class LastMinutes {
public:
    /// A minute before the last one that was counted counts as that one.
    void add(std::int64_t minute) {
        const auto passed = static_cast<std::size_t>(std::max<std::int64_t>(0, minute - minute_));
        if (passed > 0) {
            std::ranges::rotate(counts_, counts_.end() - static_cast<std::ptrdiff_t>(passed % kCounted));
            std::fill_n(counts_.begin(), std::min(passed, kCounted), 0);
            minute_ = minute;
        }
        ++counts_.front();
    }

    /// In so many whole minutes before `minute`, five at most.
    [[nodiscard]] std::uint64_t before(std::int64_t minute, std::int64_t minutes) const {
        std::uint64_t sum = 0;
        for (std::size_t age = 0; age < kCounted; ++age) {
            const std::int64_t of = minute_ - static_cast<std::int64_t>(age);
            if (of < minute && of >= minute - minutes) sum += counts_.at(age);
        }
        return sum;
    }

    [[nodiscard]] std::string save() const {
        std::string out = std::to_string(minute_);
        for (const auto count : counts_) out += ' ' + std::to_string(count);
        return out;
    }
    void take(std::istream& saved) {
        saved >> minute_;
        for (auto& count : counts_) saved >> count;
    }

private:
    static constexpr std::size_t kCounted = 6;
    std::int64_t minute_ = 0;
    std::array<std::uint64_t, kCounted> counts_{};  ///< by age
};

}  // namespace parley::worker
