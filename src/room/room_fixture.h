#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/room_change.h"
#include "log/room_log.h"
#include "room/hub.h"

namespace parley::room::testing {

/// A RoomLog in memory of one thread. Fails when told to; its answers come when the pool's task is run.
class FakeLog final : public log::RoomLog {
public:
    void append_all(std::vector<log::Append> appends) override {
        for (log::Append& each : appends) each.done(store(std::move(each.request)));
    }
    Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes) override {
        if (is_down || (is_behind && after > at(room).head)) return fail(Code::kStoreUnavailable, "down");
        log::Page page{at(room), {}};
        for (const MessageRef& message : rooms_[room].messages) {
            if (message->seq > after && page.messages.size() < limit) page.messages.push_back(message);
        }
        return page;
    }
    Result<log::Page> read_before(const RoomId&, RoomSeq, std::size_t, Bytes) override { return log::Page{}; }
    Result<log::RoomHead> head(const RoomId& room) override {
        if (is_down) return fail(Code::kStoreUnavailable, "down");
        return at(room);
    }
    Result<RoomSeq> seek(const RoomId& room, WallTime time) override {
        if (is_down) return fail(Code::kStoreUnavailable, "down");
        RoomSeq after;
        for (const MessageRef& message : rooms_[room].messages) {
            if (message->created_at < time) after = message->seq;
        }
        return after;
    }
    void on_commit(CommitListener) override {}

    MessageRef put(const RoomId& room, Draft draft) {
        Room& to = rooms_[room];
        Message message;
        static_cast<Draft&>(message) = std::move(draft);
        message.room = room;
        message.seq = to.head = to.head.next();
        message.created_at = WallTime{milliseconds{static_cast<std::int64_t>(message.seq.value)}};
        to.messages.push_back(std::make_shared<const Message>(std::move(message)));
        return to.messages.back();
    }
    void trim(const RoomId& room, RoomSeq first) {
        std::erase_if(rooms_[room].messages, [&](const MessageRef& message) { return message->seq < first; });
        rooms_[room].first = first;
    }
    /// As on a server that has not read the rest yet.
    void put_back(const RoomId& room, RoomSeq head) {
        std::erase_if(rooms_[room].messages, [&](const MessageRef& message) { return message->seq > head; });
        rooms_[room].head = head;
    }
    [[nodiscard]] log::RoomHead at(const RoomId& room) { return {epoch, rooms_[room].first, rooms_[room].head}; }

    bool is_down = false;
    bool is_behind = false;  ///< there is more than was put here, and it cannot be asked how much
    Epoch epoch{7};

private:
    struct Room {
        RoomSeq first{1};
        RoomSeq head{0};
        std::vector<MessageRef> messages;
    };

    Result<std::vector<log::Appended>> store(log::AppendRequest request) {
        if (is_down) return fail(Code::kStoreUnavailable, "down");
        std::vector<log::Appended> out;
        for (Draft& draft : request.drafts) {
            const auto& there = rooms_[request.room].messages;
            const auto same = std::ranges::find_if(there, [&](const MessageRef& message) {
                return !draft.id.empty() && message->id == draft.id && message->sender == draft.sender;
            });
            if (same != there.end()) {
                out.push_back({(*same)->seq, (*same)->created_at, true});
                continue;
            }
            const MessageRef stored = put(request.room, std::move(draft));
            out.push_back({stored->seq, stored->created_at, false});
        }
        return out;
    }

    std::map<RoomId, Room> rooms_;
};

/// Writes `3 4r` for seq 3 and a replayed 4; events as they are.
class PlainForm final : public WireForm {
public:
    int prepared = 0;  ///< how often

    void prepare(std::span<const Item> items, Replay replay) override {
        ++prepared;
        prepared_.clear();
        for (const Item& item : items) {
            prepared_ += std::to_string(item.message.seq.value);
            prepared_ += replay == Replay::kYes ? "r " : " ";
        }
    }
    void append(std::string& out, std::string_view) override { out += prepared_; }
    void append_event(std::string& out, const RoomId&, std::string_view json, std::string_view) override {
        out += json;
        out += ' ';
    }

private:
    std::string prepared_;
};

/// A subscriber that writes down everything it hears, in order.
class Reader final : public Sink {
public:
    std::string heard;                       ///< `1r 2r live@2 3 `
    std::size_t budget = std::string::npos;  ///< messages it still takes
    std::unique_ptr<Subscription> subscription;
    std::function<void()> on_take;
    MemberId who;

