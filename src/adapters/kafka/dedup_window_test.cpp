#include "adapters/kafka/dedup_window.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace parley::kafka {
namespace {

DedupWindow::Key key(const std::string& id) { return DedupWindow::key("r-1", "u-1", id); }

TEST(DedupWindow, FindsWhatWasAddedUntilItIsForgotten) {
    DedupWindow window;
    EXPECT_EQ(window.find(key("a")), nullptr);
    window.add({key("a"), 10, {1}, WallTime{milliseconds{5}}});
    window.add({key("b"), 11, {2}, {}});
    ASSERT_NE(window.find(key("a")), nullptr);
    EXPECT_EQ(window.find(key("a"))->seq.value, 1U);
    EXPECT_EQ(window.find(key("a"))->created_at, WallTime{milliseconds{5}});
    window.forget_before(11);
    EXPECT_EQ(window.find(key("a")), nullptr);
    EXPECT_NE(window.find(key("b")), nullptr);
    window.forget_before(100);
    EXPECT_EQ(window.size(), 0U);
    window.add({key("a"), 100, {3}, {}});
    EXPECT_EQ(window.find(key("a"))->seq.value, 3U);
}

TEST(DedupWindow, IdsThatOnlyJoinToTheSameTextAreDifferent) {
    EXPECT_NE(DedupWindow::key("r", "u1", "2"), DedupWindow::key("r", "u", "12"));
    EXPECT_NE(DedupWindow::key("r1", "u", "2"), DedupWindow::key("r", "1u", "2"));
    EXPECT_NE(DedupWindow::key("r", "", "u2"), DedupWindow::key("r", "u2", ""));
}

TEST(DedupWindow, AnswersAsAMapDoesUnderRandomUse) {
    std::mt19937 random{7};
    DedupWindow window;
    std::map<DedupWindow::Key, std::uint64_t> expected;
    std::uint64_t offset = 0;
    for (int step = 0; step < 200'000; ++step) {
        const std::uint64_t within = step < 100'000 ? 3'000 : 20;
        offset += random() % 3;
        const auto now = key(std::to_string(random() % 4'000));
        const std::uint64_t first = offset < within ? 0 : offset - within;
        window.forget_before(first);
        const auto known = expected.find(now);
        const bool kept = known != expected.end() && known->second >= first;
        const auto* found = window.find(now);
        ASSERT_EQ(found != nullptr, kept) << step;
        if (kept) {
            ASSERT_EQ(found->offset, known->second);
            continue;
        }
        window.add({now, offset, {offset}, {}});
        expected[now] = offset;
    }
    EXPECT_LE(window.size(), 21U);
}

}  // namespace
}  // namespace parley::kafka
