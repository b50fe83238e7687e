#pragma once
#include <memory>

#include "log/room_log.h"
#include "rt/loop.h"
#include "rt/work_pool.h"

namespace parley::room {

/// Asks the log from a loop: the blocking call runs on the pool, the answer comes back on the loop.
///
/// Thread: core-local. Borrows log and pool, which must outlive every answer.
/// Fails:  kStoreUnavailable when the pool's queue is full. No answer comes after the reader is destroyed.
class LogReader {
public:
    LogReader(rt::Loop& loop, log::RoomLog& log, rt::WorkPool& pool) : loop_(loop), log_(log), pool_(pool) {}

    /// Runs `ask(log)` on the pool and `then(result)` on the loop.
    template <class Ask, class Then>
    void ask(Ask ask, Then then) {
        using Answer = std::invoke_result_t<Ask, log::RoomLog&>;
        auto shared = std::make_shared<Then>(std::move(then));
        std::weak_ptr<bool> alive = alive_;
        const bool accepted = pool_.try_submit([alive, shared, ask = std::move(ask), &loop = loop_, &log = log_] {
            auto answer = std::make_shared<Answer>(ask(log));
            loop.post([alive, shared, answer] {
                if (!alive.expired()) (*shared)(std::move(*answer));
            });
        });
        if (!accepted) {
            loop_.next_turn([alive, shared] {
                if (!alive.expired()) (*shared)(Answer{fail(Code::kStoreUnavailable, "too many reads are waiting")});
            });
        }
    }

private:
    rt::Loop& loop_;
    log::RoomLog& log_;
    rt::WorkPool& pool_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::room
