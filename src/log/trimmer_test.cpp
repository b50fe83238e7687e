#include <thread>

#include "log/log_fixture.h"
#include "log/store.h"

namespace parley::log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Trimming : public LogFixture {
public:
    void open_limited(milliseconds age, Bytes size) {
        auto with = options();
        with.max_age = age;
        with.max_room_bytes = size;
        with.trim_interval = std::chrono::hours{24};  // by hand only
        open(std::move(with));
    }
    /// Keys of each kind in the closed store: messages with name cards, dedup keys.
    std::pair<int, int> keys() {
        log_.reset();
        auto store = Store::open({.data_dir = dir_.path()}, clock_);
        EXPECT_TRUE(store.has_value());
        const auto count = [&](rocksdb::ColumnFamilyHandle* family) {
            int out = 0;
            const std::unique_ptr<rocksdb::Iterator> at{(*store)->db().NewIterator({}, family)};
            for (at->SeekToFirst(); at->Valid(); at->Next()) ++out;
            return out;
        };
        return {count((*store)->messages()), count((*store)->dedup())};
    }
};

TEST_F(Trimming, KeepsForEverByDefault) {
    open();
    fill("r-1", 100);
    clock_.advance(std::chrono::hours{24 * 365 * 10});
    log_->trim_now();
    EXPECT_THAT(ids("r-1"), SizeIs(100));
}

TEST_F(Trimming, RemovesWhatIsTooOldFromTheFrontOnly) {
    open_limited(std::chrono::hours{1}, {});
    ASSERT_TRUE(put("r-1", "old"));
    clock_.advance(std::chrono::minutes{45});
    ASSERT_TRUE(put("r-1", "young"));
    clock_.advance(std::chrono::minutes{30});
    log_->trim_now();
    EXPECT_THAT(ids("r-1"), ElementsAre("young"));
    EXPECT_EQ(head("r-1").first.value, 2u);
    EXPECT_EQ(log_->stats().trimmed, 1u);
}

TEST_F(Trimming, RemovesWhatIsTooMuchPerRoom) {
    open_limited({}, 10_KiB);
    fill("r-1", 100, std::string(1000, 'x'));
    fill("r-2", 5, std::string(1000, 'x'));
    log_->trim_now();
    EXPECT_THAT(ids("r-1"), SizeIs(testing::AllOf(testing::Ge(8u), testing::Le(10u))));
    EXPECT_EQ(ids("r-1").back(), "m100");
    EXPECT_THAT(ids("r-2"), SizeIs(5));
}

TEST_F(Trimming, KeepsHeadAndEpochOfAnEmptiedRoomAcrossReopening) {
    open_limited(std::chrono::hours{1}, {});
    fill("r-1", 10);
    const Epoch epoch = head("r-1").epoch;
    clock_.advance(std::chrono::hours{2});
    log_->trim_now();
    open_limited(std::chrono::hours{1}, {});
    EXPECT_THAT(ids("r-1"), IsEmpty());
    EXPECT_EQ(head("r-1").first.value, 11u);
    EXPECT_EQ(head("r-1").head.value, 10u);
    EXPECT_EQ(head("r-1").epoch, epoch);
    EXPECT_EQ(log_->seek(room("r-1"), clock_.wall())->value, 10u);
    EXPECT_EQ(log_->seek(room("r-1"), {})->value, 0u);
    EXPECT_TRUE(log_->read_before(room("r-1"), {11}, 10, 1_MiB)->messages.empty());
    EXPECT_EQ(put("r-1", "next")->front().seq.value, 11u);
}

TEST_F(Trimming, ATimeBeforeWhatIsKeptIsSoughtFromTheBeginningSoThatItsReaderIsTold) {
    open_limited(std::chrono::hours{1}, {});
    fill("r-1", 10);
    clock_.advance(std::chrono::hours{2});
    ASSERT_TRUE(put("r-1", "young"));
    log_->trim_now();
    ASSERT_EQ(head("r-1").first.value, 11u);
    EXPECT_EQ(log_->seek(room("r-1"), clock_.wall() - std::chrono::hours{1})->value, 0u);
    EXPECT_EQ(log_->seek(room("r-1"), clock_.wall() + milliseconds{1})->value, 11u);
}

