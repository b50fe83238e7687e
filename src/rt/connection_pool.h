#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace parley::rt {

/// Until when somebody waits for another process, in real time: what it waits for is a socket.
using Deadline = std::chrono::steady_clock::time_point;
[[nodiscard]] inline Deadline in(milliseconds limit) { return std::chrono::steady_clock::now() + limit; }

/// The connections to one server that blocking questions share: opened when needed, kept.
/// `Client` has is_open(), which does not wait, and is_broken().
///
/// Thread: any; a caller waits for a connection and then for the answer, at most `answer_limit` in all.
/// Fails:  kStoreUnavailable. A question whose connection broke is asked once more over a new one. While the server
///         refuses connections one caller in 500 ms tries and the others are told its reason at once.
template <class Client>
class ConnectionPool {
public:
    using Open = std::function<Result<std::unique_ptr<Client>>(Deadline)>;

    /// `server` is its name in messages; at most `limit` connections are open at once.
    ConnectionPool(std::string server, std::size_t limit, milliseconds answer_limit, Open open)
        : server_(std::move(server)), limit_(limit), answer_limit_(answer_limit), open_one_(std::move(open)) {}
    ConnectionPool(const ConnectionPool&) = delete;
    ConnectionPool& operator=(const ConnectionPool&) = delete;

    /// `ask(connection, deadline, again)` gives a Result. `again`: the first try failed, and what it changed may have
    /// been stored nevertheless.
    template <class Ask>
    auto with(Ask ask) -> std::invoke_result_t<Ask&, Client&, Deadline, bool> {
        const Deadline deadline = in(answer_limit_);
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

private:
    static constexpr milliseconds kBetweenTries{500};

    Result<std::unique_ptr<Client>> take(Deadline deadline) {
        std::unique_lock lock{mutex_};
        for (;;) {
            while (!idle_.empty()) {
                auto connection = std::move(idle_.back());
                idle_.pop_back();
                if (connection->is_open()) return connection;
                --open_;
            }
            if (open_ < limit_) break;
            if (returned_.wait_until(lock, deadline) == std::cv_status::timeout) {
                return fail(Code::kStoreUnavailable,
                            server_ + ": all " + std::to_string(limit_) + " connections are busy");
            }
        }
        if (std::chrono::steady_clock::now() < next_try_) return fail(refusal_);
        ++open_;
        lock.unlock();
        auto connection = open_one_(deadline);
        if (connection) return connection;
        lock.lock();
        --open_;
        refusal_ = connection.error();
        next_try_ = in(kBetweenTries);
        lock.unlock();
        returned_.notify_all();  // those who waited for a connection learn that there is none
        return fail(std::move(connection.error()));
    }

    void give_back(std::unique_ptr<Client> connection) {
        {
            const std::lock_guard lock{mutex_};
            if (connection->is_broken()) {
                connection.reset();
                --open_;
            } else {
                idle_.push_back(std::move(connection));
            }
        }
        returned_.notify_one();
    }

    const std::string server_;
    const std::size_t limit_;
    const milliseconds answer_limit_;
    const Open open_one_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Client>> idle_;
    std::size_t open_ = 0;  ///< idle ones included
    Deadline next_try_{};   ///< no connection is opened before
    Error refusal_;         ///< why
};

}  // namespace parley::rt
