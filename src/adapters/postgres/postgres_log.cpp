#include "adapters/postgres/postgres_log.h"

#include "adapters/postgres/batch.h"

namespace parley::postgres {
namespace {

const char* problem(const log::AppendRequest& request) {
    for (const Draft& draft : request.drafts) {
        for (const std::string& text : {std::cref(draft.nickname), std::cref(draft.content), std::cref(draft.extra)})
            if (text.find('\0') != std::string::npos) return "U+0000 cannot be stored";
    }
    return nullptr;
}

}  // namespace

/// A batch and the writer's connection, which is given up with its transaction and its locks after a failure.
class PostgresLog::Try final : public log::BatchTry {
public:
    Try(std::span<log::Pending> appends, const Settings& settings, std::unique_ptr<Connection>& connection)
        : batch_(appends), appends_(appends.size()), settings_(settings), connection_(connection) {}

    Result<> store(WallTime now, Deadline deadline) override {
        if (connection_ == nullptr) {
            auto opened = Connection::open(settings_, deadline);
            if (!opened) return fail(std::move(opened.error()));
            connection_ = std::move(*opened);
        }
        auto stored = batch_.store(*connection_, now, deadline);
        stored_ = stored.has_value();
        if (!stored_) connection_.reset();
        return stored;
    }
    Outcome take() override {
        if (stored_) return batch_.take();
        Outcome nothing;
        nothing.answers.resize(appends_);
        return nothing;
    }

private:
    Batch batch_;
    const std::size_t appends_;
    const Settings& settings_;
    std::unique_ptr<Connection>& connection_;
    bool stored_ = false;
};

Result<std::unique_ptr<PostgresLog>> PostgresLog::open(std::shared_ptr<Pool> pool, PostgresLogOptions options,
                                                       const Clock& clock) {
    auto connection = Connection::open(pool->settings(), in(pool->settings().connect_limit));
    if (!connection) return fail(std::move(connection.error()));
    return std::unique_ptr<PostgresLog>{
        new PostgresLog{std::move(pool), std::move(options), clock, std::move(*connection)}};
}

PostgresLog::PostgresLog(std::shared_ptr<Pool> pool, PostgresLogOptions options, const Clock& clock,
                         std::unique_ptr<Connection> connection)
    : pool_(std::move(pool)),
      reader_(pool_),
      trimmer_(options.keep, clock, *pool_),
      connection_(std::move(connection)),
      writer_(std::move(options.writer), clock, problem, [this](std::span<log::Pending> appends) {
          return std::make_unique<Try>(appends, pool_->settings(), connection_);
      }) {}

Result<log::Page> PostgresLog::read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) {
    return reader_.read(room, after, limit, max);
}

Result<log::Page> PostgresLog::read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) {
    return reader_.read_before(room, before, limit, max);
}

Result<log::RoomHead> PostgresLog::head(const RoomId& room) { return reader_.head(room); }

Result<RoomSeq> PostgresLog::seek(const RoomId& room, WallTime time) { return reader_.seek(room, time); }

}  // namespace parley::postgres
