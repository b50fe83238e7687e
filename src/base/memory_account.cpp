#include "base/memory_account.h"

#include <array>
#include <atomic>

namespace parley::memory {
namespace {

constexpr std::int64_t kTellEvery = 64 * 1024;

struct alignas(64) Sum {
    std::atomic<std::int64_t> bytes{0};
};
std::array<Sum, kUses> sums;

struct Own {
    std::array<std::int64_t, kUses> bytes{};
    ~Own() {
        for (std::size_t i = 0; i < kUses; ++i) sums[i].bytes.fetch_add(bytes[i], std::memory_order_relaxed);
    }
};
thread_local Own own;

}  // namespace

void add(Use use, std::int64_t bytes) noexcept {
    const auto i = static_cast<std::size_t>(use);
    std::int64_t& mine = own.bytes[i];
    mine += bytes;
    if (mine < kTellEvery && mine > -kTellEvery) return;
    sums[i].bytes.fetch_add(mine, std::memory_order_relaxed);
    mine = 0;
}

std::int64_t total(Use use) noexcept {
    return sums[static_cast<std::size_t>(use)].bytes.load(std::memory_order_relaxed);
}

std::int64_t total() noexcept {
    std::int64_t all = 0;
    for (const Sum& sum : sums) all += sum.bytes.load(std::memory_order_relaxed);
    return all;
}

}  // namespace parley::memory
