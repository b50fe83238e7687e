#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <numeric>
#include <random>
#include <thread>

#include "base/temp_dir.h"
#include "base/uuid.h"
#include "log/bare_loop.h"
#include "log/embedded_log.h"

namespace parley::log {
namespace {

const SystemClock kClock;
constexpr int kProducers = 500;
constexpr int kInFlight = 16;
constexpr int kRooms = 500;
const std::string kContent =
    "The door creaks open; a draught of cold air and the smell of old paper come out. 주사위를 굴려 주세요 🎲";

Draft make_draft(int producer, bool fresh) {
    Draft draft;
    draft.sender = MemberId::trusted(fmt::format("u-{}", producer));
    draft.nickname = "앨리스";
    draft.id = MessageId::trusted(make_uuid7(kClock.wall()));
    draft.fresh_id = fresh;
    draft.content = kContent;
    return draft;
}

std::unique_ptr<EmbeddedLog> open_log(const std::string& dir) {
    EmbeddedLogOptions options;
    options.data_dir = dir;
    auto log = EmbeddedLog::open(std::move(options), kClock);
    if (!log) throw std::runtime_error(log.error().message);
    return std::move(*log);
}

/// CPU time the thread of that name has used in this process; less moved by the machine's load than rates are.
double cpu_seconds(const std::string& thread) {
    for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
        std::string name;
        std::getline(std::ifstream{task.path() / "comm"} >> std::ws, name);
        if (name != thread) continue;
        std::uint64_t ns = 0;
        std::ifstream{task.path() / "schedstat"} >> ns;
        return static_cast<double>(ns) / 1e9;
    }
    return 0;
}

/// Keeps kInFlight appends of every producer under way; two threads stand for the server's loops.
class Load {
public:
    Load(RoomLog& log, bool fresh) : log_(log), fresh_(fresh) {}

    /// Messages answered per second.
    double run(std::chrono::milliseconds time) {
        for (int slot = 0; slot < kProducers * kInFlight; ++slot) ready_.push_back(slot % kProducers);
        const auto begun = std::chrono::steady_clock::now();
        std::thread a{[this] { feed(); }};
        std::thread b{[this] { feed(); }};
        std::this_thread::sleep_for(time);
        {
            const std::lock_guard lock{mutex_};
            ending_ = true;
        }
        wake_.notify_all();
        a.join();
        b.join();
        std::unique_lock lock{mutex_};
        wake_.wait(lock, [this] { return under_way_ == 0; });
        return static_cast<double>(answered_) /
               std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    }

private:
    void feed() {
        std::vector<int> mine;
        std::unique_lock lock{mutex_};
        for (;;) {
            wake_.wait(lock, [this] { return ending_ || !ready_.empty(); });
            if (ending_) return;
            const std::size_t take = std::min<std::size_t>(ready_.size(), 256);
            mine.assign(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(take));
            ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(take));
            under_way_ += take;
            lock.unlock();
            for (const int producer : mine) send(producer);
            lock.lock();
        }
    }
    void send(int producer) {
        std::vector<Draft> drafts;
        drafts.push_back(make_draft(producer, fresh_));
        log_.append({RoomId::trusted(fmt::format("room-{}", producer % kRooms)), std::move(drafts)},
                    [this, producer](const auto& answer) {
                        const std::lock_guard lock{mutex_};
                        if (answer) ++answered_;
                        --under_way_;
                        const bool wake = ready_.empty();
                        ready_.push_back(producer);
                        if (wake || ending_) wake_.notify_all();
                    });
    }

    RoomLog& log_;
    const bool fresh_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<int> ready_;
    std::size_t under_way_ = 0;
    std::size_t answered_ = 0;
    bool ending_ = false;
};

/// The log against the bare loop at the log's own mean batch and record size, alternating.
void BM_AppendAgainstBare(benchmark::State& state) {
    const bool fresh = state.range(0) != 0;
    constexpr std::chrono::milliseconds kTime{3000};
    for (auto _ : state) {
        double log_rate = 0;
        double bare_rate = 0;
        double log_cpu = 0;
        double bare_cpu = 0;
        double batch = 0;
        for (int round = 0; round < 3; ++round) {
            const TempDir dir;
            const auto log = open_log(dir.path());
            log_rate += Load{*log, fresh}.run(kTime) / 3;
            const LogStats stats = log->stats();
            batch =
                static_cast<double>(stats.messages) / static_cast<double>(std::max<std::uint64_t>(stats.commits, 1));
            log_cpu += cpu_seconds("log-writer") / static_cast<double>(stats.messages) * 1e6 / 3;
            const double cpu = cpu_seconds("log_bench");
            const BareRun bare = bare_loop(static_cast<std::size_t>(batch), kContent.size() + 70, kTime);
            bare_rate += bare.per_second() / 3;
            bare_cpu += (cpu_seconds("log_bench") - cpu) / static_cast<double>(bare.messages) * 1e6 / 3;
        }
        state.counters["log/s"] = log_rate;
        state.counters["bare/s"] = bare_rate;
        state.counters["ratio"] = log_rate / bare_rate;
        state.counters["log_cpu_us"] = log_cpu;
        state.counters["bare_cpu_us"] = bare_cpu;
        state.counters["batch"] = batch;
    }
}
BENCHMARK(BM_AppendAgainstBare)->ArgName("fresh_ids")->Arg(0)->Arg(1)->Iterations(1)->Unit(benchmark::kSecond);