TEST_F(Trimming, RemovesDedupKeysWithTheirMessages) {
    open_limited(std::chrono::hours{1}, {});
    fill("r-1", 1200);
    clock_.advance(std::chrono::hours{2});
    ASSERT_TRUE(put("r-1", "young"));
    log_->trim_now();
    EXPECT_FALSE(put("r-1", "m1")->front().repeated);
    EXPECT_TRUE(put("r-1", "young")->front().repeated);
    EXPECT_EQ(keys(), std::make_pair(3, 2)) << "name card, young and m1; keys of the latter two";
}

TEST_F(Trimming, AReadFromBelowTheFirstBeginsAtTheFirst) {
    open_limited(std::chrono::hours{1}, {});
    fill("r-1", 10);
    clock_.advance(std::chrono::hours{2});
    ASSERT_TRUE(put("r-1", "young"));
    log_->trim_now();
    const auto page = log_->read(room("r-1"), {3}, 100, 1_MiB);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->at.first.value, 11u);
    ASSERT_THAT(page->messages, SizeIs(1));
    EXPECT_EQ(page->messages[0]->seq.value, 11u);
}

TEST_F(Trimming, ReadersAndSendersSeeNoHoleMeanwhile) {
    open_limited({}, 20_KiB);
    std::atomic<bool> ended{false};
    std::thread trimming{[&] {
        while (!ended) log_->trim_now();
    }};
    std::uint64_t have = 0;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(put("r-1", "m" + std::to_string(i), std::string(500, 'x'))->front().seq.value, i + 1u);
        const auto page = log_->read(room("r-1"), {have}, 100, 1_MiB);
        ASSERT_TRUE(page) << page.error().message;
        have = std::max(have + 1, page->at.first.value);
        for (const auto& message : page->messages) EXPECT_EQ(message->seq.value, have++);
        --have;
    }
    ended = true;
    trimming.join();
    log_->trim_now();
    EXPECT_EQ(head("r-1").head.value, 300u);
    EXPECT_GT(head("r-1").first.value, 200u);
}

TEST_F(Trimming, AFaultLeavesTheRoomWholeAndALaterSweepGoesOn) {
    open_limited(std::chrono::hours{1}, {});
    fill("r-1", 100);
    clock_.advance(std::chrono::hours{2});
    disk_.fail_syncs(rocks::FaultDisk::Fault::kIo, ".log");
    log_->trim_now();
    EXPECT_THAT(ids("r-1"), SizeIs(100));
    disk_.fail_syncs(rocks::FaultDisk::Fault::kNone);
    clock_.advance(seconds{10});
    ASSERT_TRUE(put("r-1", "young"));
    log_->trim_now();
    EXPECT_THAT(ids("r-1"), ElementsAre("young"));
}

TEST_F(Trimming, GoesOverEveryRoom) {
    open_limited(std::chrono::hours{1}, {});
    std::vector<std::future<Answer>> answers;
    for (int i = 0; i < 2500; ++i) answers.push_back(send("r-" + std::to_string(i), "m"));
    for (auto& answer : answers) ASSERT_TRUE(answer.get());
    clock_.advance(std::chrono::hours{2});
    log_->trim_now();
    EXPECT_EQ(log_->stats().trimmed, 2500u);
}

TEST_F(Trimming, ByItselfAtItsInterval) {
    auto with = options();
    with.max_age = std::chrono::hours{1};
    with.trim_interval = milliseconds{1};
    open(std::move(with));
    fill("r-1", 10);
    clock_.advance(std::chrono::hours{2});
    while (log_->stats().trimmed < 10) std::this_thread::yield();
    EXPECT_THAT(ids("r-1"), IsEmpty());
}

}  // namespace
}  // namespace parley::log
