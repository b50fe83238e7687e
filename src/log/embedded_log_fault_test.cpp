#include <sys/wait.h>

#include <atomic>
#include <fstream>
#include <set>
#include <thread>

#include "log/log_fixture.h"

namespace parley::log {
namespace {

using testing::HasSubstr;
using Fault = rocks::FaultDisk::Fault;

class EmbeddedLogFault : public LogFixture {
public:
    /// Four threads send until the power is cut in the middle; returns every id that was acknowledged.
    std::vector<std::string> send_until_power_cut(int wanted) {
        std::mutex mutex;
        std::vector<std::string> acknowledged;
        std::atomic<bool> ended{false};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; !ended; ++i) {
                    const std::string id = std::to_string(t) + "." + std::to_string(i);
                    if (!put("r-" + std::to_string(t % 2), id)) return;
                    const std::lock_guard lock{mutex};
                    acknowledged.push_back(id);
                    if (static_cast<int>(acknowledged.size()) == wanted) {
                        disk_.cut_power();
                        ended = true;
                    }
                }
            });
        for (auto& thread : threads) thread.join();
        return acknowledged;
    }
    /// Those of `acknowledged` that neither room holds.
    std::vector<std::string> lost(std::vector<std::string> acknowledged) {
        std::set<std::string> stored;
        for (const char* of : {"r-0", "r-1"})
            for (auto& id : ids(of)) stored.insert(std::move(id));
        std::erase_if(acknowledged, [&](const std::string& id) { return stored.contains(id); });
        return acknowledged;
    }
};

TEST_F(EmbeddedLogFault, AcknowledgedMessagesSurviveAPowerCut) {
    for (int round = 0; round < 5; ++round) {
        open();
        const auto acknowledged = send_until_power_cut(100 * (round + 1));
        log_.reset();
        disk_.restore_power(static_cast<std::size_t>(round) * 37);
        open();
        EXPECT_THAT(lost(acknowledged), testing::IsEmpty());
        for (const auto& id : acknowledged)
            EXPECT_TRUE(put("r-" + std::string(1, char('0' + (id[0] - '0') % 2)), id)->front().repeated);
        log_.reset();
        std::filesystem::remove_all(store_path());
    }
}

TEST_F(EmbeddedLogFault, APowerCutWithoutFsyncLosesMessagesAndThisSuiteSeesIt) {
    auto careless = options();
    careless.sync = false;
    open(std::move(careless));
    const auto acknowledged = send_until_power_cut(200);
    log_.reset();
    disk_.restore_power();
    open();
    EXPECT_THAT(lost(acknowledged), testing::Not(testing::IsEmpty()));
}

TEST_F(EmbeddedLogFault, AnyTornTailOpensNormally) {
    for (std::size_t torn = 1; torn < 400; torn += 23) {
        open();
        fill("r-1", 3);
        disk_.fail_syncs(Fault::kIo, ".log");
        EXPECT_FALSE(put("r-1", "torn"));
        disk_.fail_syncs(Fault::kNone);
        power_cycle(torn);
        const auto kept = ids("r-1");
        ASSERT_GE(kept.size(), 3u);
        ASSERT_TRUE(put("r-1", "next"));
        log_.reset();
        std::filesystem::remove_all(store_path());
    }
}

TEST_F(EmbeddedLogFault, AFailedFsyncIsNeverAcknowledgedAndServiceResumes) {
    open();
    fill("r-1", 3);
    disk_.fail_syncs(Fault::kIo, ".log");
    const auto failed = put("r-1", "lost?");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Code::kStoreUnavailable);
    EXPECT_FALSE(log_->stats().available);
    EXPECT_THAT(trouble_, HasSubstr("Input/output error"));
    disk_.fail_syncs(Fault::kNone);
    clock_.advance(seconds{10});
    const auto again = put("r-1", "after");
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(trouble_, "");
    EXPECT_TRUE(log_->stats().available);
    EXPECT_THAT(ids("r-1"), testing::Contains("after"));
}

TEST_F(EmbeddedLogFault, ARetryAfterAnUnknownOutcomeIsStoredOnce) {
    open();
    fill("r-1", 3);
    disk_.fail_syncs(Fault::kIo, ".log");
    EXPECT_FALSE(put("r-1", "unknown"));
    disk_.fail_syncs(Fault::kNone);
    clock_.advance(seconds{10});
    const auto retry = put("r-1", "unknown");
    ASSERT_TRUE(retry) << retry.error().message;
    EXPECT_EQ(retry->front().seq.value, 4u);
    power_cycle();
    EXPECT_THAT(ids("r-1"), testing::ElementsAre("m1", "m2", "m3", "unknown"));
}

