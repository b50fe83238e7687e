#include "rocks/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace parley::rocks {

int open_files(int most) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return most;
    return static_cast<int>(std::min<rlim_t>(static_cast<rlim_t>(most), limit.rlim_cur / 16));
}

}  // namespace parley::rocks
