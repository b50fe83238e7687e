#include "gateway/live_fixture.h"

namespace parley::gateway::testing {
namespace {

using ::testing::HasSubstr;

/// What another server stores is in the log; no bus tells of it.
class HeadWatchTest : public LiveTest {
protected:
    void SetUp() override {
        options.cursor_keys = {"a key for tests"};
        options.log_is_shared = true;
        LiveTest::SetUp();
    }
    void another_server_stores(const std::string& content) {
        Draft draft;
        draft.sender = MemberId::trusted("u-9");
        draft.content = content;
        log.inner.put(RoomId::trusted("r-1"), std::move(draft));
    }
};

TEST_F(HeadWatchTest, SubscribersSeeSoonWhatNobodyAnnounced) {
    Client& client = connect();
    say(client, "SUBSCRIBE\nid:s\ndestination:/sub/chat/room/r-1\n\n");
    another_server_stores("from afar");
    another_server_stores("and again");
    EXPECT_EQ(client.heard(), "");
    pass(seconds{5});
    EXPECT_THAT(client.heard(), ::testing::AllOf(HasSubstr("from afar"), HasSubstr("and again")));
    pass(seconds{10});
    EXPECT_EQ(client.heard(), "") << "once";
}

TEST_F(HeadWatchTest, APollThatWaitsIsAnsweredToo) {
    Line& line = ask("/api/messages/longpoll?roomId=r-1&after=0");
    EXPECT_EQ(heard(line), "");
    another_server_stores("from afar");
    pass(seconds{4});
    EXPECT_THAT(heard(line), HasSubstr("from afar"));
}

TEST_F(HeadWatchTest, WhereHintsMayHaveBeenMissedTheLogIsAskedAtOnce) {
    Client& client = connect();
    say(client, "SUBSCRIBE\nid:s\ndestination:/sub/chat/room/r-1\n\n");
    another_server_stores("from afar");
    bus.missed();
    for (int turn = 0; turn < 10; ++turn) pass(milliseconds{10});
    EXPECT_THAT(client.heard(), HasSubstr("from afar"));
}

TEST_F(HeadWatchTest, ALogThatDoesNotAnswerIsAskedAgain) {
    Client& client = connect();
    say(client, "SUBSCRIBE\nid:s\ndestination:/sub/chat/room/r-1\n\n");
    another_server_stores("from afar");
    log.inner.is_down = true;
    pass(seconds{5});
    EXPECT_EQ(client.heard(), "");
    log.inner.is_down = false;
    pass(seconds{4});
    EXPECT_THAT(client.heard(), HasSubstr("from afar"));
}

}  // namespace
}  // namespace parley::gateway::testing