/// `messages` in requests of 100, over kRooms rooms. `content_size` 0: the usual content; else as many bytes that do
/// not compress, so that the store is as large as it sounds.
void fill(RoomLog& log, std::int64_t messages, std::size_t content_size = 0) {
    std::string noise(1 << 20, '\0');
    std::mt19937_64 random{42};
    for (char& c : noise) c = static_cast<char>('!' + random() % 94);
    std::mutex mutex;
    std::condition_variable wake;
    int under_way = 0;
    for (std::int64_t sent = 0; sent < messages; sent += 100) {
        AppendRequest request{RoomId::trusted(fmt::format("room-{}", sent / 100 % kRooms)), {}};
        for (int i = 0; i < 100; ++i) {
            request.drafts.push_back(make_draft(i, true));
            if (content_size != 0) {
                request.drafts.back().content = noise.substr(random() % (noise.size() - content_size), content_size);
            }
        }
        std::unique_lock lock{mutex};
        wake.wait(lock, [&] { return under_way < 80; });
        ++under_way;
        lock.unlock();
        log.append(std::move(request), [&](const auto&) {
            const std::lock_guard done{mutex};
            --under_way;
            wake.notify_one();
        });
    }
    std::unique_lock lock{mutex};
    wake.wait(lock, [&] { return under_way == 0; });
}

/// Opening a store of that many messages and reading one room's head.
void BM_Open(benchmark::State& state) {
    const TempDir dir;
    fill(*open_log(dir.path()), state.range(0));
    for (auto _ : state) {
        const auto log = open_log(dir.path());
        benchmark::DoNotOptimize(log->head(RoomId::trusted("room-7")));
        state.PauseTiming();
        const_cast<std::unique_ptr<EmbeddedLog>&>(log).reset();
        state.ResumeTiming();
    }
}
BENCHMARK(BM_Open)
    ->ArgName("messages")
    ->Arg(10'000)
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);

double append_ms(RoomLog& log) {
    std::mutex mutex;
    std::condition_variable wake;
    bool answered = false;
    const auto begun = std::chrono::steady_clock::now();
    std::vector<Draft> drafts;
    drafts.push_back(make_draft(1, false));
    log.append({RoomId::trusted("quiet-room"), std::move(drafts)}, [&](const auto&) {
        const std::lock_guard lock{mutex};
        answered = true;
        wake.notify_one();
    });
    std::unique_lock lock{mutex};
    wake.wait(lock, [&] { return answered; });
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
}

double percentile(std::vector<double> values, double which) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(which * static_cast<double>(values.size() - 1))];
}

/// One sender, one in flight: alone, and while a store of that many messages of 1 KB is compacted whole.
void BM_SenderDuringCompaction(benchmark::State& state) {
    const TempDir dir;
    const auto log = open_log(dir.path());
    fill(*log, state.range(0), 1000);
    for (auto _ : state) {
        std::vector<double> quiet;
        for (int i = 0; i < 2000; ++i) quiet.push_back(append_ms(*log));
        std::vector<double> busy;
        std::atomic<bool> ended{false};
        std::thread compaction{[&] {
            log->compact();
            ended = true;
        }};
        while (!ended) busy.push_back(append_ms(*log));
        compaction.join();
        state.counters["quiet_p50_ms"] = percentile(quiet, 0.50);
        state.counters["quiet_p99_ms"] = percentile(quiet, 0.99);
        state.counters["busy_p50_ms"] = percentile(busy, 0.50);
        state.counters["busy_p99_ms"] = percentile(busy, 0.99);
        state.counters["busy_max_ms"] = percentile(busy, 1);
        state.counters["sent_during"] = static_cast<double>(busy.size());
    }
}
BENCHMARK(BM_SenderDuringCompaction)
    ->ArgName("messages")
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Iterations(1)
    ->Unit(benchmark::kSecond);

}  // namespace
}  // namespace parley::log
