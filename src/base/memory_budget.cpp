#include "base/memory_budget.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/logger.h"
#include "base/memory_account.h"

/// jemalloc's, where the process has it.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old, std::size_t* old_size, void* now, std::size_t size);

namespace parley {
namespace {

constexpr milliseconds kCalm{100};
constexpr milliseconds kWatchful{20};
constexpr milliseconds kLongestTrimWait{5'000};

class Statm {
public:
    Statm() : fd_(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {}
    Statm(const Statm&) = delete;
    Statm& operator=(const Statm&) = delete;
    ~Statm() {
        if (fd_ >= 0) ::close(fd_);
    }

    /// `size resident shared …` in pages.
    [[nodiscard]] Bytes resident() const {
        std::array<char, 128> text{};
        const ssize_t n = fd_ < 0 ? -1 : ::pread(fd_, text.data(), text.size(), 0);
        if (n <= 0) return {};
        const char* const end = text.data() + n;
        const char* const space = std::find(static_cast<const char*>(text.data()), end, ' ');
        std::size_t pages = 0;
        if (space != end) std::from_chars(space + 1, end, pages);
        return {pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))};
    }

private:
    int fd_;
};

/// A number alone in a file; nothing for `max` and where there is no such file.
std::optional<std::size_t> number_in(const std::string& path) {
    std::ifstream file{path};
    std::size_t value = 0;
    if (file >> value) return value;
    return std::nullopt;
}

/// The least limit of this process's control groups, of either version, and of the groups around them.
std::size_t group_limit() {
    std::size_t least = std::numeric_limits<std::size_t>::max();
    std::ifstream groups{"/proc/self/cgroup"};
    for (std::string line; std::getline(groups, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool unified = controllers.empty();
        if (!unified && controllers != "memory") continue;
        const std::string root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
        const std::string file = unified ? "/memory.max" : "/memory.limit_in_bytes";
        // In a container the path may be the host's, and the group's own files lie at the root.
        for (std::string path = line.substr(second + 1);; path.erase(path.rfind('/'))) {
            if (const auto limit = number_in(root + path + file)) least = std::min(least, *limit);
            if (path.find('/') == std::string::npos) break;
        }
    }
    return least;
}

void give_back() {
    if (::mallctl != nullptr) {
        ::mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // 4096: all of them (MALLCTL_ARENAS_ALL)
    } else {
        ::malloc_trim(0);
    }
}

}  // namespace

MemoryBudget::Source MemoryBudget::of_this_process() {
    auto statm = std::make_shared<Statm>();
    return {[statm] { return statm->resident(); }, give_back};
}

const MemoryBudget& MemoryBudget::unlimited() {
    static const MemoryBudget budget{Bytes{std::numeric_limits<std::int64_t>::max()}, {[] { return Bytes{}; }, [] {}}};
    return budget;
}

MemoryBudget::MemoryBudget(Bytes limit, Source source) : limit_(limit), source_(std::move(source)) { read(); }

void MemoryBudget::read() {
    base_.store(static_cast<std::int64_t>(source_.resident().count) - memory::total(), std::memory_order_relaxed);
}

std::int64_t MemoryBudget::known() const noexcept {
    return std::max<std::int64_t>(0, base_.load(std::memory_order_relaxed) + memory::total());
}

Bytes MemoryBudget::used() const noexcept { return {static_cast<std::size_t>(known())}; }

bool MemoryBudget::is_above(std::int64_t mark, const std::atomic<bool>& flag) const noexcept {
    return flag.load(std::memory_order_relaxed) || known() >= sixteenths(mark);
}

Bytes MemoryBudget::share(Bytes whole) const noexcept {
    constexpr std::int64_t kShares = 64;
    const std::int64_t used = known();
    if (used >= sixteenths(kBrim)) return {1};
    const std::int64_t range = sixteenths(kShareLeast - kShareShrinks);
    const std::int64_t left = std::clamp<std::int64_t>(sixteenths(kShareLeast) - used, 0, range);
    const std::int64_t shares = std::max<std::int64_t>(left / (range / kShares), 1);
    return {whole.count / kShares * static_cast<std::size_t>(std::min(shares, kShares))};
}

milliseconds MemoryBudget::next_sample() const noexcept {
    return known() < sixteenths(kShareShrinks) ? kCalm : kWatchful;
}

void MemoryBudget::sample(SteadyTime now) {
    read();
    trim_if_worth(now);
    cross(crowded_, kCrowded, "memory is short: new connections are refused", "new connections are taken again");
    cross(full_, kFull, "the memory budget is used up: senders wait", "senders go on");
}

/// Left one sixteenth below where it was reached.
void MemoryBudget::cross(std::atomic<bool>& flag, std::int64_t mark, const char* reached, const char* left) {
    const bool was = flag.load(std::memory_order_relaxed);
    const bool is = known() >= sixteenths(was ? mark - 1 : mark);
    if (is == was) return;
    flag.store(is, std::memory_order_relaxed);
    if (is) {
        logger::warn("memory", reached, {{"used", used()}, {"limit", limit_}});
    } else {
        logger::info("memory", left, {{"used", used()}, {"limit", limit_}});
    }
}

/// What was freed stays with the allocator until then, and is resident although nobody has it.
void MemoryBudget::trim_if_worth(SteadyTime now) {
    const std::int64_t before = known();
    if (before < sixteenths(kShareLeast) || now < next_trim_) return;
    source_.trim();
    read();
    const bool helped = before - known() >= sixteenths(1) / 4;
    trim_wait_ = helped ? milliseconds{1000} : std::min(trim_wait_ * 2, kLongestTrimWait);
    next_trim_ = now + trim_wait_;
}

Bytes default_memory_budget() {
    const auto pages = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
    const std::size_t machine = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return {std::min(machine, group_limit()) / 2};
}

}  // namespace parley
