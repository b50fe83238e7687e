#include "log/batch_writer.h"

#include <pthread.h>

#include <algorithm>

namespace parley::log {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kBetweenTries{50};
constexpr milliseconds kFirstBackOff{100};
constexpr milliseconds kLastBackOff{1'000};
constexpr std::size_t kMessageOverhead = 200;  // ids, head and bookkeeping of one message

}  // namespace

BatchWriter::BatchWriter(Options options, const Clock& clock, Problem problem, Begin begin)
    : options_(std::move(options)),
      clock_(clock),
      problem_(problem),
      begin_(std::move(begin)),
      queue_(options_.queue_limit) {
    thread_ = std::thread{[this] { run(); }};
}

BatchWriter::~BatchWriter() {
    queue_.close();
    thread_.join();
}

void BatchWriter::append_all(std::vector<Append> appends) {
    const bool refusing = faulted_ && !may_try();
    std::vector<Pending> pendings;
    pendings.reserve(appends.size());
    for (Append& each : appends) {
        if (const char* why = problem_(each.request); why != nullptr) {
            refuse(each.done, {Code::kInvalidPayload, why});
        } else if (refusing) {
            refuse(each.done, {Code::kStoreUnavailable, "the message store is not taking writes"});
        } else {
            pendings.push_back(pending_of(std::move(each)));
        }
    }
    const std::size_t taken = queue_.push(pendings);
    refuse(std::span{pendings}.subspan(taken), {Code::kStoreUnavailable, "too much is waiting for the message store"});
}

Pending BatchWriter::pending_of(Append append) const {
    Pending out;
    append.request.give_ids(clock_.wall());
    for (const Draft& draft : append.request.drafts)
        out.bytes += draft.nickname.size() + draft.content.size() + draft.extra.size() + kMessageOverhead;
    // The draft here, its copy for the wire and the client library's.
    out.held = {memory::Use::kMessages, 3 * out.bytes};
    out.request = std::move(append.request);
    out.done = std::move(append.done);
    return out;
}

void BatchWriter::run() {
    ::pthread_setname_np(::pthread_self(), "log-writer");
    Work work;
    while (queue_.take(work, options_.batch_messages, options_.batch_bytes.count)) {
        if (faulted_ && !may_try()) {
            refuse(work.appends, {Code::kStoreUnavailable, fault_});
        } else {
            store(work.appends);
        }
        work.appends.clear();
    }
}

void BatchWriter::store(std::span<Pending> appends) {
    const auto begun = steady_clock::now();
    const auto batch = begin_(appends);
    const auto stored = try_to_store(*batch);
    if (!stored && stored.error().code == Code::kInvalidPayload && appends.size() > 1) {
        // One of them is at fault: each by itself, so that the others are stored.
        for (std::size_t i = 0; i < appends.size(); ++i) store(appends.subspan(i, 1));
        return;
    }
    if (stored) {
        counters_.count_commit(std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun));
        recovered();
    }
    const bool trouble = !stored && stored.error().code != Code::kInvalidPayload;
    if (trouble) fault(stored.error().message);
    tell(appends, *batch, stored);
    if (!trouble) return;
    Work behind;
    queue_.take_all(behind);
    refuse(behind.appends, stored.error());
}

/// Until it is stored, or for settle_limit; once while the store is known to be away.
Result<> BatchWriter::try_to_store(BatchTry& batch) {
    const Deadline deadline = steady_clock::now() + options_.settle_limit;
    for (;;) {
        auto stored = batch.store(clock_.wall(), deadline);
        if (stored || stored.error().code == Code::kInvalidPayload || faulted_) return stored;
        if (steady_clock::now() + kBetweenTries >= deadline) return stored;
        std::this_thread::sleep_for(kBetweenTries);
    }
}

void BatchWriter::tell(std::span<Pending> appends, BatchTry& batch, const Result<>& stored) {
    auto outcome = batch.take();
    counters_.messages += outcome.messages.size();
    counters_.repeats += outcome.repeats;
    if (listener_ && !outcome.messages.empty()) listener_(outcome.messages);
    for (std::size_t i = 0; i < appends.size(); ++i) {
        if (outcome.answers[i].empty()) {
            refuse(appends[i].done, stored.error());
        } else {
            appends[i].done(std::move(outcome.answers[i]));
        }
    }
}

void BatchWriter::refuse(std::span<Pending> appends, const Error& error) {
    for (Pending& pending : appends) refuse(pending.done, error);
}

void BatchWriter::refuse(AppendDone& done, const Error& error) {
    ++counters_.refused;
    done(fail(error));
}

void BatchWriter::fault(const std::string& reason) {
    if (!faulted_) {
        ++counters_.faults;
        back_off_ = milliseconds{0};
    }
    if (fault_ != reason && options_.on_trouble) options_.on_trouble(reason);
    fault_ = reason;
    back_off_ = std::clamp(back_off_ * 2, kFirstBackOff, kLastBackOff);
    next_try_ = steady_clock::now() + back_off_;
    faulted_ = true;
}

void BatchWriter::recovered() {
    if (!faulted_) return;
    fault_.clear();
    faulted_ = false;
    if (options_.on_trouble) options_.on_trouble({});
}

bool BatchWriter::may_try() const { return steady_clock::now() >= next_try_.load(); }

LogStats BatchWriter::stats() const {
    LogStats out = counters_.read();
    out.queue_bytes = queue_.bytes();
    out.available = !faulted_;
    return out;
}

}  // namespace parley::log
