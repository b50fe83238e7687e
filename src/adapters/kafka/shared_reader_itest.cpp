#include <functional>
#include <set>

#include "adapters/kafka/dead_letter_topic.h"
#include "adapters/kafka/group_admin.h"
#include "adapters/kafka/kafka_fixture.h"
#include "adapters/kafka/record.h"
#include "adapters/kafka/shared_reader.h"
#include "adapters/kafka/topic.h"
#include "adapters/kafka/topic_reader.h"

namespace parley::kafka {
namespace {

using testing::HasSubstr;

/// A topic of three partitions whose rooms r-0 to r-5 have ten messages each.
class SharedReading : public testing::Test {
protected:
    /// One member: writes down what it is told; says done at once, or not at all.
    class Member final : public log::SharedReading::Listener {
    public:
        Member(
            SharedReading& test, bool works, std::function<void(std::uint32_t)> on_assigned = [](std::uint32_t) {})
            : works_(works), assigned_(std::move(on_assigned)) {
            auto& log = test.node_.log();
            const std::lock_guard lock{mutex_};
            auto opened = SharedReader::open(
                test.settings_, "listen", [&log] { return log.positions(); }, *this);
            EXPECT_TRUE(opened.has_value());
            reader_ = std::move(*opened);
            told_ = reader_.get();
        }
        /// `partition:offset`, once there are `count` of them.
        std::set<std::string> heard(std::size_t count) {
            std::unique_lock lock{mutex_};
            EXPECT_TRUE(changed_.wait_for(lock, 60s, [&] { return heard_.size() >= count; })) << heard_.size();
            return heard_;
        }
        void wait_for_trouble() {
            const auto end = std::chrono::steady_clock::now() + 60s;
            while (told_->is_well() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
            EXPECT_FALSE(told_->is_well());
        }
        void wait_for_partitions(std::size_t count) {
            std::unique_lock lock{mutex_};
            EXPECT_TRUE(changed_.wait_for(lock, 60s, [&] { return owned_.size() == count; })) << owned_.size();
        }

    private:
        void on_assigned(std::uint32_t partition) override {
            const std::lock_guard lock{mutex_};
            assigned_(partition);
            owned_.insert(partition);
            changed_.notify_all();
        }
        void on_record(std::uint32_t partition, std::uint64_t offset, const RoomId& room) override {
            const std::lock_guard lock{mutex_};
            EXPECT_TRUE(owned_.contains(partition));
            EXPECT_THAT(room.str(), HasSubstr("r-"));
            heard_.insert(std::to_string(partition) + ':' + std::to_string(offset));
            changed_.notify_all();
            if (works_) told_->done({partition, offset + 1});
        }
        void on_revoked(std::uint32_t partition) override {
            const std::lock_guard lock{mutex_};
            owned_.erase(partition);
            changed_.notify_all();
        }
        const bool works_;
        const std::function<void(std::uint32_t)> assigned_;
        std::mutex mutex_;
        std::condition_variable changed_;
        std::set<std::uint32_t> owned_;
        std::set<std::string> heard_;
        SharedReader* told_ = nullptr;
        std::unique_ptr<SharedReader> reader_;  ///< ends first
    };

    SharedReading() { say("first", 60); }
    void say(const std::string& name, int count) {
        std::vector<std::future<Node::Answer>> answers;
        for (int i = 0; i < count; ++i)
            answers.push_back(node_.send("r-" + std::to_string(i % 6), "u-1", name + std::to_string(i)));
        for (auto& answer : answers) EXPECT_TRUE(answer.get());
    }
    std::vector<std::optional<std::uint64_t>> positions() {
        const auto admin = std::move(*GroupAdmin::open(settings_, settings_.group_prefix + "listen", 3, 20s));
        auto out = admin->positions();
        EXPECT_TRUE(out.has_value());
        return *out;
    }
    /// Of all partitions together.
    void wait_until_committed(std::uint64_t sum) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        std::uint64_t now = 0;
        do {
            now = 0;
            for (const auto& one : positions()) now += one.value_or(0);
        } while (now < sum && std::chrono::steady_clock::now() < end);
        EXPECT_EQ(now, sum);
    }