    [[nodiscard]] const MemberId& member() const override { return who; }
    [[nodiscard]] std::size_t can_take() const override { return budget; }
    [[nodiscard]] bool can_take_event() const override { return budget > 0; }
    void take(const rt::Slice& frames) override {
        heard += frames.view();
        if (budget != std::string::npos) {
            const auto count = static_cast<std::size_t>(std::count(frames.view().begin(), frames.view().end(), ' '));
            EXPECT_LE(count, budget);
            budget -= std::min(budget, count);
        }
        if (on_take) on_take();
    }
    void on_live(std::string_view key, const log::RoomHead& at) override {
        EXPECT_EQ(key, "sub-1");
        heard += "live@" + std::to_string(at.head.value) + ' ';
        if (on_take) on_take();
    }
    void on_set_back(const RoomId&, RoomSeq written) override {
        heard += "back@" + std::to_string(written.value) + ' ';
        if (on_take) on_take();
    }
    void on_truncated(const RoomId&, RoomSeq first) override { heard += "first@" + std::to_string(first.value) + ' '; }
    void on_position_invalid(std::string_view, const RoomId&, const log::RoomHead& at) override {
        heard += "invalid@" + std::to_string(at.head.value) + ' ';
        subscription.reset();
    }
    void on_ended(std::string_view, const RoomId&) override { heard += "ended "; }
    /// The seqs it got, without the rest.
    [[nodiscard]] std::vector<std::uint64_t> seqs() const {
        std::vector<std::uint64_t> out;
        for (std::size_t at = 0; at < heard.size(); at = heard.find(' ', at) + 1) {
            if (heard[at] >= '0' && heard[at] <= '9') out.push_back(std::stoull(heard.substr(at)));
        }
        return out;
    }
};

/// One core with a log; the test decides when the loop turns and when the log answers.
class RoomTest : public ::testing::Test {
protected:
    explicit RoomTest(std::unique_ptr<rt::Kernel> kernel = nullptr) : loop(0, clock, std::move(kernel)) {}

    static constexpr Hub::Options kOptions{.page_messages = 4, .recent_messages = 6};

    std::unique_ptr<Hub> make_hub(Hub::Options options) {
        return std::make_unique<Hub>(
            loop, log, asker,
            [this](const RoomId&, const MemberId& member, UniqueFunction<void(Result<bool>)> then) {
                checks.emplace_back(member.str(), std::move(then));
            },
            options);
    }

    // The log and the announcements.
    std::vector<MessageRef> store(int count) {
        std::vector<MessageRef> out;
        for (int i = 0; i < count; ++i) out.push_back(log.put(room, {}));
        return out;
    }
    MessageRef store_change(RoomChange::Kind kind, const std::string& member = {}) {
        Draft draft;
        draft.type = MessageType::kSystem;
        draft.extra = to_extra({kind, MemberId::trusted(member)});
        return log.put(room, std::move(draft));
    }
    void announce(const std::vector<MessageRef>& messages) { hub->on_messages(messages); }
    void say(int count = 1) { announce(store(count)); }

    // Subscribers.
    Reader& subscribe(Start start = {}, const std::string& member = "u-1") {
        readers.push_back(std::make_unique<Reader>());
        Reader& reader = *readers.back();
        reader.who = MemberId::trusted(member);
        reader.subscription = hub->subscribe(room, reader, form, "sub-1", start);
        return reader;
    }
    Reader& subscribe_events(const std::string& member = "u-1") {
        readers.push_back(std::make_unique<Reader>());
        Reader& reader = *readers.back();
        reader.who = MemberId::trusted(member);
        reader.subscription = hub->subscribe_events(room, reader, form, "sub-1");
        return reader;
    }
    static Start after(std::uint64_t seq) { return {.from = Start::From::kAfter, .after = {seq}}; }
    static Start last(std::size_t count) { return {.from = Start::From::kLast, .last = count}; }
    static Start since(std::int64_t ms) { return {.from = Start::From::kSince, .since = WallTime{milliseconds{ms}}}; }

    // Time and the pool.
    void turn() { loop.run_once(); }
    /// Runs the oldest question to the log, and the loop.
    bool answer() {
        const bool ran = pool.run_one();
        turn();
        return ran;
    }
    void settle() {
        turn();
        while (answer()) {
        }
        turn();
    }
    void pass(milliseconds time) {
        clock.advance(time);
        turn();
    }

    ManualClock clock;
    rt::Loop loop;
    rt::WorkPool pool{"test", 0, 1000};
    rt::Asker asker{loop, pool};
    FakeLog log;
    PlainForm form;
    RoomId room = RoomId::trusted("r-1");
    std::vector<std::pair<std::string, UniqueFunction<void(Result<bool>)>>> checks;  ///< who is asked about
    std::vector<std::unique_ptr<Reader>> readers;
    std::unique_ptr<Hub> hub = make_hub(kOptions);
};

}  // namespace parley::room::testing