TEST_F(EmbeddedLogFault, AMessageThatWasWrittenBeforeTheFsyncFailedIsARepeatAfterwards) {
    open();
    disk_.fail_syncs(Fault::kIo, ".log");
    EXPECT_FALSE(put("r-1", "written"));
    disk_.fail_syncs(Fault::kNone);
    clock_.advance(seconds{10});
    EXPECT_TRUE(put("r-1", "written")->front().repeated);
}

TEST_F(EmbeddedLogFault, AHalfWrittenCommitLeavesNothingAndBurnsNoSeq) {
    open();
    fill("r-1", 3);
    disk_.fail_appends(Fault::kIo, ".log");
    EXPECT_FALSE(put("r-1", "half", std::string(10'000, 'x')));
    disk_.fail_appends(Fault::kNone);
    clock_.advance(seconds{10});
    const auto next = put("r-1", "next");
    ASSERT_TRUE(next) << next.error().message;
    EXPECT_EQ(next->front().seq.value, 4u);
    EXPECT_THAT(ids("r-1"), testing::ElementsAre("m1", "m2", "m3", "next"));
}

TEST_F(EmbeddedLogFault, EverythingBehindAFailedCommitIsRefused) {
    open();
    fill("r-1", 1);
    disk_.hold_syncs();
    auto first = send("r-1", "first");
    disk_.wait_for_held_sync();
    std::vector<std::future<Answer>> behind;
    for (int i = 0; i < 50; ++i) behind.push_back(send("r-2", std::to_string(i)));
    disk_.fail_syncs(Fault::kIo, ".log");
    disk_.release_syncs();
    EXPECT_FALSE(first.get());
    for (auto& answer : behind) EXPECT_FALSE(answer.get());
    EXPECT_EQ(log_->stats().faults, 1u);
}

TEST_F(EmbeddedLogFault, AFullDiskRefusesAndResumesWhenThereIsSpace) {
    open();
    fill("r-1", 3);
    disk_.fail_appends(Fault::kFull);
    const auto refused = put("r-1", "full");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("No space left"));
    EXPECT_THAT(ids("r-1"), testing::SizeIs(3)) << "reads go on while the disk is full";
    disk_.fail_appends(Fault::kNone);
    clock_.advance(seconds{10});
    EXPECT_EQ(put("r-1", "full")->front().seq.value, 4u);
}

TEST_F(EmbeddedLogFault, AReadOnlyDiskRefusesAndResumesWhenItIsWritable) {
    open();
    fill("r-1", 3);
    disk_.fail_appends(Fault::kReadOnly);
    EXPECT_FALSE(put("r-1", "a"));
    clock_.advance(seconds{10});
    EXPECT_FALSE(put("r-1", "b"));
    EXPECT_THAT(ids("r-1"), testing::SizeIs(3));
    disk_.fail_appends(Fault::kNone);
    clock_.advance(seconds{10});
    EXPECT_EQ(put("r-1", "c")->front().seq.value, 4u);
}

TEST_F(EmbeddedLogFault, WhileTheFaultLastsTheDiskIsTriedOnlyAfterABackOff) {
    open();
    disk_.fail_syncs(Fault::kIo);
    EXPECT_FALSE(put("r-1", "a"));
    disk_.fail_syncs(Fault::kNone);
    EXPECT_FALSE(put("r-1", "b")) << "no time has passed";
    clock_.advance(milliseconds{100});
    EXPECT_TRUE(put("r-1", "c"));
}

TEST_F(EmbeddedLogFault, TheBackOffGrowsToFiveSeconds) {
    open();
    disk_.fail_syncs(Fault::kIo);
    EXPECT_FALSE(put("r-1", "a"));
    for (int i = 0; i < 10; ++i) {
        clock_.advance(seconds{5});
        EXPECT_FALSE(put("r-1", "b"));
    }
    disk_.fail_syncs(Fault::kNone);
    clock_.advance(milliseconds{4'900});
    EXPECT_FALSE(put("r-1", "c"));
    clock_.advance(milliseconds{100});
    EXPECT_TRUE(put("r-1", "d"));
}

TEST_F(EmbeddedLogFault, AStoreThatCannotBeOpenedAnewIsTriedAgain) {
    open();
    fill("r-1", 3);
    disk_.fail_syncs(Fault::kIo, ".log");
    EXPECT_FALSE(put("r-1", "a"));
    disk_.fail_syncs(Fault::kIo, ".sst");
    clock_.advance(seconds{10});
    EXPECT_FALSE(put("r-1", "b")) << "the probe works, writing the replayed messages out does not";
    disk_.fail_syncs(Fault::kNone);
    clock_.advance(seconds{10});
    ASSERT_TRUE(put("r-1", "c"));
    EXPECT_THAT(ids("r-1"), testing::IsSupersetOf({"m1", "m2", "m3", "c"}));
}

TEST_F(EmbeddedLogFault, TheOperatorHearsWhenTroubleBeginsChangesAndEnds) {
    std::vector<std::string> heard;
    auto with = options();
    with.on_trouble = [&](const std::string& reason) { heard.push_back(reason); };
    open(std::move(with));
    disk_.fail_syncs(Fault::kIo);
    EXPECT_FALSE(put("r-1", "a"));
    disk_.fail_syncs(Fault::kFull);
    for (int i = 0; i < 3; ++i) {
        clock_.advance(seconds{10});
        EXPECT_FALSE(put("r-1", "b"));
    }
    disk_.fail_syncs(Fault::kNone);
    clock_.advance(seconds{10});
    EXPECT_TRUE(put("r-1", "c"));
    EXPECT_THAT(heard, testing::ElementsAre(HasSubstr("Input/output error"), HasSubstr("No space left"), ""));
}

TEST_F(EmbeddedLogFault, ManyFaultsInARowLoseNothingAcknowledged) {
    open();
    std::vector<std::string> acknowledged;
    for (int i = 0; i < 30; ++i) {
        const std::string id = std::to_string(i);
        if (i % 3 == 0) disk_.fail_syncs(Fault::kIo, ".log");
        if (i % 3 == 1) disk_.fail_appends(Fault::kFull, ".log");
        if (i % 3 == 2) {
            disk_.fail_syncs(Fault::kNone);
            disk_.fail_appends(Fault::kNone);
        }
        if (put("r-1", id)) acknowledged.push_back(id);
        clock_.advance(seconds{10});
        if (i % 7 == 0) power_cycle();
    }
    EXPECT_GE(acknowledged.size(), 10u);
    EXPECT_THAT(ids("r-1"), testing::IsSupersetOf(acknowledged));
}

TEST_F(EmbeddedLogFault, ASlowDiskGathersTheNextCommit) {
    open();
    fill("r-1", 1);
    const auto before = log_->stats().commits;
    disk_.hold_syncs();
    auto first = send("r-1", "first");
    disk_.wait_for_held_sync();
    std::vector<std::future<Answer>> behind;
    for (int i = 0; i < 100; ++i) behind.push_back(send("r-1", std::to_string(i)));
    disk_.release_syncs();
    EXPECT_TRUE(first.get());
    for (auto& answer : behind) EXPECT_TRUE(answer.get());
    log_->head(room("r-1")).value();
    EXPECT_EQ(log_->stats().commits, before + 2);
}

TEST_F(EmbeddedLogFault, NothingIsAnsweredHeardOrReadBeforeItIsDurable) {
    open();
    std::atomic<int> heard{0};
    log_->on_commit([&](std::span<const MessageRef> messages) { heard += static_cast<int>(messages.size()); });
    disk_.hold_syncs();
    auto answer = send("r-1", "a");
    disk_.wait_for_held_sync();
    EXPECT_EQ(heard, 0);
    EXPECT_EQ(head("r-1").head.value, 0u);
    EXPECT_EQ(answer.wait_for(seconds{0}), std::future_status::timeout);
    disk_.release_syncs();
    EXPECT_TRUE(answer.get());
    EXPECT_EQ(heard, 1);
}

TEST_F(EmbeddedLogFault, AFullQueueRefusesAtOnce) {
    auto small = options();
    small.queue_limit = 10_KiB;
    open(std::move(small));
    disk_.hold_syncs();
    auto first = send("r-1", "first");
    disk_.wait_for_held_sync();
    auto fits = send("r-1", "fits", std::string(6'000, 'x'));
    const auto refused = put("r-1", "too much", std::string(6'000, 'x'));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kStoreUnavailable);
    EXPECT_GT(log_->stats().queue_bytes, 6'000u);
    disk_.release_syncs();
    EXPECT_TRUE(first.get());
    EXPECT_TRUE(fits.get());
    EXPECT_TRUE(put("r-1", "too much"));
}

TEST_F(EmbeddedLogFault, ARepeatOfAMessageInFlightIsAnsweredWithIt) {
    open();
    fill("r-1", 1);
    disk_.hold_syncs();
    auto first = send("r-1", "same");
    disk_.wait_for_held_sync();
    auto second = send("r-1", "same");
    disk_.release_syncs();
    EXPECT_EQ(first.get()->front().seq.value, 2u);
    const auto again = second.get();
    EXPECT_TRUE(again->front().repeated);
    EXPECT_EQ(again->front().seq.value, 2u);
}

}  // namespace
}  // namespace parley::log
