#include "adapters/postgres/postgres_log.h"

#include <pthread.h>

#include <algorithm>

#include "adapters/postgres/batch.h"
#include "base/uuid.h"

namespace parley::postgres {
namespace {

using log::AppendDone;
using log::AppendRequest;
using log::Pending;
using std::chrono::steady_clock;

constexpr milliseconds kBetweenTries{50};
constexpr milliseconds kFirstBackOff{100};
constexpr milliseconds kLastBackOff{1'000};
constexpr std::size_t kMessageOverhead = 200;  // ids, head and bookkeeping of one message

bool holds_nul(const Draft& draft) {
    return (draft.nickname + draft.content + draft.extra).find('\0') != std::string::npos;
}

}  // namespace

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
      options_(std::move(options)),
      clock_(clock),
      queue_(options_.queue_limit),
      reader_(pool_),
      trimmer_(options_.keep, clock, *pool_),
      connection_(std::move(connection)) {
    writer_ = std::thread{[this] { run(); }};
}

PostgresLog::~PostgresLog() {
    queue_.close();
    writer_.join();
}

void PostgresLog::append(AppendRequest request, AppendDone done) {
    if (faulted_ && !may_try()) {
        refuse(done, {Code::kStoreUnavailable, "the message store is not taking writes"});
        return;
    }
    Pending pending;
    for (Draft& draft : request.drafts) {
        if (draft.id.empty()) {
            draft.id = MessageId::trusted(make_uuid7(clock_.wall()));
            draft.fresh_id = true;
        }
        if (holds_nul(draft)) {
            refuse(done, {Code::kInvalidPayload, "U+0000 cannot be stored"});
            return;
        }
        pending.bytes += draft.nickname.size() + draft.content.size() + draft.extra.size() + kMessageOverhead;
    }
    // The draft here, its copy for the wire and libpq's.
    pending.held = {memory::Use::kMessages, 3 * pending.bytes};
    pending.request = std::move(request);
    pending.done = std::move(done);
    if (!queue_.push(pending))
        refuse(pending.done, {Code::kStoreUnavailable, "too much is waiting for the message store"});
}

void PostgresLog::run() {
    ::pthread_setname_np(::pthread_self(), "log-writer");
    log::Work work;
    while (queue_.take(work, options_.batch_messages, options_.batch_bytes.count)) {
        if (faulted_ && !may_try()) {
            refuse(work.appends, {Code::kStoreUnavailable, fault_});
        } else {
            store(work.appends);
        }
        work.appends.clear();
    }
}

void PostgresLog::store(std::span<Pending> appends) {
    const auto begun = steady_clock::now();
    Batch batch{appends};
    const auto stored = try_to_store(batch);
    if (stored) {
        counters_.count_commit(std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun));
        recovered();
        tell(appends, batch);
        return;
    }
    if (stored.error().code == Code::kInvalidPayload && appends.size() > 1) {
        // One of them is at fault: each by itself, so that the others are stored.
        for (std::size_t i = 0; i < appends.size(); ++i) store(appends.subspan(i, 1));
        return;
    }
    refuse(appends, stored.error());
    if (stored.error().code == Code::kInvalidPayload) return;
    fault(stored.error().message);
    log::Work behind;
    queue_.take_all(behind);
    refuse(behind.appends, stored.error());
}

/// Until it is stored, or for settle_limit; once while the store is known to be away.
Result<> PostgresLog::try_to_store(Batch& batch) {
    const Deadline deadline = in(options_.settle_limit);
    for (;;) {
        Result<> stored;
        if (connection_ == nullptr) {
            auto opened = Connection::open(pool_->settings(), deadline);
            if (opened) {
                connection_ = std::move(*opened);
            } else {
                stored = fail(std::move(opened.error()));
            }
        }
        if (connection_ != nullptr) {
            stored = batch.store(*connection_, clock_.wall(), deadline);
            if (stored) return stored;
            connection_.reset();  // and with it the transaction and its locks
        }
        if (stored.error().code == Code::kInvalidPayload || faulted_) return stored;
        if (steady_clock::now() + kBetweenTries >= deadline) return stored;
        std::this_thread::sleep_for(kBetweenTries);
    }
}

void PostgresLog::tell(std::span<Pending> appends, Batch& batch) {
    auto outcome = batch.take();
    counters_.messages += outcome.messages.size();
    counters_.repeats += outcome.repeats;
    if (listener_ && !outcome.messages.empty()) listener_(outcome.messages);
    for (std::size_t i = 0; i < appends.size(); ++i) appends[i].done(std::move(outcome.answers[i]));
}

void PostgresLog::refuse(std::span<Pending> appends, const Error& error) {
    for (Pending& pending : appends) refuse(pending.done, error);
}

void PostgresLog::refuse(AppendDone& done, const Error& error) {
    ++counters_.refused;
    done(fail(error));
}

void PostgresLog::fault(const std::string& reason) {
    if (!faulted_) {
        ++counters_.faults;
        back_off_ = milliseconds{0};
    }
    if (fault_ != reason && options_.on_trouble) options_.on_trouble(reason);
    fault_ = reason;
    back_off_ = std::clamp(back_off_ * 2, kFirstBackOff, kLastBackOff);
    next_try_ = in(back_off_);
    faulted_ = true;
}

void PostgresLog::recovered() {
    if (!faulted_) return;
    fault_.clear();
    faulted_ = false;
    if (options_.on_trouble) options_.on_trouble({});
}

bool PostgresLog::may_try() const { return steady_clock::now() >= next_try_.load(); }

Result<log::Page> PostgresLog::read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) {
    return reader_.read(room, after, limit, max);
}

Result<log::Page> PostgresLog::read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) {
    return reader_.read_before(room, before, limit, max);
}

Result<log::RoomHead> PostgresLog::head(const RoomId& room) { return reader_.head(room); }

Result<RoomSeq> PostgresLog::seek(const RoomId& room, WallTime time) { return reader_.seek(room, time); }

log::LogStats PostgresLog::stats() const {
    log::LogStats out = counters_.read();
    out.queue_bytes = queue_.bytes();
    out.available = !faulted_;
    return out;
}

}  // namespace parley::postgres
