#include "worker/group_runner.h"

#include <condition_variable>
#include <thread>

#include "worker/worker_fixture.h"

namespace parley::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

/// A group's partitions, given and taken by the test.
class FakeGroup {
public:
    log::ShareReading share() {
        return [this](const std::string& name,
                      log::SharedReading::Listener& listener) -> Result<std::unique_ptr<log::SharedReading>> {
            EXPECT_EQ(name, "listen");
            told = &listener;
            return std::make_unique<Member>(*this);
        };
    }
    void wait_for(std::uint32_t partition, std::uint64_t next) {
        std::unique_lock lock{mutex_};
        ASSERT_TRUE(changed_.wait_for(lock, seconds{30}, [&] { return done_[partition] >= next; })) << done_[partition];
    }
    std::uint64_t done(std::uint32_t partition) {
        const std::lock_guard lock{mutex_};
        return done_[partition];
    }

    log::SharedReading::Listener* told = nullptr;
    std::set<std::uint32_t> owned;

private:
    struct Member final : log::SharedReading {
        explicit Member(FakeGroup& group) : group_(group) {}
        ~Member() override {
            for (const auto partition : group_.owned) group_.told->on_revoked(partition);
        }
        void done(log::Position to) override {
            const std::lock_guard lock{group_.mutex_};
            group_.done_[to.partition] = to.next;
            group_.changed_.notify_all();
        }
        bool is_well() const override { return true; }
        FakeGroup& group_;
    };
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::uint32_t, std::uint64_t> done_;
};

class GroupRunnerTest : public ReaderTest {
protected:
    std::unique_ptr<GroupRunner> open(std::size_t threads = 1, milliseconds stuck_after = seconds{5}) {
        Reader::Options options;
        options.stuck_after = stuck_after;
        options.save_every = milliseconds{20};
        options.between_tries = milliseconds{20};
        options.on_dead_letter = [this](const Message& message, const std::string& reason) -> Result<> {
            letters.push_back(message.id.str() + ": " + reason);
            return {};
        };
        auto runner = GroupRunner::open({log, {}, ledger, system, metrics}, options, role, threads, group.share());
        EXPECT_TRUE(runner.has_value());
        return std::move(*runner);
    }
    void assign(std::uint32_t partition) {
        group.told->on_assigned(partition);
        group.owned.insert(partition);
    }
    void revoke(std::uint32_t partition) {
        group.told->on_revoked(partition);
        group.owned.erase(partition);
    }
    void say(std::uint32_t partition, std::uint64_t offset, const std::string& room) {
        log.add(room, "x");
        group.told->on_record(partition, offset, RoomId::trusted(room));
    }

    SystemClock system;
    FakeGroup group;
    std::vector<std::string> letters;
};

TEST_F(GroupRunnerTest, TellsAPartitionsPositionWhenItsRoomsAreDoneAndSaved) {
    const auto runner = open();
    assign(3);
    EXPECT_EQ(runner->partitions(), 1U);
    say(3, 10, "a");
    say(3, 12, "b");
    say(3, 14, "a");
    group.wait_for(3, 15);
    EXPECT_EQ(ledger.value("listen/room/a"), "2\n2");
    EXPECT_EQ(ledger.value("listen/room/b"), "1\n1");
}

TEST_F(GroupRunnerTest, ARecordThatIsReadAgainIsDoneAndHasNoEffect) {
    {
        const auto runner = open();
        assign(0);
        say(0, 0, "a");
        group.wait_for(0, 1);
    }
    const auto runner = open();
    group.owned.clear();
    assign(1);
    group.told->on_record(1, 7, RoomId::trusted("a"));
    group.wait_for(1, 8);
    EXPECT_THAT(role.taken, ElementsAre("a-1"));
}

TEST_F(GroupRunnerTest, APartitionThatGoesIsSavedFirstAndTheOthersGoOn) {
    const auto runner = open();
    assign(0);
    assign(1);
    role.faults["b-1"] = {Code::kStoreUnavailable, "away"};
    say(1, 5, "b");
    say(0, 0, "a");
    group.wait_for(0, 1);
    revoke(0);
    EXPECT_EQ(ledger.value("listen/room/a"), "1\n1");
    EXPECT_EQ(group.done(1), 0U);
    revoke(1);
    EXPECT_EQ(group.done(1), 0U);
    EXPECT_EQ(runner->partitions(), 0U);
}

TEST_F(GroupRunnerTest, APartitionGoesWhenTheMessageAtHandIsDoneHoweverMuchIsWaiting) {
    constexpr std::size_t kRooms = 50, kEach = 100;
    std::mutex mutex;
    std::condition_variable changed;
    bool working = false;
    bool gone = false;
    role.on_take = [&] {
        std::unique_lock lock{mutex};
        working = true;
        changed.notify_all();
        changed.wait_for(lock, milliseconds{10}, [&] { return gone; });
    };
    for (std::size_t i = 0; i < kRooms * kEach; ++i) log.add("r-" + std::to_string(i % kRooms), "x");
    const auto runner = open();
    assign(0);
    for (std::size_t i = 0; i < kRooms; ++i) group.told->on_record(0, i, RoomId::trusted("r-" + std::to_string(i)));
    {
        std::unique_lock lock{mutex};
        ASSERT_TRUE(changed.wait_for(lock, seconds{30}, [&] { return working; }));
    }
    revoke(0);
    {
        const std::lock_guard lock{mutex};
        gone = true;
    }
    EXPECT_GE(role.taken.size(), 1U);
    EXPECT_LT(role.taken.size(), kRooms * kEach);
}

TEST_F(GroupRunnerTest, APoisonRecordHoldsUpNothingForLong) {
    const auto runner = open();
    role.faults["a-1"] = {Code::kInternal, "cannot be done"};
    assign(0);
    say(0, 0, "a");
    say(0, 1, "a");
    group.wait_for(0, 2);
    EXPECT_THAT(letters, ElementsAre("a-1: cannot be done"));
    EXPECT_THAT(role.taken, ElementsAre("a-2"));
}

TEST_F(GroupRunnerTest, IsNotWellWhileOneOfItsThreadsWaitsForAnEffect) {
    role.faults["a-1"] = {Code::kStoreUnavailable, "away"};
    const auto runner = open(3, milliseconds{0});
    assign(0);
    EXPECT_TRUE(runner->is_well());
    say(0, 0, "a");
    const auto end = system.steady() + seconds{30};
    while (runner->is_well() && system.steady() < end) std::this_thread::yield();
    EXPECT_FALSE(runner->is_well());
}

TEST_F(GroupRunnerTest, EndingLeavesNothingUnsaved) {
    {
        const auto runner = open();
        assign(0);
        say(0, 0, "a");
        group.wait_for(0, 1);
        say(0, 1, "a");
    }
    const auto again = open();
    group.owned.clear();
    assign(0);
    group.told->on_record(0, 1, RoomId::trusted("a"));
    group.wait_for(0, 2);
    EXPECT_THAT(role.taken, ElementsAre("a-1", "a-2"));
}

}  // namespace
}  // namespace parley::worker
