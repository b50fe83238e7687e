#include "base/iso_time.h"

#include <chrono>
#include <string_view>

namespace parley {

void append_iso(std::string& out, WallTime time) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    constexpr std::string_view kForm = "0000-00-00T00:00:00.000Z";
    const std::size_t begin = out.size();
    out += kForm;
    const auto put = [form = out.data() + begin](std::size_t at, std::size_t digits, auto value) {
        for (auto rest = static_cast<unsigned>(value); digits-- > 0; rest /= 10) {
            form[at + digits] = static_cast<char>('0' + rest % 10);
        }
    };
    put(0, 4, static_cast<int>(date.year()));
    put(5, 2, static_cast<unsigned>(date.month()));
    put(8, 2, static_cast<unsigned>(date.day()));
    put(11, 2, clock.hours().count());
    put(14, 2, clock.minutes().count());
    put(17, 2, clock.seconds().count());
    put(20, 3, clock.subseconds().count());
}

}  // namespace parley
