#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/memory_account.h"
#include "log/room_log.h"

namespace parley::kafka {

/// The appends on their way: each is answered when all replicas in sync have its record and this server has read it
/// back, or refused.
///
/// Thread: any. An answer is given on the thread that brings the last of what it waits for, without a lock held.
/// Limit: `limit` bytes, and `patience` for each.
class WaitingAppends {
public:
    WaitingAppends(Bytes limit, milliseconds patience) : limit_(limit.count), patience_(patience) {}

    /// The append's number; nothing where too much waits, and `done` stays as it is.
    [[nodiscard]] std::optional<std::uint64_t> add(log::AppendDone& done, std::uint32_t partition, std::size_t bytes,
                                                   SteadyTime now);
    void stored(std::uint64_t number);
    void read_back(std::uint64_t number, std::vector<log::Appended> answer);
    /// False: it has been answered.
    bool refuse(std::uint64_t number, const Error& why);
    /// Refuses those whose time is over. The partition of each.
    std::vector<std::uint32_t> expire(SteadyTime now, const Error& why);
    void refuse_all(const Error& why);

    [[nodiscard]] std::size_t bytes() const;
    [[nodiscard]] bool empty() const;
    void wait_until_empty();

private:
    struct Append {
        log::AppendDone done;
        std::optional<std::vector<log::Appended>> answer;
        bool stored = false;
        std::uint32_t partition = 0;
        std::size_t bytes = 0;
        memory::Charge held;
    };
    std::optional<Append> take(std::uint64_t number);

    const std::size_t limit_;
    const milliseconds patience_;
    mutable std::mutex mutex_;
    std::condition_variable emptied_;
    std::uint64_t last_ = 0;
    std::size_t bytes_ = 0;
    std::unordered_map<std::uint64_t, Append> appends_;
    std::deque<std::pair<SteadyTime, std::uint64_t>> ends_;  ///< by time; answered ones too, until theirs comes
};

}  // namespace parley::kafka
