#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/units.h"

namespace parley::gateway {

/// What an operator wants to read again: the records of a partition, from an offset or the first that is kept, or
/// everything from a time on, of a partition or of all rooms.
struct ReplayRange {
    std::optional<std::uint32_t> partition{};
    std::optional<std::uint64_t> from_offset{};
    std::optional<std::uint64_t> to_offset{};  ///< the last one
    std::optional<WallTime> from_time{};
};

/// Messages of all rooms as NDJSON, page by page; nobody is told of them.
///
/// Thread: one at a time, never a loop: to make it, read() and its end may take seconds.
class ReplaySource {
public:
    struct Page {
        std::string lines;  ///< some hundred KiB at most, whatever there is to come; empty: nothing has come yet
        bool is_last = false;
    };
    virtual ~ReplaySource() = default;
    /// Error: there is no more of it than what was read.
    virtual Result<Page> read() = 0;
};

/// Error kBadRequest: this range is none here; the reason names the parameter.
using OpenReplay = std::function<Result<std::unique_ptr<ReplaySource>>(const ReplayRange&)>;

}  // namespace parley::gateway
