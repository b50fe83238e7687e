#include "adapters/kafka/kafka_fixture.h"
#include "adapters/kafka/lag_watch.h"

namespace parley::kafka {
namespace {

using Change = LagAlarm::Change;

class Lag : public testing::Test {
protected:
    std::unique_ptr<LagWatch> watch(std::uint64_t warn_at = 0) {
        LagWatchOptions options;
        options.groups = {"analytics"};
        options.every = 20ms;
        options.warn_at = warn_at;
        options.on_change = [this](const std::string& reader, std::uint64_t, Change change) {
            const std::lock_guard lock{mutex_};
            said_.emplace_back(reader, change);
        };
        return std::move(*LagWatch::open(settings_, std::move(options), node_.log(), *own_.table));
    }
    void send(int count) {
        for (int i = 0; i < count; ++i)
            ASSERT_TRUE(node_.insist("r-" + std::to_string(i % 6), "u-1", "m-" + std::to_string(++sent_)));
    }
    /// At the beginning of one partition; of the others nothing is committed.
    void begin_group() {
        const auto admin = std::move(*GroupAdmin::open(settings_, settings_.group_prefix + "analytics", 3, 20s));
        const std::vector<log::Position> to{{0, 0}};
        ASSERT_TRUE(admin->move(to));
    }
    /// Waits until sender, table and group are so many records behind; nothing: not known.
    static void expect_lags(const LagWatch& watch, const std::vector<std::optional<std::uint64_t>>& wanted) {
        std::vector<std::optional<std::uint64_t>> found;
        const auto end = std::chrono::steady_clock::now() + 30s;
        while (found != wanted && std::chrono::steady_clock::now() < end) {
            found.clear();
            const auto last = watch.last();
            for (const auto& lag : *last) found.push_back(lag.is_known() ? std::optional{lag.total()} : std::nullopt);
        }
        EXPECT_EQ(found, wanted);
    }
    std::vector<std::pair<std::string, Change>> said() {
        const std::lock_guard lock{mutex_};
        return said_;
    }

    const Settings settings_ = fresh_settings(broker().url());
    OwnTable own_;
    Node node_{settings_, *own_.table};
    int sent_ = 0;
    std::mutex mutex_;
    std::vector<std::pair<std::string, Change>> said_;
};

TEST_F(Lag, WhatNobodyReadYetIsBehindTheTableAndAGroupThatHasBegun) {
    send(12);
    const auto lags = watch();
    expect_lags(*lags, {0, 12, std::nullopt});
    begin_group();
    expect_lags(*lags, {0, 12, 12});
    const auto last = lags->last();
    EXPECT_EQ(last->at(0).reader, "sender");
    EXPECT_EQ(last->at(1).reader, "db-writer");
    EXPECT_EQ(last->at(2).reader, "analytics");
    EXPECT_EQ(last->at(2).by_partition.size(), 3U);
    const auto writer = std::move(*TableWriter::open(settings_, {}, *own_.table));
    expect_lags(*lags, {0, 0, 12});
}

TEST_F(Lag, AGroupIsBehindByWhatItHasNotCommitted) {
    send(12);
    const auto admin = std::move(*GroupAdmin::open(settings_, settings_.group_prefix + "analytics", 3, 20s));
    const auto ends = admin->ends();
    ASSERT_TRUE(ends);
    ASSERT_GT((*ends)[0], 1U);
    const std::vector<log::Position> to{{0, 1}, {1, (*ends)[1]}, {2, (*ends)[2]}};
    ASSERT_TRUE(admin->move(to));
    const auto lags = watch();
    expect_lags(*lags, {0, 12, (*ends)[0] - 1});
    EXPECT_EQ(lags->last()->at(2).by_partition, (std::vector<std::uint64_t>{(*ends)[0] - 1, 0, 0}));
}

TEST_F(Lag, AReaderThatFallsBehindIsSaidOnceAndOnceWhenItHasCaughtUp) {
    const auto lags = watch(10);
    begin_group();
    expect_lags(*lags, {0, 0, 0});
    send(12);
    expect_lags(*lags, {0, 12, 12});
    const auto writer = std::move(*TableWriter::open(settings_, {}, *own_.table));
    expect_lags(*lags, {0, 0, 12});
    const std::vector<std::pair<std::string, Change>> wanted{
        {"db-writer", Change::kBehind}, {"analytics", Change::kBehind}, {"db-writer", Change::kOver}};
    EXPECT_EQ(said(), wanted);
}

}  // namespace
}  // namespace parley::kafka
