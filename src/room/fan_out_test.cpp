#include "room/room_fixture.h"
#include "rt/fake_kernel.h"

namespace parley::room {
namespace {

using testing::Reader;
using testing::RoomTest;

/// A reader whose live messages may go straight to a connection of its own.
class DirectReader final : public Sink {
public:
    DirectReader(rt::ConnectionSet& set, rt::testing::FakeKernel& kernel)
        : kernel_(kernel), fd_(kernel.open()), connection_(set.open(fd_, std::make_unique<Nobody>())) {}

    [[nodiscard]] const MemberId& member() const override { return who; }
    [[nodiscard]] std::size_t can_take() const override { return connection_.can_take() ? SIZE_MAX : 0; }
    [[nodiscard]] bool can_take_event() const override { return connection_.is_relaxed(); }
    void take(const rt::Slice& frames) override {
        ++asked;
        connection_.send(frames);
    }
    [[nodiscard]] rt::Connection* direct() override { return &connection_; }
    void on_live(std::string_view, const log::RoomHead&) override { is_live = true; }
    void on_set_back(const RoomId&, RoomSeq written) override { set_back_to = written.value; }
    void on_truncated(const RoomId&, RoomSeq) override {}
    void on_position_invalid(std::string_view, const RoomId&, const log::RoomHead&) override {}
    void on_ended(std::string_view, const RoomId&) override { ended = true; }

    [[nodiscard]] const std::string& got() { return kernel_.socket(fd_).taken; }
    void stall() { kernel_.socket(fd_).room = 0; }
    void go_on() { kernel_.take(fd_, SIZE_MAX); }

    std::unique_ptr<Subscription> subscription;
    MemberId who = MemberId::trusted("u-1");
    int asked = 0;
    bool is_live = false;
    bool ended = false;
    std::uint64_t set_back_to = 0;

private:
    struct Nobody final : rt::Connection::Handler {
        std::size_t on_data(rt::Connection&, std::span<char> bytes) override { return bytes.size(); }
        void on_closed(rt::Connection&) override {}
    };
    rt::testing::FakeKernel& kernel_;
    const int fd_;
    rt::Connection& connection_;
};

class FanOutTest : public RoomTest {
protected:
    FanOutTest() : RoomTest(std::make_unique<rt::testing::FakeKernel>()) {}

    DirectReader& subscribe_directly(Start start = {}, std::string id = "sub-1") {
        direct.push_back(std::make_unique<DirectReader>(set, static_cast<rt::testing::FakeKernel&>(loop.kernel())));
        direct.back()->subscription = hub->subscribe(room, *direct.back(), form, std::move(id), start);
        return *direct.back();
    }

    rt::ConnectionSet set{loop, {.send_buffer = Bytes{64}}};
    std::vector<std::unique_ptr<DirectReader>> direct;
};

TEST_F(FanOutTest, ALiveMessageGoesToTheConnectionWithoutAskingTheSink) {
    DirectReader& a = subscribe_directly();
    DirectReader& b = subscribe_directly();
    settle();
    ASSERT_TRUE(a.is_live && b.is_live);
    say(3);
    turn();
    EXPECT_EQ(a.got(), "1 2 3 ");
    EXPECT_EQ(b.got(), "1 2 3 ");
    EXPECT_EQ(a.asked + b.asked, 0);
    EXPECT_EQ(a.subscription->cursor().value, 3U);
}

TEST_F(FanOutTest, HistoryComesBeforeWhatIsLive) {
    store(2);
    DirectReader& reader = subscribe_directly(after(0));
    settle();
    say();
    turn();
    EXPECT_EQ(reader.got(), "1r 2r 3 ");
}

TEST_F(FanOutTest, WhoStopsReadingIsSetBackAndFilledUpFromTheLogWhenItReadsAgain) {
    DirectReader& slow = subscribe_directly();
    DirectReader& quick = subscribe_directly();
    settle();
    slow.stall();
    std::string all;
    for (int i = 1; i <= 100; ++i) {
        say();
        turn();
        all += std::to_string(i) + ' ';
    }
    EXPECT_EQ(quick.got(), all);
    EXPECT_GT(slow.set_back_to, 0U);
    EXPECT_LT(slow.set_back_to, 100U);
    slow.go_on();
    turn();
    slow.subscription->on_drained();
    settle();
    say();
    turn();
    std::string seen;
    for (const char c : slow.got()) {
        if (c != 'r') seen += c;
    }
    EXPECT_EQ(seen, all + "101 ");
}

TEST_F(FanOutTest, WhoIsKickedGetsNothingAboveTheRecordThatSaysSo) {
    DirectReader& kicked = subscribe_directly();
    DirectReader& other = subscribe_directly();
    other.who = MemberId::trusted("u-2");
    settle();
    announce({log.put(room, {}), store_change(RoomChange::Kind::kKicked, "u-1"), log.put(room, {})});
    turn();
    EXPECT_EQ(kicked.got(), "1 2 ");
    EXPECT_TRUE(kicked.ended);
    EXPECT_EQ(other.got(), "1 2 3 ");
}

TEST_F(FanOutTest, AReaderThatLeavesDuringDeliveryLeavesTheOthersTheirs) {
    DirectReader& first = subscribe_directly();
    Reader& leaver = subscribe();
    DirectReader& last = subscribe_directly();
    settle();
    leaver.on_take = [&] { first.subscription.reset(); };
    say();
    leaver.on_take = nullptr;
    say();
    turn();
    EXPECT_EQ(last.got(), "1 2 ");
    EXPECT_THAT(leaver.heard, ::testing::EndsWith("1 2 "));
}

TEST_F(FanOutTest, SubscriptionIdsOfTheirOwnShareWhatIsPrepared) {
    DirectReader& a = subscribe_directly({}, "a");
    DirectReader& b = subscribe_directly({}, "b");
    settle();
    say(2);
    turn();
    EXPECT_EQ(a.got(), "1 2 ");
    EXPECT_EQ(b.got(), "1 2 ");
    EXPECT_EQ(form.prepared, 1);
}

}  // namespace
}  // namespace parley::room