    Settings settings_ = fresh_settings(broker().url());
    OwnTable own_;
    Node node_{settings_, *own_.table};
};

TEST_F(SharedReading, ANewGroupReadsFromTheBeginningAndCommitsWhatIsDone) {
    Member one{*this, true};
    EXPECT_EQ(one.heard(60).size(), 60U);
    wait_until_committed(60);
    say("later", 6);
    EXPECT_EQ(one.heard(66).size(), 66U);
}

TEST_F(SharedReading, WhatIsNotDoneIsReadAgainByWhoComesNext) {
    {
        Member idle{*this, false};
        idle.heard(60);
    }
    using Positions = std::vector<std::optional<std::uint64_t>>;
    EXPECT_EQ(positions(), (Positions{0, 0, 0}));
    {
        Member one{*this, true};
        one.heard(60);
    }
    wait_until_committed(60);
    Member two{*this, true};
    say("later", 6);
    EXPECT_EQ(two.heard(6).size(), 6U);
}

TEST_F(SharedReading, WhereRecordsWereRemovedItGoesOnBehindThem) {
    {
        Member idle{*this, false};
        idle.heard(60);
    }
    const std::uint64_t kept = 60 - 3 - 2;
    remove_before(settings_, 0, 3);
    // Of the second it is known where it begins, and not read yet.
    Member one{*this, true, [this](std::uint32_t partition) {
                   if (partition == 1) remove_before(settings_, 1, 2);
               }};
    const auto heard = one.heard(kept);
    EXPECT_EQ(heard.size(), kept);
    EXPECT_FALSE(heard.contains("0:2"));
    EXPECT_TRUE(heard.contains("0:3"));
    EXPECT_FALSE(heard.contains("1:1"));
    EXPECT_TRUE(heard.contains("1:2"));
    wait_until_committed(60);
}

TEST_F(SharedReading, TwoMembersShareThePartitionsAndOneGetsAllWhenTheOtherLeaves) {
    Member one{*this, true};
    one.heard(60);
    auto two = std::make_unique<Member>(*this, true);
    one.wait_for_partitions(2);
    two->wait_for_partitions(1);
    say("shared", 60);
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (one.heard(60).size() + two->heard(0).size() < 120 && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    EXPECT_EQ(one.heard(60).size() + two->heard(0).size(), 120U);
    two.reset();
    one.wait_for_partitions(3);
    say("after", 6);
    wait_until_committed(126);
}

TEST_F(SharedReading, APartitionThatTheTopicGotLaterIsSaidAndNotRead) {
    settings_.partitions = 2;  // as if it had had no more at the start
    Member one{*this, true};
    one.wait_for_partitions(2);
    one.wait_for_trouble();
    EXPECT_FALSE(positions()[2].has_value());
}

TEST_F(SharedReading, ADeadLetterIsTheRecordWithTheReasonAndOneThatIsTooLargeHasNoValue) {
    SystemClock clock;
    DeadLetterTopic dead{settings_, settings_.topic + "-dead", clock};
    const auto message = node_.all("r-1").at(2);
    ASSERT_TRUE(dead.put("listen", *message, "cannot be done"));
    Message large = *message;
    large.content.assign(5'000'000, 'x');
    ASSERT_TRUE(dead.put("listen", large, "too much"));
    Settings letters = settings_;
    letters.topic += "-dead";
    const auto reader = std::move(*TopicReader::open(letters, {{{0, 0}, {1, 0}, {2, 0}}}));
    std::vector<std::string> headers;
    std::vector<std::string> values;
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (headers.size() < 2 && std::chrono::steady_clock::now() < end) {
        const auto records = reader->read(100ms);
        ASSERT_TRUE(records);
        for (const InRecord& record : *records) {
            EXPECT_EQ(record.key, "r-1");
            values.emplace_back(record.value);
            std::string line;
            for (const auto& [name, text] : record.headers) {
                if (name != "ticket" && name != "at") line += std::string{name} + "=" + std::string{text} + ";";
            }
            headers.push_back(line);
        }
    }
    ASSERT_EQ(headers.size(), 2U);
    EXPECT_EQ(headers[0],
              "v=1;senderId=u-1;messageId=" + message->id.str() + ";role=listen;reason=cannot be done;seq=3;");
    EXPECT_THAT(values[0], HasSubstr(R"("content":"hello")"));
    EXPECT_EQ(values[1], "");
}

}  // namespace
}  // namespace parley::kafka
