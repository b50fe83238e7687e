#pragma once
#include "adapters/postgres/connection.h"
#include "rt/connection_pool.h"

namespace parley::postgres {

/// The connections that questions share: at most Settings::connections; limits and failures as rt::ConnectionPool.
class Pool final : public rt::ConnectionPool<Connection> {
public:
    explicit Pool(Settings settings)
        : ConnectionPool("PostgreSQL", settings.connections, settings.answer_limit,
                         [this](Deadline deadline) { return Connection::open(settings_, deadline); }),
          settings_(std::move(settings)) {}

    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }

    Result<Rows> run(const Statement& statement, const Params& params) {
        return with([&](Connection& connection, Deadline deadline, bool) {
            return connection.run(statement, params, deadline);
        });
    }

private:
    const Settings settings_;
};

}  // namespace parley::postgres
