#include "worker/group_runner.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace parley::worker {
namespace {
/// To wake for each record costs more than what is done with it.
constexpr milliseconds kGather{50};
}  // namespace

/// One thread with its reader, for some of the partitions.
class GroupRunner::Lane {
public:
    Lane(const Reader::Parts& parts, const Reader::Options& options, Role& role)
        : log_(parts.log), reader_(parts, options, role), name_(role.name().substr(0, 15)) {}
    ~Lane() {
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
        }
        wake_.notify_all();
        if (thread_.joinable()) thread_.join();
    }
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    void start(log::SharedReading& reading) {
        thread_ = std::thread{[this, &reading] {
            ::pthread_setname_np(::pthread_self(), name_.c_str());
            run(reading);
        }};
    }
    void record(std::uint32_t partition, std::uint64_t offset, const RoomId& room) {
        {
            const std::lock_guard lock{mutex_};
            inbox_.push_back({partition, offset, room});
            if (!waits_) return;
        }
        wake_.notify_all();
    }
    /// Returns when nothing of the partition is under way: what is done now is finished, what else there is can wait.
    void let_go(std::uint32_t partition) {
        reader_.hold_back(true);
        std::unique_lock lock{mutex_};
        leaving_ = partition;
        wake_.notify_all();
        wake_.wait(lock, [this] { return !leaving_; });
    }
    [[nodiscard]] std::size_t rooms_behind() const { return reader_.rooms_behind(); }
    [[nodiscard]] bool is_stuck() const { return reader_.is_stuck(); }

    std::size_t partitions = 0;  ///< on the reading's thread

private:
    struct Record {
        std::uint32_t partition = 0;
        std::uint64_t offset = 0;
        RoomId room;
        RoomSeq head{};
    };

    void run(log::SharedReading& reading) {
        std::unique_lock lock{mutex_};
        while (!stopping_) {
            auto records = std::exchange(inbox_, {});
            const auto leaving = leaving_;
            lock.unlock();
            take(std::move(records));
            const auto wait = std::min(reader_.step(), taken_all_ ? milliseconds::max() : kGather);
            if (leaving) reader_.save();
            report(reading);
            if (leaving) give_up(*leaving);
            lock.lock();
            if (leaving) {
                leaving_.reset();
                reader_.hold_back(false);
                wake_.notify_all();
                continue;
            }
            const auto gather = std::min(wait, kGather);
            if (wake_.wait_for(lock, gather, [this] { return stopping_ || leaving_; })) continue;
            waits_ = true;
            wake_.wait_for(lock, wait - gather, [this] { return stopping_ || leaving_ || !inbox_.empty(); });
            waits_ = false;
        }
        lock.unlock();
        reader_.close();
    }

    void take(std::deque<Record> records) {
        std::ranges::move(records, std::back_inserter(untaken_));
        taken_all_ = true;
        while (!untaken_.empty()) {
            Record& record = untaken_.front();
            const auto head = log_.head(record.room);
            taken_all_ = head.has_value();
            if (!head) return;
            record.head = head->head;
            reader_.follow(record.room, record.head);
            open_[record.partition].push_back(std::move(record));
            untaken_.pop_front();
        }
    }
    /// What of other partitions is under way begins again where the ledger says.
    void give_up(std::uint32_t partition) {
        reader_.close();
        std::erase_if(untaken_, [partition](const Record& one) { return one.partition == partition; });
        open_.erase(partition);
        for (const auto& [other, records] : open_) {
            for (const Record& record : records) reader_.follow(record.room, record.head);
        }
    }
    void report(log::SharedReading& reading) {
        for (auto& [partition, records] : open_) {
            std::optional<std::uint64_t> done;
            while (!records.empty() && reader_.has_saved(records.front().room, records.front().head)) {
                done = records.front().offset;
                records.pop_front();
            }
            if (done) reading.done({partition, *done + 1});
        }
    }

    log::RoomLog& log_;
    Reader reader_;
    const std::string name_;
    std::deque<Record> untaken_;
    bool taken_all_ = true;
    std::map<std::uint32_t, std::deque<Record>> open_;  ///< not done, or not saved
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Record> inbox_;
    std::optional<std::uint32_t> leaving_;
    bool waits_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

Result<std::unique_ptr<GroupRunner>> GroupRunner::open(const Reader::Parts& parts, const Reader::Options& options,
                                                       Role& role, std::size_t threads,
                                                       const log::ShareReading& share) {
    std::unique_ptr<GroupRunner> runner{new GroupRunner};
    for (std::size_t i = 0; i < threads; ++i) runner->lanes_.push_back(std::make_unique<Lane>(parts, options, role));
    auto reading = share(role.name(), *runner);
    if (!reading) return fail(reading.error());
    runner->reading_ = std::move(*reading);
    for (const auto& lane : runner->lanes_) lane->start(*runner->reading_);
    return runner;
}

/// Leaving gives up every partition: then nothing is under way.
GroupRunner::~GroupRunner() { reading_.reset(); }

std::size_t GroupRunner::rooms_behind() const {
    std::size_t sum = 0;
    for (const auto& lane : lanes_) sum += lane->rooms_behind();
    return sum;
}

bool GroupRunner::is_well() const {
    return reading_->is_well() && std::ranges::none_of(lanes_, [](const auto& lane) { return lane->is_stuck(); });
}

void GroupRunner::on_assigned(std::uint32_t partition) {
    const auto lane = std::ranges::min_element(lanes_, {}, [](const auto& one) { return one->partitions; });
    ++(*lane)->partitions;
    lane_of_[partition] = lane->get();
    ++partitions_;
}

void GroupRunner::on_record(std::uint32_t partition, std::uint64_t offset, const RoomId& room) {
    lane_of_.at(partition)->record(partition, offset, room);
}

void GroupRunner::on_revoked(std::uint32_t partition) {
    Lane& lane = *lane_of_.at(partition);
    lane.let_go(partition);
    --lane.partitions;
    lane_of_.erase(partition);
    --partitions_;
}

}  // namespace parley::worker
