#include "base/clock.h"

#include "base/iso_time.h"

namespace parley {

std::string format_iso(WallTime time) {
    std::string out;
    append_iso(out, time);
    return out;
}

}  // namespace parley
