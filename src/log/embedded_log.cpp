#include "log/embedded_log.h"

#include <pthread.h>
#include <rocksdb/env.h>
#include <rocksdb/perf_level.h>

#include <algorithm>
#include <span>

#include "log/commit_queue.h"
#include "log/committer.h"
#include "log/store.h"
#include "log/store_reader.h"
#include "log/trimmer.h"

namespace parley::log {
namespace {

constexpr milliseconds kFirstBackOff{100};
constexpr milliseconds kLastBackOff{5'000};
constexpr std::size_t kMessageOverhead = 200;  // keys, head and bookkeeping of one message

StoreOptions store_options(const EmbeddedLogOptions& options) {
    return {.data_dir = options.data_dir,
            .env = options.env,
            .cache = options.cache,
            .write_buffers = options.write_buffers};
}

/// Writes and fsyncs as much as opening the store anew may need.
rocksdb::Status probe_disk(const StoreOptions& options, std::uint64_t bytes) {
    rocksdb::Env* env = options.env != nullptr ? options.env : rocksdb::Env::Default();
    const std::string path = options.data_dir + "/log.probe";
    std::unique_ptr<rocksdb::WritableFile> file;
    rocksdb::EnvOptions plain;
    auto status = env->NewWritableFile(path, &file, plain);
    const std::string block(std::size_t{1} << 20, 'p');
    for (std::uint64_t written = 0; status.ok() && written < bytes; written += block.size())
        status = file->Append(block);
    if (status.ok()) status = file->Sync();
    if (status.ok()) status = file->Close();
    file.reset();
    env->DeleteFile(path).PermitUncheckedError();
    return status;
}

}  // namespace

Result<std::unique_ptr<EmbeddedLog>> EmbeddedLog::open(EmbeddedLogOptions options, const Clock& clock) {
    auto store = Store::open(store_options(options), clock);
    if (!store) return fail(std::move(store.error()));
    return std::unique_ptr<EmbeddedLog>{new EmbeddedLog{std::move(options), clock, std::move(*store)}};
}

EmbeddedLog::EmbeddedLog(EmbeddedLogOptions options, const Clock& clock, std::unique_ptr<Store> store)
    : options_(std::move(options)),
      clock_(clock),
      queue_(std::make_unique<CommitQueue>(options_.queue_limit)),
      committer_(std::make_unique<Committer>(clock, options_.cached_heads, options_.sync)),
      store_(std::move(store)) {
    committer_->forget(*store_);
    writer_ = std::thread{[this] { run(); }};
    trimmer_ = std::make_unique<Trimmer>(
        Trimmer::Limits{options_.max_age, options_.max_room_bytes, options_.trim_interval}, clock_,
        [this](const std::function<void(const Store&)>& use) {
            const std::shared_lock lock{store_mutex_};
            if (store_) use(*store_);
        },
        *queue_);
}

EmbeddedLog::~EmbeddedLog() {
    queue_->close();
    writer_.join();
    trimmer_.reset();
    if (store_ && !faulted_) store_->flush();
}

void EmbeddedLog::on_commit(CommitListener listener) { listener_ = std::move(listener); }

void EmbeddedLog::append_all(std::vector<Append> appends) {
    const bool refusing = faulted_ && !recovery_is_due();
    std::vector<Pending> pendings;
    pendings.reserve(appends.size());
    for (Append& each : appends) {
        if (refusing) {
            refuse(each.done, "the message store is not taking writes");
        } else {
            pendings.push_back(pending_of(std::move(each)));
        }
    }
    const std::size_t taken = queue_->push(pendings);
    for (Pending& pending : std::span{pendings}.subspan(taken))
        refuse(pending.done, "too much is waiting for the message store");
}

Pending EmbeddedLog::pending_of(Append append) const {
    Pending out;
    append.request.give_ids(clock_.wall());
    out.records.reserve(append.request.drafts.size());
    for (const Draft& draft : append.request.drafts) {
        out.records.push_back(records::encode_draft(draft));
        out.bytes += out.records.back().size() + kMessageOverhead;
    }
    // The record and the draft here, then the batch and what RocksDB makes of it.
    out.held = {memory::Use::kMessages, 3 * out.bytes};
    out.request = std::move(append.request);
    out.done = std::move(append.done);
    return out;
}

void EmbeddedLog::run() {
    ::pthread_setname_np(::pthread_self(), "log-writer");
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);  // it would count every comparison of two keys
    Work work;
    while (queue_->take(work, options_.commit_messages, options_.commit_bytes.count)) {
        if (faulted_ && !recover())
            refuse(work, fault_);
        else
            commit(work);
        work.appends.clear();
        work.trims.clear();
    }
}

void EmbeddedLog::commit(Work& work) {
    const SteadyTime begun = clock_.steady();
    Committer::Outcome outcome;
    const auto status = committer_->commit(*store_, work, outcome);
    if (!status.ok()) {
        begin_fault(explain(status, options_.data_dir).message);
        queue_->take_all(work);
        return refuse(work, fault_);
    }
    counters_.count_commit(std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - begun));
    counters_.messages += outcome.messages.size();
    counters_.repeats += outcome.repeats;
    if (listener_ && !outcome.messages.empty()) listener_(outcome.messages);
    for (std::size_t i = 0; i < work.appends.size(); ++i) {
        if (!outcome.answers[i]) ++counters_.refused;
        work.appends[i].done(std::move(outcome.answers[i]));
    }
    for (Trim& slice : work.trims) {
        counters_.trimmed += slice.dedup_keys.size();
        slice.then(true);
    }
}

