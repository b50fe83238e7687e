#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include "adapters/postgres/connection.h"

namespace parley::postgres {

/// The connections that questions share: at most Settings::connections, opened when needed, kept.
///
/// Thread: any; a caller waits for a connection and then for the answer, at most Settings::answer_limit in all.
/// Fails:  kStoreUnavailable. A question whose connection broke is asked once more over a new one. While the server
///         refuses connections one caller in 500 ms tries and the others are told its reason at once.
class Pool {
public:
    explicit Pool(Settings settings) : settings_(std::move(settings)) {}
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }

    /// `ask(connection, deadline, again)` gives a Result. `again`: the first try failed, and what it changed may have
    /// been stored nevertheless.
    template <class Ask>
    auto with(Ask ask) -> std::invoke_result_t<Ask&, Connection&, Deadline, bool> {
        const Deadline deadline = in(settings_.answer_limit);
        for (bool again = false;; again = true) {
            auto connection = take(deadline);
            if (!connection) return fail(std::move(connection.error()));
            auto answer = ask(**connection, deadline, again);
            const bool broken = (*connection)->is_broken();
            give_back(std::move(*connection));
            const bool late = std::chrono::steady_clock::now() >= deadline;
            if (answer || !broken || again || late || answer.error().code != Code::kStoreUnavailable) return answer;
        }
    }
    Result<Rows> run(const Statement& statement, const Params& params) {
        return with([&](Connection& connection, Deadline deadline, bool) {
            return connection.run(statement, params, deadline);
        });
    }

private:
    Result<std::unique_ptr<Connection>> take(Deadline deadline);
    void give_back(std::unique_ptr<Connection> connection);

    const Settings settings_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Connection>> idle_;
    std::size_t open_ = 0;  ///< idle ones included
    Deadline next_try_{};   ///< no connection is opened before
    Error refusal_;         ///< why
};

}  // namespace parley::postgres
