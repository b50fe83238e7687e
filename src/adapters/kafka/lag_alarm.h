#pragma once
#include <cstdint>

namespace parley::kafka {

/// Whether a reader is too far behind, said once when it begins and once when it is over: from `warn_at` records on,
/// until it is at most half of that. 0: never.
class LagAlarm {
public:
    enum class Change : std::uint8_t { kNone, kBehind, kOver };

    explicit LagAlarm(std::uint64_t warn_at) : warn_at_(warn_at) {}
    Change see(std::uint64_t lag) {
        const bool was = is_behind_;
        if (warn_at_ > 0 && lag >= warn_at_) is_behind_ = true;
        if (lag <= warn_at_ / 2) is_behind_ = false;
        if (was == is_behind_) return Change::kNone;
        return is_behind_ ? Change::kBehind : Change::kOver;
    }

private:
    std::uint64_t warn_at_;
    bool is_behind_ = false;
};

}  // namespace parley::kafka
