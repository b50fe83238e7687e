#include "bench/process_use.h"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace parley::bench {
namespace {

double read_clock(clockid_t clock) noexcept {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

bool add(int pid, ProcessUse& use) {
    std::ifstream stat{fmt::format("/proc/{}/stat", pid)};
    const std::string text{std::istreambuf_iterator<char>{stat}, {}};
    const std::size_t name_end = text.rfind(')');  // the name may hold anything, brackets too
    if (name_end == std::string::npos) return false;
    std::istringstream fields{text.substr(name_end + 1)};
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    if (!fields) return false;
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    use.user_seconds += user / ticks;
    use.system_seconds += system / ticks;
    clockid_t clock{};
    if (::clock_getcpuclockid(pid, &clock) != 0) return false;
    use.cpu_seconds += read_clock(clock);
    std::ifstream rollup{fmt::format("/proc/{}/smaps_rollup", pid)};
    for (std::string line; std::getline(rollup, line);) {
        if (!line.starts_with("Anonymous:")) continue;
        use.anonymous_bytes += std::stoull(line.substr(line.find_first_of("0123456789"))) * 1024;
    }
    use.resident_bytes += resident_bytes(std::span{&pid, 1});
    return true;
}

}  // namespace

std::optional<ProcessUse> process_use(std::span<const int> pids) {
    ProcessUse use;
    for (const int pid : pids) {
        if (!add(pid, use)) return std::nullopt;
    }
    if (pids.empty()) return std::nullopt;
    return use;
}

double own_cpu_seconds() noexcept { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

std::uint64_t resident_bytes(std::span<const int> pids) {
    std::uint64_t bytes = 0;
    for (const int pid : pids) {
        std::uint64_t pages = 0;
        std::ifstream statm{fmt::format("/proc/{}/statm", pid)};
        if (statm >> pages >> pages) bytes += pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
    return bytes;
}

}  // namespace parley::bench
