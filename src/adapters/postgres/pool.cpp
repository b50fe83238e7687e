#include "adapters/postgres/pool.h"

#include <fmt/format.h>

namespace parley::postgres {
namespace {
constexpr milliseconds kBetweenTries{500};
}

Pool::~Pool() = default;

Result<std::unique_ptr<Connection>> Pool::take(Deadline deadline) {
    std::unique_lock lock{mutex_};
    for (;;) {
        while (!idle_.empty()) {
            auto connection = std::move(idle_.back());
            idle_.pop_back();
            if (connection->is_open()) return connection;
            --open_;
        }
        if (open_ < settings_.connections) break;
        if (returned_.wait_until(lock, deadline) == std::cv_status::timeout) {
            return fail(Code::kStoreUnavailable,
                        fmt::format("PostgreSQL: all {} connections are busy", settings_.connections));
        }
    }
    if (std::chrono::steady_clock::now() < next_try_) return fail(refusal_);
    ++open_;
    lock.unlock();
    auto connection = Connection::open(settings_, deadline);
    if (connection) return connection;
    lock.lock();
    --open_;
    refusal_ = connection.error();
    next_try_ = in(kBetweenTries);
    lock.unlock();
    returned_.notify_all();  // those who waited for a connection learn that there is none
    return fail(std::move(connection.error()));
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
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

}  // namespace parley::postgres
