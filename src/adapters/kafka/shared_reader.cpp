#include "adapters/kafka/shared_reader.h"

#include <pthread.h>

#include <algorithm>

#include "adapters/kafka/record.h"
#include "base/logger.h"

namespace parley::kafka {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kLook{20};
constexpr milliseconds kEvery{1'000};
/// Nobody says that a commit was lost: each so many are of all partitions, moved or not.
constexpr unsigned kAllOf = 10;
constexpr std::size_t kMost = 20'000;

}  // namespace

std::uint64_t SharedReader::Owned::done() const {
    if (!told.empty()) return told.front();
    return waiting.empty() ? next : waiting.front().offset;
}

Result<std::unique_ptr<SharedReader>> SharedReader::open(const Settings& settings, const std::string& group,
                                                         Counted counted, log::SharedReading::Listener& listener) {
    std::unique_ptr<SharedReader> reader{new SharedReader{group, std::move(counted), listener}};
    auto member = GroupMember::open(settings, group, kEvery, *reader);
    if (!member) return fail(member.error());
    reader->member_ = std::move(*member);
    reader->thread_ = std::thread{[self = reader.get()] { self->run(); }};
    return reader;
}

SharedReader::~SharedReader() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    member_->stop();
    thread_.join();
}

void SharedReader::done(log::Position to) {
    const std::lock_guard lock{mutex_};
    const auto owned = owned_.find(to.partition);
    if (owned == owned_.end()) return;
    auto& told = owned->second.told;
    while (!told.empty() && told.front() < to.next) told.pop_front();
}

void SharedReader::run() {
    ::pthread_setname_np(::pthread_self(), group_.substr(0, 15).c_str());
    while (!stopping_) {
        read();
        tell_counted();
        pause_or_resume();
        if (const auto now = steady_clock::now(); now >= next_commit_) {
            next_commit_ = now + kEvery;
            commit(++commits_ % kAllOf == 0 ? Commit::kAll : Commit::kMoved);
        }
    }
    member_->leave();
}

void SharedReader::read() {
    const auto records = member_->read(kLook);
    if (!records) {
        on_trouble(records.error().message);
        member_->begin_anew();
        return;
    }
    for (const InRecord& record : *records) take(record);
    on_trouble(member_->waiting_for());
}

Result<std::uint64_t> SharedReader::kept_from(std::uint32_t partition, std::optional<std::uint64_t> from) {
    const auto kept = member_->kept(partition);
    if (!kept) return fail(kept.error());
    if (from && *from < kept->begin) {
        logger::warn("kafka", "records were removed before a group had read them",
                     {{"group", group_}, {"partition", partition}, {"from", *from}, {"to", kept->begin - 1}});
    }
    return std::max(from.value_or(0), kept->begin);
}

void SharedReader::take(const InRecord& record) {
    const auto owned = owned_.find(record.partition);
    if (owned == owned_.end() || record.offset < owned->second.next) return;
    Owned& own = owned->second;
    const auto head = parse_head(record);
    const std::lock_guard lock{mutex_};
    own.next = record.offset + 1;
    if (!head) return;
    auto room = RoomId::trusted(std::string{head->room});
    if (!room.is_server_own()) own.waiting.push_back({record.offset, std::move(room)});
}

void SharedReader::tell_counted() {
    if (std::ranges::all_of(owned_, [](const auto& one) { return one.second.waiting.empty(); })) return;
    const auto counted = counted_();
    for (auto& [partition, own] : owned_) {
        while (!own.waiting.empty() && own.waiting.front().offset < counted.at(partition)) {
            const Record record = std::move(own.waiting.front());
            {
                const std::lock_guard lock{mutex_};
                own.waiting.pop_front();
                own.told.push_back(record.offset);
            }
            listener_.on_record(partition, record.offset, record.room);
        }
    }
}

void SharedReader::pause_or_resume() {
    for (auto& [partition, own] : owned_) {
        std::size_t open = 0;
        {
            const std::lock_guard lock{mutex_};
            open = own.waiting.size() + own.told.size();
        }
        if (own.paused ? open > kMost / 2 : open <= kMost) continue;
        if (!own.paused) {
            member_->pause(partition);
        } else if (const auto begun = member_->read_from(partition, own.next); !begun) {
            on_trouble(begun.error().message);
            continue;
        }
        own.paused = !own.paused;
    }
}

void SharedReader::commit(Commit which) {
    std::map<std::uint32_t, std::uint64_t> moved;
    {
        const std::lock_guard lock{mutex_};
        for (auto& [partition, own] : owned_) {
            if (which == Commit::kMoved && own.done() <= own.committed) continue;
            own.committed = own.done();
            moved[partition] = own.committed;
        }
    }
    if (!moved.empty()) member_->commit(moved);
}

Result<std::uint64_t> SharedReader::on_assigned(std::uint32_t partition) {
    const auto committed = member_->committed(partition);
    if (!committed) return fail(committed.error());
    const auto from = kept_from(partition, *committed);
    if (!from) return from;
    if (!*committed) member_->commit({{partition, *from}});
    bool is_new = false;
    {
        const std::lock_guard lock{mutex_};
        Owned own;
        own.next = own.committed = *from;
        is_new = owned_.insert_or_assign(partition, std::move(own)).second;
    }
    if (is_new) listener_.on_assigned(partition);
    return from;
}

void SharedReader::on_revoked(const GroupMember::Partitions& partitions) {
    for (const std::uint32_t partition : partitions) listener_.on_revoked(partition);
    commit(Commit::kAll);
    const std::lock_guard lock{mutex_};
    for (const std::uint32_t partition : partitions) owned_.erase(partition);
}

void SharedReader::on_trouble(const std::string& why) {
    if (why == trouble_) return;
    trouble_ = why;
    in_trouble_ = !why.empty();
    if (why.empty()) {
        logger::info("kafka", "a group reads again", {{"group", group_}});
    } else {
        logger::error("kafka", "a group waits", {{"group", group_}, {"why", why}});
    }
}

}  // namespace parley::kafka