void EmbeddedLog::refuse(Work& work, const std::string& reason) {
    for (Pending& pending : work.appends) refuse(pending.done, reason);
    for (Trim& slice : work.trims) slice.then(false);
}

void EmbeddedLog::refuse(AppendDone& done, const std::string& reason) {
    ++counters_.refused;
    done(fail(Code::kStoreUnavailable, reason));
}

void EmbeddedLog::begin_fault(const std::string& reason) {
    ++counters_.faults;
    back_off_ = milliseconds{0};
    fault_lasts(reason);
    faulted_ = true;
}

void EmbeddedLog::fault_lasts(const std::string& reason) {
    if (fault_ != reason && options_.on_trouble) options_.on_trouble(reason);
    fault_ = reason;
    back_off_ = std::clamp(back_off_ * 2, kFirstBackOff, kLastBackOff);
    next_try_ = clock_.steady() + back_off_;
}

bool EmbeddedLog::recovery_is_due() const { return clock_.steady() >= next_try_.load(); }

bool EmbeddedLog::recover() {
    if (!recovery_is_due()) return false;
    const StoreOptions store = store_options(options_);
    const auto status = probe_disk(store, wal_bytes(store) + (1_MiB).count);
    if (!status.ok()) {
        fault_lasts(explain(status, options_.data_dir).message);
        return false;
    }
    if (auto opened = open_anew(store); !opened) {
        fault_lasts(opened.error().message);
        return false;
    }
    committer_->forget(*store_);
    fault_.clear();
    faulted_ = false;
    if (options_.on_trouble) options_.on_trouble({});
    return true;
}

Result<> EmbeddedLog::open_anew(const StoreOptions& options) {
    reopening_ = true;
    const std::unique_lock lock{store_mutex_};
    store_.reset();
    auto opened = Store::open(options, clock_);
    if (opened) store_ = std::move(*opened);
    reopening_ = false;
    if (!store_) return fail(std::move(opened.error()));
    return {};
}

namespace {
template <class Read>
auto with_reader(std::shared_mutex& mutex, const std::atomic<bool>& reopening, const std::unique_ptr<Store>& store,
                 Read read) -> decltype(read(StoreReader{*store})) {
    // A new reader keeps out of the way of an opening that waits for the lock.
    if (!reopening) {
        const std::shared_lock lock{mutex};
        if (store) return read(StoreReader{*store});
    }
    return fail(Code::kStoreUnavailable, "the message store is being opened anew");
}
}  // namespace

Result<Page> EmbeddedLog::read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) {
    return with_reader(store_mutex_, reopening_, store_,
                       [&](const StoreReader& reader) { return reader.read(room, after, limit, max); });
}

Result<Page> EmbeddedLog::read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) {
    return with_reader(store_mutex_, reopening_, store_,
                       [&](const StoreReader& reader) { return reader.read_before(room, before, limit, max); });
}

Result<RoomHead> EmbeddedLog::head(const RoomId& room) {
    return with_reader(store_mutex_, reopening_, store_, [&](const StoreReader& reader) { return reader.head(room); });
}

Result<RoomSeq> EmbeddedLog::seek(const RoomId& room, WallTime time) {
    return with_reader(store_mutex_, reopening_, store_,
                       [&](const StoreReader& reader) { return reader.seek(room, time); });
}

Result<std::vector<ListedRoom>> EmbeddedLog::rooms(const RoomId& after, WallTime since, std::size_t limit) {
    return with_reader(store_mutex_, reopening_, store_,
                       [&](const StoreReader& reader) { return reader.rooms(after, since, limit); });
}

void EmbeddedLog::trim_now() { trimmer_->sweep(); }

void EmbeddedLog::compact() {
    const std::shared_lock lock{store_mutex_};
    if (store_) store_->compact();
}

LogStats EmbeddedLog::stats() const {
    LogStats out = counters_.read();
    out.queue_bytes = queue_->bytes();
    out.available = !faulted_;
    return out;
}

}  // namespace parley::log
