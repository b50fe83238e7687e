#include "adapters/mongo/mongo_log.h"

#include "adapters/mongo/database.h"

namespace parley::mongo {
namespace {

/// A document holds 16 MB, with the ids of a hundred messages.
constexpr std::uint64_t kMostOfOneRequest = 14 << 20;

const char* problem(const log::AppendRequest& request) {
    std::uint64_t bytes = 0;
    for (const Draft& draft : request.drafts) {
        if (!is_utf8(draft.nickname) || !is_utf8(draft.content) || !is_utf8(draft.extra)) return "it is not UTF-8";
        bytes += draft.nickname.size() + draft.content.size() + draft.extra.size();
    }
    return bytes > kMostOfOneRequest ? "it is too large for one document of MongoDB" : nullptr;
}

}  // namespace

Result<std::unique_ptr<MongoLog>> MongoLog::open(std::shared_ptr<Pool> pool, MongoLogOptions options,
                                                 const Clock& clock) {
    const auto epoch = epoch_of(*pool);
    if (!epoch) return fail(epoch.error());
    auto connection = pool->open(in(pool->settings().connect_limit));
    if (!connection) return fail(std::move(connection.error()));
    return std::unique_ptr<MongoLog>{
        new MongoLog{std::move(pool), {*epoch}, std::move(options), clock, std::move(*connection)}};
}

MongoLog::MongoLog(std::shared_ptr<Pool> pool, Epoch epoch, MongoLogOptions options, const Clock& clock,
                   std::unique_ptr<Connection> connection)
    : pool_(std::move(pool)),
      reader_(pool_, epoch),
      trimmer_(options.keep, clock, *pool_),
      kept_{*pool_, std::move(connection), {}},
      writer_(std::move(options.writer), clock, problem,
              [this](std::span<log::Pending> appends) { return std::make_unique<Batch>(appends, kept_); }) {}

Result<log::Page> MongoLog::read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) {
    return reader_.read(room, after, limit, max);
}

Result<log::Page> MongoLog::read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) {
    return reader_.read_before(room, before, limit, max);
}

Result<log::RoomHead> MongoLog::head(const RoomId& room) { return reader_.head(room); }

Result<RoomSeq> MongoLog::seek(const RoomId& room, WallTime time) { return reader_.seek(room, time); }

}  // namespace parley::mongo
