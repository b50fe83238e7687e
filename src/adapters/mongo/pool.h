#pragma once
#include <utility>
#include <vector>

#include "adapters/mongo/connection.h"

namespace parley::mongo {

/// The connections that questions share: at most Settings::connections; limits and failures as rt::ConnectionPool. A
/// command whose connection broke is given once more, so whoever gives it must bear that it is done twice.
class Pool final : public rt::ConnectionPool<Connection> {
public:
    explicit Pool(Settings settings)
        : ConnectionPool("MongoDB", settings.connections, settings.answer_limit,
                         [this](Deadline deadline) { return open(deadline); }),
          settings_(std::move(settings)) {}

    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
    /// One beside those that are shared.
    Result<std::unique_ptr<Connection>> open(Deadline deadline) const {
        return Connection::open(settings_, breaks_, deadline);
    }

    Result<Reply> run(const Document& command) {
        return with([&](Connection& connection, Deadline, bool) { return connection.run(command); });
    }
    Result<std::vector<Document>> find(const Document& command) {
        return with([&](Connection& connection, Deadline, bool) { return connection.find(command); });
    }

private:
    const Settings settings_;
    const Breaks breaks_ = std::make_shared<std::atomic<unsigned>>(0);
};

}  // namespace parley::mongo
