#include "worker/runner.h"

#include "worker/worker_fixture.h"

namespace parley::worker {
namespace {

/// Says when it has taken so much.
class WaitingRole final : public Role {
public:
    const std::string& name() const override { return name_; }
    std::unique_ptr<RoomWork> open(const RoomId&, std::string_view) override { return std::make_unique<InRoom>(*this); }
    void wait_for(std::size_t count) {
        std::unique_lock lock{mutex_};
        ASSERT_TRUE(changed_.wait_for(lock, seconds{30}, [&] { return count_ >= count; }));
        EXPECT_EQ(count_, count);
    }

private:
    struct InRoom final : RoomWork {
        explicit InRoom(WaitingRole& role) : role_(role) {}
        Result<> take(const Message&) override {
            const std::lock_guard lock{role_.mutex_};
            ++role_.count_;
            role_.changed_.notify_one();
            return {};
        }
        std::string save() const override { return {}; }
        WaitingRole& role_;
    };
    const std::string name_ = "wait";
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t count_ = 0;
};

class RunnerTest : public testing::Test {
protected:
    Reader::Parts parts() { return {log, log.list_rooms(), ledger, clock, metrics}; }
    bus::MessageBatch batch(std::vector<MessageRef> messages) {
        return std::make_shared<const std::vector<MessageRef>>(std::move(messages));
    }

    SystemClock clock;
    metrics::Registry metrics;
    MemoryLog log{clock};
    MemoryLedger ledger;
    WaitingRole role;
};

TEST_F(RunnerTest, TakesWhatIsThereAndWhatIsHintedAndSavesAtItsEnd) {
    log.add("a", "x");
    {
        Runner runner{parts(), {}, role};
        role.wait_for(1);
        runner.hint(batch({log.add("a", "x")}));
        role.wait_for(2);
    }
    EXPECT_EQ(ledger.value("wait/room/a"), "2\n");
}

TEST_F(RunnerTest, MoreHintsThanItHoldsAreFoundByListing) {
    Runner runner{parts(), {}, role};
    std::vector<MessageRef> many;
    for (int i = 0; i < 1'000; ++i) many.push_back(log.add("a", std::string(5'000, 'x')));
    runner.hint(batch(std::move(many)));
    role.wait_for(1'000);
}

}  // namespace
}  // namespace parley::worker
