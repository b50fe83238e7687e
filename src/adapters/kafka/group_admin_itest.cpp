#include <algorithm>
#include <numeric>

#include "adapters/kafka/group_admin.h"
#include "adapters/kafka/kafka_fixture.h"

namespace parley::kafka {
namespace {

/// A topic of three partitions whose rooms r-0 to r-5 have messages, seen by its administrator.
class Groups : public testing::Test {
protected:
    Groups() {
        for (int i = 0; i < 30; ++i) {
            const auto answer = node_.insist("r-" + std::to_string(i % 6), "u-1", "m-" + std::to_string(i));
            EXPECT_TRUE(answer);
            if (answer) times_.push_back(answer->front().created_at);
        }
    }
    std::vector<log::Position> everywhere(std::uint64_t next) const { return {{0, next}, {1, next}, {2, next}}; }
    std::unique_ptr<GroupAdmin> admin(const std::string& group) const {
        return must(GroupAdmin::open(settings_, settings_.group_prefix + group, 3, 20s));
    }
    template <class T>
    static T must(Result<T> answer) {
        if (!answer) throw std::runtime_error{answer.error().message};
        return std::move(*answer);
    }
    static std::uint64_t sum(const std::vector<std::uint64_t>& numbers) {
        return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
    }

    const Settings settings_ = fresh_settings(broker().url());
    OwnTable own_;
    Node node_{settings_, *own_.table};
    const std::unique_ptr<GroupAdmin> analytics_ = admin("analytics");
    std::vector<WallTime> times_;
};

TEST_F(Groups, EndsAndRangesAreThoseOfEachPartition) {
    EXPECT_EQ(must(partitions_of(settings_)), 3U);
    const auto ends = must(analytics_->ends());
    EXPECT_EQ(sum(ends), 30U);
    const auto ranges = must(analytics_->ranges());
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(ranges[i].begin, 0U);
        EXPECT_EQ(ranges[i].end, ends[i]);
    }
}

TEST_F(Groups, ATopicThatIsMissingIsSaidAndNotMade) {
    Settings missing = settings_;
    missing.topic = "nobody-made-this";
    for (int i = 0; i < 2; ++i) {
        const auto count = partitions_of(missing);
        ASSERT_FALSE(count);
        EXPECT_EQ(count.error().code, Code::kNotFound);
    }
}

TEST_F(Groups, ATimeIsTheFirstRecordFromItOn) {
    const auto all = must(analytics_->offsets_at(WallTime{1ms}));
    const auto half = must(analytics_->offsets_at(times_[15]));
    const auto none = must(analytics_->offsets_at(times_.back() + 1h));
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(all[i], 0U);
        EXPECT_EQ(none[i], std::nullopt);
        before += half[i].value_or(must(analytics_->ends())[i]);
    }
    const auto earlier = std::ranges::count_if(times_, [&](WallTime time) { return time < times_[15]; });
    EXPECT_EQ(before, static_cast<std::uint64_t>(earlier));
}

TEST_F(Groups, AGroupStandsWhereItWasMovedTo) {
    for (const auto& position : must(analytics_->positions())) EXPECT_EQ(position, std::nullopt);
    EXPECT_EQ(must(analytics_->members()), 0U);
    const std::vector<log::Position> one{{1, 2}};
    ASSERT_TRUE(analytics_->move(one));
    using Positions = std::vector<std::optional<std::uint64_t>>;
    EXPECT_EQ(must(analytics_->positions()), (Positions{{}, 2, {}}));
    ASSERT_TRUE(analytics_->move(everywhere(1)));
    EXPECT_EQ(must(analytics_->positions()), (Positions{1, 1, 1}));
}

TEST_F(Groups, AGroupThatSomebodyReadsInIsNotMoved) {
    auto writer = std::move(*TableWriter::open(settings_, {}, *own_.table));
    const auto writers = admin("db-writer");
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (writer->stored() < 30 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    ASSERT_EQ(writer->stored(), 30U);
    EXPECT_EQ(must(writers->members()), 1U);
    const auto refused = writers->move(everywhere(0));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message,
                testing::HasSubstr("group " + settings_.group_prefix + "db-writer cannot be moved"));
    writer.reset();
    EXPECT_EQ(must(writers->members()), 0U);
    EXPECT_TRUE(writers->move(everywhere(0)));
}

TEST_F(Groups, NobodyWhoAnswersIsAnErrorInTime) {
    Settings nowhere = settings_;
    nowhere.brokers = "127.0.0.1:1";
    const auto admin = must(GroupAdmin::open(nowhere, "analytics", 3, 200ms));
    EXPECT_FALSE(admin->ends());
    EXPECT_FALSE(admin->positions());
    EXPECT_FALSE(admin->members());
}

}  // namespace
}  // namespace parley::kafka
