#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/ledger.h"

namespace parley::store {

/// What every Ledger must do. A test file includes this and says
/// `INSTANTIATE_TEST_SUITE_P(Mine, LedgerContract, testing::Values(LedgerMaker{[] { … }}))`.
struct LedgerMaker {
    std::function<std::unique_ptr<Ledger>()> make;  ///< a new, empty one
};

class LedgerContract : public testing::TestWithParam<LedgerMaker> {
protected:
    void SetUp() override {
        ledger_ = GetParam().make();
        ASSERT_NE(ledger_, nullptr);
    }
    bool put(const std::string& key, std::uint64_t revision, const std::string& value) {
        const auto stored = ledger_->put({{key, revision, value}});
        EXPECT_TRUE(stored.has_value()) << (stored ? "" : stored.error().message);
        return stored && stored->at(0);
    }
    std::string value(const std::string& key) {
        const auto row = ledger_->row(key);
        EXPECT_TRUE(row.has_value()) << (row ? "" : row.error().message);
        return row && *row ? std::to_string((*row)->revision) + ' ' + (*row)->value : "none";
    }
    std::vector<std::string> keys(const std::string& prefix, const std::string& after, std::size_t limit) {
        const auto rows = ledger_->rows(prefix, after, limit);
        EXPECT_TRUE(rows.has_value()) << (rows ? "" : rows.error().message);
        std::vector<std::string> out;
        if (!rows) return out;
        for (const LedgerRow& row : *rows) {
            EXPECT_EQ(row.value, "of " + row.key);
            out.push_back(row.key);
        }
        return out;
    }
    std::unique_ptr<Ledger> ledger_;
};

TEST_P(LedgerContract, ARowIsChangedByWhoKnowsItsRevision) {
    EXPECT_EQ(value("a/room/r"), "none");
    EXPECT_TRUE(put("a/room/r", 0, "하나"));
    EXPECT_EQ(value("a/room/r"), "1 하나");
    EXPECT_FALSE(put("a/room/r", 0, "again"));
    EXPECT_TRUE(put("a/room/r", 1, "two\nlines"));
    EXPECT_FALSE(put("a/room/r", 1, "late"));
    EXPECT_EQ(value("a/room/r"), "2 two\nlines");
}

TEST_P(LedgerContract, RowsPutTogetherStandForThemselves) {
    ASSERT_TRUE(put("b", 0, "x"));
    const auto stored = ledger_->put({{"c", 0, "new"}, {"b", 0, "late"}, {"a", 0, "new"}});
    ASSERT_TRUE(stored);
    EXPECT_EQ(*stored, (std::vector<bool>{true, false, true}));
    EXPECT_EQ(value("a") + value("b") + value("c"), "1 new1 x1 new");
    EXPECT_TRUE(ledger_->put({})->empty());
}

TEST_P(LedgerContract, RowsComeInTheOrderOfTheirKeysAndInPages) {
    for (const char* key : {"a/room/b", "a/room/B", "a/room/a.1", "a/rooms", "a/room/", "b/room/a", "a/room/~x"})
        ASSERT_TRUE(put(key, 0, std::string{"of "} + key));
    const std::vector<std::string> all{"a/room/", "a/room/B", "a/room/a.1", "a/room/b", "a/room/~x"};
    EXPECT_EQ(keys("a/room/", "", 100), all);
    EXPECT_EQ(keys("a/room/", "a/room/B", 2), (std::vector<std::string>{"a/room/a.1", "a/room/b"}));
    EXPECT_TRUE(keys("a/room/", "a/room/~x", 2).empty());
    EXPECT_TRUE(keys("c", "", 2).empty());
}

TEST_P(LedgerContract, OfSeveralWhoPutAtTheSameTimeOneGetsThrough) {
    for (std::uint64_t revision = 0; revision < 5; ++revision) {
        std::atomic<int> through{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&, i] {
                const auto stored =
                    ledger_->put({{"one", revision, std::to_string(i)}, {"own/" + std::to_string(i), revision, "x"}});
                if (!stored) return;
                through += stored->at(0) ? 1 : 0;
                EXPECT_TRUE(stored->at(1));
            });
        }
        for (auto& thread : threads) thread.join();
        EXPECT_EQ(through, 1);
    }
}

}  // namespace parley::store
