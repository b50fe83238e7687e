#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

namespace parley::log {

/// How far one of a log's readers is behind its end, in records.
struct ReaderLag {
    std::string reader;
    std::vector<std::uint64_t> by_partition;  ///< empty: not known now

    [[nodiscard]] bool is_known() const { return !by_partition.empty(); }
    [[nodiscard]] std::uint64_t total() const {
        return std::accumulate(by_partition.begin(), by_partition.end(), std::uint64_t{0});
    }
};

/// As it was looked up last: the same readers in the same order each time. Any thread.
using ReaderLags = std::function<std::shared_ptr<const std::vector<ReaderLag>>()>;

}  // namespace parley::log
