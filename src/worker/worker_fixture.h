#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "worker/reader.h"

namespace parley::worker {

/// Rooms in memory, of messages that are put there at once. Thread: any.
class MemoryLog final : public log::RoomLog {
public:
    explicit MemoryLog(const Clock& clock) : clock_(clock) {}

    MessageRef add(const std::string& room, const std::string& content, const std::string& sender = "u-1") {
        const std::lock_guard lock{mutex_};
        auto& messages = rooms_[RoomId::trusted(room)];
        auto message = std::make_shared<Message>();
        message->room = RoomId::trusted(room);
        message->seq = {messages.size() + 1};
        message->id = MessageId::trusted(room + "-" + std::to_string(messages.size() + 1));
        message->sender = MemberId::trusted(sender);
        message->nickname = "nick of " + sender;
        message->content = content;
        message->created_at = clock_.wall();
        messages.push_back(message);
        return message;
    }
    void trim(const std::string& room, std::uint64_t first) {
        const std::lock_guard lock{mutex_};
        first_[RoomId::trusted(room)] = {first};
    }
    void put_back(const std::string& room, std::size_t head) {
        const std::lock_guard lock{mutex_};
        rooms_[RoomId::trusted(room)].resize(head);
    }
    log::ListRooms list_rooms() {
        return [this](const RoomId& after, WallTime since, std::size_t limit) -> Result<std::vector<log::ListedRoom>> {
            const std::lock_guard lock{mutex_};
            ++lists;
            if (is_down) return fail(Code::kStoreUnavailable, "the log is away");
            std::vector<log::ListedRoom> out;
            for (const auto& [room, messages] : rooms_) {
                if (room <= after || messages.empty() || messages.back()->created_at < since) continue;
                if (out.size() < limit) out.push_back({room, messages.back()->seq});
            }
            return out;
        };
    }

    void append_all(std::vector<log::Append>) override {}
    Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes) override {
        const std::lock_guard lock{mutex_};
        ++reads;
        if (is_down) return fail(Code::kStoreUnavailable, "the log is away");
        log::Page page;
        const auto& messages = rooms_[room];
        page.at.head = {messages.size()};
        page.at.first = std::max(page.at.first, first_[room]);
        for (const MessageRef& message : messages) {
            if (message->seq > after && message->seq >= page.at.first && page.messages.size() < limit)
                page.messages.push_back(message);
        }
        return page;
    }
    Result<log::Page> read_before(const RoomId&, RoomSeq, std::size_t, Bytes) override { return log::Page{}; }
    Result<log::RoomHead> head(const RoomId& room) override {
        const std::lock_guard lock{mutex_};
        log::RoomHead out;
        out.head = {rooms_[room].size()};
        return out;
    }
    Result<RoomSeq> seek(const RoomId&, WallTime) override { return RoomSeq{}; }
    void on_commit(CommitListener) override {}

    std::atomic<bool> is_down{false};
    std::atomic<int> reads{0};
    std::atomic<int> lists{0};

private:
    const Clock& clock_;
    std::mutex mutex_;
    std::map<RoomId, std::vector<MessageRef>> rooms_;
    std::map<RoomId, RoomSeq> first_;
};

/// Thread: any.
class MemoryLedger final : public store::Ledger {
public:
    Result<std::optional<store::LedgerRow>> row(const std::string& key) override {
        const std::lock_guard lock{mutex_};
        if (is_down) return fail(Code::kStoreUnavailable, "the ledger is away");
        const auto found = rows_.find(key);
        if (found == rows_.end()) return std::optional<store::LedgerRow>{};
        return std::optional{found->second};
    }
    Result<std::vector<store::LedgerRow>> rows(const std::string& prefix, const std::string& after,
                                               std::size_t limit) override {
        const std::lock_guard lock{mutex_};
        std::vector<store::LedgerRow> out;
        for (auto at = rows_.upper_bound(std::max(prefix, after)); at != rows_.end() && out.size() < limit; ++at) {
            if (at->first.starts_with(prefix)) out.push_back(at->second);
        }
        return out;
    }
    Result<std::vector<bool>> put(const std::vector<store::LedgerRow>& rows) override {
        const std::lock_guard lock{mutex_};
        if (is_down) return fail(Code::kStoreUnavailable, "the ledger is away");
        std::vector<bool> stored;
        for (const auto& row : rows) {
            auto& there = rows_[row.key];
            stored.push_back(there.revision == row.revision);
            if (stored.back()) there = {row.key, row.revision + 1, row.value};
        }
        return stored;
    }
    std::string value(const std::string& key) {
        const auto found = row(key);
        return found && *found ? (*found)->value : "none";
    }

    std::atomic<bool> is_down{false};

private:
    std::mutex mutex_;
    std::map<std::string, store::LedgerRow> rows_;
};

/// Writes down what it takes; its saved state is how much that was in the room.
class ListeningRole final : public Role {
public:
    const std::string& name() const override { return name_; }
    std::unique_ptr<RoomWork> open(const RoomId&, std::string_view saved) override {
        return std::make_unique<InRoom>(*this, saved.empty() ? 0 : std::stoi(std::string{saved}));
    }

    std::vector<std::string> taken;
    std::map<std::string, Error> faults;  ///< by message id
    std::set<std::string> throws;
    std::map<std::string, int> tries;
    std::function<void()> on_take;

private:
    struct InRoom final : RoomWork {
        InRoom(ListeningRole& role, int count) : role_(role), count_(count) {}
        Result<> take(const Message& message) override {
            if (role_.on_take) role_.on_take();
            ++role_.tries[message.id.str()];
            if (const auto fault = role_.faults.find(message.id.str()); fault != role_.faults.end())
                return fail(fault->second);
            if (role_.throws.contains(message.id.str())) throw std::runtime_error{"a broken effect"};
            role_.taken.push_back(message.id.str());
            ++count_;
            return {};
        }
        std::string save() const override { return std::to_string(count_); }
        ListeningRole& role_;
        int count_;
    };
    const std::string name_ = "listen";
};

class ReaderTest : public testing::Test {
protected:
    std::unique_ptr<Reader> reader(Role& of, const std::string& server = {}) {
        Reader::Options options;
        options.server = server;
        return std::make_unique<Reader>(Reader::Parts{log, log.list_rooms(), ledger, clock, metrics}, options, of);
    }
    /// Until nothing is due.
    static void run(Reader& reader) {
        for (int i = 0; i < 1'000 && reader.step() == milliseconds{0}; ++i) {
        }
    }
    void pass(Reader& reader, milliseconds time) {
        for (; time > milliseconds{0}; time -= milliseconds{250}) {
            clock.advance(milliseconds{250});
            run(reader);
        }
    }
    std::string counted(const std::string& name) {
        const std::string text = metrics.render();
        const auto at = text.find(name + "{role=\"listen\"} ");
        if (at == std::string::npos) return "none";
        const auto value = text.find(' ', at) + 1;
        return text.substr(value, text.find('\n', value) - value);
    }

    ManualClock clock;
    metrics::Registry metrics;
    MemoryLog log{clock};
    MemoryLedger ledger;
    ListeningRole role;
};

}  // namespace parley::worker
