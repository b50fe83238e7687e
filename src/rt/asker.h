#pragma once
#include <memory>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "rt/loop.h"
#include "rt/work_pool.h"

namespace parley::rt {

/// Runs what blocks on a pool and brings the answer back to the loop.
///
/// Thread: core-local. Borrows loop and pool, which must outlive it.
/// Order:  none between two questions, unless the pool has one thread.
/// Fails:  kStoreUnavailable when the pool's queue is full. No answer comes after the Asker is destroyed.
class Asker {
public:
    Asker(Loop& loop, WorkPool& pool, Code when_full = Code::kStoreUnavailable)
        : loop_(loop), pool_(pool), when_full_(when_full) {}
    Asker(const Asker&) = delete;
    Asker& operator=(const Asker&) = delete;

    /// `question()` gives a Result and runs on the pool; `then(result)` runs on the loop, never inside ask().
    template <class Question, class Then>
    void ask(Question question, Then then) {
        using Answer = std::invoke_result_t<Question&>;
        auto shared = std::make_shared<Then>(std::move(then));
        std::weak_ptr<bool> alive = alive_;
        const bool accepted =
            pool_.try_submit([alive, shared, &loop = loop_, question = std::move(question)]() mutable {
                Answer answer = question();
                // Moved, not copied: what `then` holds is destroyed on the loop, never here.
                loop.post([alive = std::move(alive), shared = std::move(shared), answer = std::move(answer)]() mutable {
                    if (!alive.expired()) (*shared)(std::move(answer));
                });
            });
        if (accepted) return;
        loop_.next_turn([alive, shared, code = when_full_] {
            if (!alive.expired()) (*shared)(Answer{fail(code, "too many requests are waiting")});
        });
    }

private:
    Loop& loop_;
    WorkPool& pool_;
    const Code when_full_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::rt
