#pragma once
#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "log/room_log.h"

namespace parley::contract {

/// For tests: one Parley server's log, with verbs. Others may work on the same stored rooms.
template <class Log = log::RoomLog>
class LogNode {
public:
    using Answer = Result<std::vector<log::Appended>>;

    explicit LogNode(const std::function<std::unique_ptr<Log>(const Clock&)>& open) : log_(open(clock_)) {
        log_->on_commit([this](std::span<const MessageRef> messages) {
            const std::lock_guard lock{mutex_};
            for (const auto& message : messages) heard_.push_back(message->id.str());
        });
    }
    Log& log() { return *log_; }
    std::future<Answer> send(const std::string& room, const std::string& sender, const std::string& id,
                             const std::string& content = "hello") {
        Draft draft;
        draft.sender = MemberId::trusted(sender);
        draft.nickname = "앨리스";
        draft.id = MessageId::trusted(id);
        draft.content = content;
        auto promise = std::make_shared<std::promise<Answer>>();
        auto future = promise->get_future();
        log_->append({RoomId::trusted(room), {std::move(draft)}},
                     [promise](Answer answer) { promise->set_value(std::move(answer)); });
        return future;
    }
    /// Tries until it is stored, as a client does. Error: not within 15 s.
    Answer insist(const std::string& room, const std::string& sender, const std::string& id) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{15};
        for (;;) {
            auto answer = send(room, sender, id).get();
            if (answer || std::chrono::steady_clock::now() > end) return answer;
            EXPECT_EQ(answer.error().code, Code::kStoreUnavailable);
            std::this_thread::yield();
        }
    }
    /// Everything in the room, checked to be dense and in the order of time. A store that does not answer is asked
    /// again, for 10 s.
    std::vector<MessageRef> all(const std::string& room) {
        const auto read = [&] { return log_->read(RoomId::trusted(room), {0}, 1'000'000, 1_GiB); };
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
        auto page = read();
        while (!page && page.error().code == Code::kStoreUnavailable && std::chrono::steady_clock::now() < end)
            page = read();
        EXPECT_TRUE(page.has_value()) << (page ? "" : page.error().message);
        if (!page) return {};
        std::uint64_t seq = page->at.first.value;
        WallTime last{};
        for (const auto& message : page->messages) {
            EXPECT_EQ(message->seq.value, seq++);
            EXPECT_GE(message->created_at, last);
            last = message->created_at;
        }
        EXPECT_EQ(seq, page->at.head.value + 1);
        return page->messages;
    }
    std::vector<std::string> ids(const std::string& room) {
        std::vector<std::string> out;
        for (const auto& message : all(room)) out.push_back(message->id.str());
        return out;
    }
    std::vector<std::string> heard() {
        const std::lock_guard lock{mutex_};
        return heard_;
    }

private:
    SystemClock clock_;
    std::mutex mutex_;
    std::vector<std::string> heard_;
    std::unique_ptr<Log> log_;
};

}  // namespace parley::contract
