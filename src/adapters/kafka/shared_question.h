#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "base/result.h"

namespace parley::kafka {

/// One question at a time, for all who ask: who comes while one is under way gets the answer of the next, which was
/// begun after they came.
///
/// Thread: any; waits as long as the question takes, twice at most.
class SharedQuestion {
public:
    using Ask = std::function<Result<std::uint64_t>()>;

    explicit SharedQuestion(Ask ask) : ask_(std::move(ask)) {}
    [[nodiscard]] Result<std::uint64_t> answer();

private:
    const Ask ask_;
    std::mutex mutex_;
    std::condition_variable answered_one_;
    std::uint64_t begun_ = 0;
    std::uint64_t answered_ = 0;  ///< less than begun_: one is under way
    Result<std::uint64_t> last_;
};

}  // namespace parley::kafka
