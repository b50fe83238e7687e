#pragma once
#include <chrono>
#include <cstddef>

/// For benchmarks only.
namespace parley::log {

using Seconds = std::chrono::duration<double>;

struct BareRun {
    std::size_t messages = 0;
    Seconds took{};
    [[nodiscard]] double per_second() const { return static_cast<double>(messages) / took.count(); }
};

/// What RocksDB gives without the log: message and dedup key in synced batches, options as they come, one thread
/// (the caller's), in a folder of its own under TMPDIR.
BareRun bare_loop(std::size_t batch_size, std::size_t record_size, Seconds time);

}  // namespace parley::log
