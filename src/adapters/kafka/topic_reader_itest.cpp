#include <functional>

#include "adapters/kafka/kafka_fixture.h"
#include "adapters/kafka/producer.h"
#include "adapters/kafka/topic.h"
#include "adapters/kafka/topic_reader.h"

namespace parley::kafka {
namespace {

/// A topic of one partition.
class Reader : public testing::Test {
protected:
    void SetUp() override {
        client_ = std::move(*Client::open(Client::Kind::kConsumer, settings_, {}, nullptr));
        make_topic(settings_, 1, {});
        ASSERT_TRUE(open_topic(*client_, settings_));
    }
    void send(int count, const std::string& what) {
        std::atomic<int> sent{0};
        const auto producer =
            std::move(*Producer::open(settings_, 1, [&](std::uint64_t, std::uint32_t, const Error* why) {
                EXPECT_EQ(why, nullptr);
                ++sent;
            }));
        for (int i = 0; i < count; ++i) {
            OutRecord record;
            record.key = "r-1";
            record.value = what + std::to_string(i);
            producer->send(record, static_cast<std::uint64_t>(i) + 1);
        }
        eventually([&] { return sent == count; });
    }
    std::unique_ptr<TopicReader> reader_from(std::uint64_t offset) {
        const std::vector<TopicReader::Start> starts{{0, offset}};
        return std::move(*TopicReader::open(settings_, starts));
    }
    void make_anew() {
        remove_topic(settings_);
        eventually([&] {
            const auto found = partitions_of(settings_);
            return !found && found.error().code == Code::kNotFound;
        });
        make_topic(settings_, 1, {});
        eventually([&] { return partitions_of(settings_).has_value(); });
        ASSERT_TRUE(open_topic(*client_, settings_));
    }
    static void eventually(const std::function<bool()>& probe) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (!probe()) ASSERT_LT(std::chrono::steady_clock::now(), end);
    }

    const Settings settings_ = fresh_settings(broker().url(), 1);
    std::unique_ptr<Client> client_;
};

TEST_F(Reader, RecordsThatWereRemovedBeforeTheyWereReadAreALossForGood) {
    send(6, "a");
    remove_before(settings_, 0, 4);
    const auto reader = reader_from(2);
    std::string why;
    eventually([&] {
        const auto records = reader->read(20ms);
        if (!records) why = records.error().message;
        return !why.empty() || !records->empty();
    });
    EXPECT_THAT(why, testing::HasSubstr("nothing before offset 4, and 2 is the next to be read: records were removed"));
}

TEST_F(Reader, AnotherRecordInTheLastOnesPlaceIsALossForGood) {
    send(3, "a");
    const auto reader = reader_from(0);
    std::size_t count = 0;
    eventually([&] {
        if (const auto records = reader->read(20ms)) count += records->size();
        return count == 3;
    });
    make_anew();
    send(2, "b");
    eventually([&] { return reader->read(20ms).has_value() && !reader->doubt().empty(); });
    EXPECT_THAT(reader->doubt(), testing::HasSubstr("partition 0 does not know offset 3"));
    send(2, "c");
    std::string why;
    eventually([&] {
        const auto records = reader->read(20ms);
        if (!records) why = records.error().message;
        return !why.empty() || !records->empty();
    });
    EXPECT_THAT(why, testing::HasSubstr("the record at 2 is no longer the one that was read: the topic was made anew"));
}

TEST_F(Reader, ALogWhoseTopicWasMadeAnewTakesNothingUntilARestartAndSaysWhy) {
    OwnTable own;
    Node node{settings_, *own.table};
    for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(node.insist("r-1", "u", id));
    EXPECT_EQ(node.log().broken(), "");
    make_anew();
    send(2, "b");
    eventually([&] { return !node.log().stats().available; });
    EXPECT_EQ(node.log().broken(), "");
    send(3, "c");
    eventually([&] { return !node.log().broken().empty(); });
    EXPECT_THAT(node.log().broken(), testing::HasSubstr("the topic was made anew"));
    EXPECT_FALSE(node.log().stats().available);
    EXPECT_FALSE(node.send("r-1", "u", "d").get());
}

TEST_F(Reader, AnOffsetThatNoBrokerHasYetIsWaitedForAndNothingBeforeItComes) {
    send(2, "a");
    const auto reader = reader_from(4);
    eventually([&] { return reader->read(20ms).has_value() && !reader->doubt().empty(); });
    EXPECT_THAT(reader->doubt(), testing::HasSubstr("partition 0 does not know offset 4"));
    EXPECT_FALSE(reader->has_caught_up(0));
    send(4, "b");
    std::vector<std::string> values;
    eventually([&] {
        const auto records = reader->read(20ms);
        if (records)
            for (const InRecord& record : *records) values.emplace_back(record.value);
        return values.size() >= 2;
    });
    EXPECT_EQ(values, (std::vector<std::string>{"b2", "b3"}));
    EXPECT_EQ(reader->doubt(), "");
}

}  // namespace
}  // namespace parley::kafka
