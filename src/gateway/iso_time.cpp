#include "gateway/iso_time.h"

#include <charconv>

namespace parley::gateway {
namespace {

/// Takes exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
    if (text.size() < digits || text.front() == '-') return std::nullopt;
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
    if (error != std::errc{} || end != text.data() + digits || value < 0) return std::nullopt;
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::optional<WallTime> parse_iso_time(std::string_view text) {
    using namespace std::chrono;
    const auto y = take_number(text, 4);
    if (!y || !take(text, '-')) return std::nullopt;
    const auto mo = take_number(text, 2);
    if (!mo || !take(text, '-')) return std::nullopt;
    const auto d = take_number(text, 2);
    if (!d) return std::nullopt;
    const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)}, day{static_cast<unsigned>(*d)}};
    if (!date.ok()) return std::nullopt;
    milliseconds clock{0};
    milliseconds zone{0};
    if (take(text, 'T') || take(text, 't') || take(text, ' ')) {
        const auto h = take_number(text, 2);
        if (!h || !take(text, ':')) return std::nullopt;
        const auto m = take_number(text, 2);
        if (!m || *h > 24 || *m > 59) return std::nullopt;
        int s = 0;
        if (take(text, ':')) {
            const auto parsed = take_number(text, 2);
            if (!parsed || *parsed > 60) return std::nullopt;
            s = *parsed;
        }
        int ms = 0;
        if (take(text, '.')) {
            int scale = 100;
            bool any = false;
            while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
                ms += (text.front() - '0') * scale;
                scale /= 10;
                any = true;
                text.remove_prefix(1);
            }
            if (!any) return std::nullopt;
        }
        if (*h == 24 && (*m != 0 || s != 0 || ms != 0)) return std::nullopt;
        clock = hours{*h} + minutes{*m} + seconds{s} + milliseconds{ms};
        if (!take(text, 'Z') && !take(text, 'z') && !text.empty()) {
            const bool east = take(text, '+');
            if (!east && !take(text, '-')) return std::nullopt;
            const auto zh = take_number(text, 2);
            take(text, ':');
            const auto zm = take_number(text, 2);
            if (!zh || !zm || *zh > 23 || *zm > 59) return std::nullopt;
            zone = hours{*zh} + minutes{*zm};
            if (!east) zone = -zone;
        }
    }
    if (!text.empty()) return std::nullopt;
    return WallTime{sys_days{date}.time_since_epoch()} + clock - zone;
}

}  // namespace parley::gateway
