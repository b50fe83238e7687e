#include "gateway/gateway_fixture.h"

namespace parley::gateway {
namespace {

using testing::Client;
using ::testing::HasSubstr;
using ::testing::Not;

class SubscribeTest : public testing::GatewayTest {
protected:
    /// The seqs of the MESSAGEs heard so far, in order.
    static std::string seqs(const Client& client) {
        std::string out;
        for (auto at = client.text.find("\nseq:"); at != std::string::npos; at = client.text.find("\nseq:", at + 1)) {
            if (client.text.rfind("MESSAGE\n", at) < client.text.rfind("RECEIPT\n", at) + 1) continue;
            out += std::to_string(std::stoul(client.text.substr(at + 5))) + ' ';
        }
        return out;
    }
    void ack(Client& client, int seq) { say(client, "ACK\nid:s:" + std::to_string(seq) + "\n\n"); }
};

TEST_F(SubscribeTest, AReceiptMeansLive) {
    store(2);
    Client& client = connect();
    say(client, subscribe("s", "receipt:1\n"));
    EXPECT_THAT(client.text, HasSubstr("RECEIPT\nreceipt-id:1\nepoch:7\nseq:2\n"));
    client.heard();
    store(2);
    EXPECT_EQ(seqs(client), "3 4 ");
}

TEST_F(SubscribeTest, HistoryComesFirstMarkedAsReplayThenLive) {
    store(5);
    Client& client = connect();
    say(client, subscribe("s", "after-seq:2\nreceipt:1\n"));
    store(1);
    EXPECT_EQ(seqs(client), "3 4 5 6 ");
    EXPECT_EQ(client.count("replay:true"), 3U);
    EXPECT_LT(client.text.find("seq:5\n"), client.text.find("RECEIPT\n"));
}

TEST_F(SubscribeTest, AfterTheReadMark) {
    store(5);
    Client& client = connect();
    say(client, "SEND\ndestination:/pub/chat/read\n\n{\"roomId\":\"r-1\",\"seq\":3}");
    say(client, subscribe("s", "after-seq:read\nreceipt:1\n"));
    EXPECT_EQ(seqs(client), "4 5 ");
    EXPECT_EQ(client.count("receipt-id:1\n"), 1U);
}

TEST_F(SubscribeTest, APositionThatCannotBeIsToldAndDeliversNothing) {
    store(5);
    for (const std::string position : {"after-seq:6\n", "after-seq:18446744073709551616\n", "after-seq:2\nepoch:8\n"}) {
        Client& client = connect();
        hear_errors(client);
        say(client, subscribe("s", position + "receipt:1\n"));
        store(1);
        EXPECT_THAT(client.text, HasSubstr(R"("code":"POSITION_INVALID")"));
        EXPECT_THAT(client.text, HasSubstr(R"("receiptId":"1")"));
        EXPECT_EQ(client.count("\nseq:"), 0U);
        EXPECT_EQ(client.closed, 0);
    }
}

TEST_F(SubscribeTest, WhatEndsDeliveryWithoutErrorsQueueIsAnErrorAndClose) {
    store(5);
    Client& client = connect();
    say(client, subscribe("s", "after-seq:9\n"));
    EXPECT_THAT(client.text, HasSubstr("ERROR\nmessage:POSITION_INVALID"));
    EXPECT_NE(client.closed, 0);
}

TEST_F(SubscribeTest, WithoutErrorsQueueTheErrorSaysWhereToGoOnAndWhoAsked) {
    store(5);
    log.inner.trim(RoomId::trusted("r-1"), {4});
    Client& behind = connect();
    say(behind, subscribe("s", "after-seq:1\nreceipt:7\n"));
    EXPECT_THAT(behind.text, HasSubstr("ERROR\nmessage:HISTORY_TRUNCATED"));
    EXPECT_THAT(behind.text, HasSubstr("\nreceipt-id:7\n"));
    EXPECT_THAT(behind.text, HasSubstr(R"("firstSeq":4)"));
    EXPECT_NE(behind.closed, 0);
    Client& ahead = connect();
    say(ahead, subscribe("s", "after-seq:9\nreceipt:8\n"));
    EXPECT_THAT(ahead.text, HasSubstr("\nreceipt-id:8\n"));
    EXPECT_THAT(ahead.text, HasSubstr(R"("epoch":"7","firstSeq":4,"headSeq":5)"));
}

TEST_F(SubscribeTest, TruncatedHistoryIsToldAndGoesOnFromTheFirstKept) {
    store(5);
    log.inner.trim(RoomId::trusted("r-1"), {4});
    Client& client = connect();
    hear_errors(client);
    say(client, subscribe("s", "after-seq:1\nreceipt:1\n"));
    EXPECT_THAT(client.text, HasSubstr(R"("code":"HISTORY_TRUNCATED")"));
    EXPECT_THAT(client.text, HasSubstr(R"("firstSeq":4)"));
    EXPECT_EQ(seqs(client), "4 5 ");
}

TEST_F(SubscribeTest, ATimeBeforeWhatIsKeptIsToldAndOneWithinIsNot) {
    store(5);
    log.inner.trim(RoomId::trusted("r-1"), {4});
    Client& early = connect();
    hear_errors(early);
    say(early, subscribe("s", "since:1970-01-01T00\\c00\\c00.002Z\nreceipt:1\n"));
    EXPECT_THAT(early.text, HasSubstr(R"("code":"HISTORY_TRUNCATED")"));
    EXPECT_EQ(seqs(early), "4 5 ");
    Client& late = connect();
    say(late, subscribe("s", "since:1970-01-01T00\\c00\\c00.005Z\nreceipt:1\n"));
    EXPECT_THAT(late.text, Not(HasSubstr("HISTORY_TRUNCATED")));
    EXPECT_EQ(seqs(late), "5 ");
}

TEST_F(SubscribeTest, AnIdInUseAndAMissingHeaderAreFaults) {
    for (const std::string& frame : {subscribe("s"), std::string{"SUBSCRIBE\nid:t\n\n"}, std::string{"UNSUBSCRIBE\n\n"},
                                     subscribe("u", "ack:often\n"), std::string{"ACK\nid:s:99\n\n"}}) {
        Client& client = connect();
        say(client, subscribe("s"));
        say(client, frame);
        EXPECT_THAT(client.text, HasSubstr("ERROR\n")) << frame;
    }
}

TEST_F(SubscribeTest, NothingComesAfterUnsubscribe) {
    Client& client = connect();
    say(client, subscribe("s"));
    say(client, "UNSUBSCRIBE\nid:s\nreceipt:1\n\n");
    client.heard();
    store(3);
    EXPECT_EQ(client.text, "");
}

TEST_F(SubscribeTest, NotificationsReachTheMemberAlone) {
    Client& one = connect("u-1");
    Client& two = connect("u-2");
    for (Client* client : {&one, &two}) say(*client, "SUBSCRIBE\nid:n\ndestination:/user/queue/notifications\n\n");
    bus.notify({bus::Notice::Kind::kNotification, "u-2", R"({"kind":"MENTION"})", {}});
    turn();
    EXPECT_EQ(one.text, "");
    EXPECT_THAT(two.text, HasSubstr(R"({"kind":"MENTION"})"));
}

TEST_F(SubscribeTest, ASessionHearsNotificationsUntilItsLastQueueOrItselfEnds) {
    Client& one = connect("u-1");
    Client& gone = connect("u-1");
    for (Client* client : {&one, &gone}) say(*client, "SUBSCRIBE\nid:n\ndestination:/user/queue/notifications\n\n");
    say(one, "SUBSCRIBE\nid:m\ndestination:/user/queue/notifications\n\n");
    say(gone, "DISCONNECT\n\n");
    const auto hears = [&] {
        one.text.clear();
        bus.notify({bus::Notice::Kind::kNotification, "u-1", "{}", {}});
        turn();
        return std::pair{one.text.find("subscription:n\n") != std::string::npos,
                         one.text.find("subscription:m\n") != std::string::npos};
    };
    EXPECT_EQ(hears(), (std::pair{true, true}));
    say(one, "UNSUBSCRIBE\nid:n\n\n");
    EXPECT_EQ(hears(), (std::pair{false, true}));
    say(one, "UNSUBSCRIBE\nid:m\n\n");
    EXPECT_EQ(hears(), (std::pair{false, false}));
    say(one, "SUBSCRIBE\nid:o\ndestination:/user/queue/notifications\n\n");
    hears();
    EXPECT_THAT(one.text, HasSubstr("subscription:o\n"));
}

// --- acknowledgements ---------------------------------------------------------------------------------------------

TEST_F(SubscribeTest, ThePrefetchWindowCountsFromWhereTheSubscriptionBegan) {
    store(50);
    Client& client = connect();
    say(client, subscribe("s", "ack:client-individual\nprefetch-count:2\n"));
    store(5);
    EXPECT_EQ(seqs(client), "51 52 ");
    ack(client, 52);
    EXPECT_EQ(seqs(client), "51 52 53 ");
    ack(client, 51);
    ack(client, 53);
    EXPECT_EQ(seqs(client), "51 52 53 54 55 ");
}

TEST_F(SubscribeTest, AnAckOfModeClientTakesEverythingBefore) {
    store(6);
    Client& client = connect();
    say(client, subscribe("s", "ack:client\nprefetch-count:3\nafter-seq:1\n"));
    EXPECT_EQ(seqs(client), "2 3 4 ");
    ack(client, 4);
    EXPECT_EQ(seqs(client), "2 3 4 5 6 ");
    ack(client, 3);
    EXPECT_THAT(client.text, HasSubstr("ERROR\n"));
}

TEST_F(SubscribeTest, AFullPrefetchWindowIsNoResync) {
    Client& client = connect();
    hear_errors(client);
    say(client, subscribe("s", "ack:client\nprefetch-count:3\n"));
    std::vector<MessageRef> run;
    for (int i = 0; i < 5; ++i) run.push_back(log.inner.put(RoomId::trusted("r-1"), {}));
    bus.announce(run);
    turn();
    EXPECT_EQ(seqs(client), "1 2 3 ");
    EXPECT_THAT(client.text, Not(HasSubstr("RESYNC")));
}

TEST_F(SubscribeTest, TheReceiptOfARoomsEventsCarriesTheEpochToo) {
    Client& client = connect();
    say(client, "SUBSCRIBE\nid:v\ndestination:/sub/chat/room/r-1/events\nreceipt:1\n\n");
    EXPECT_THAT(client.heard(), HasSubstr("RECEIPT\nreceipt-id:1\nepoch:7\n"));
    log.inner.is_down = true;
    say(client, "SUBSCRIBE\nid:w\ndestination:/sub/chat/room/r-1/events\nreceipt:2\n\n");
    EXPECT_THAT(client.heard(), HasSubstr("RECEIPT\nreceipt-id:2\n"));
}

TEST_F(SubscribeTest, AnAckInATransactionCountsAtCommit) {
    store(3);
    Client& client = connect();
    say(client, subscribe("s", "ack:client\nprefetch-count:1\nafter-seq:0\n"));
    say(client, "BEGIN\ntransaction:t\n\n");
    say(client, "ACK\nid:s:1\ntransaction:t\n\n");
    EXPECT_EQ(seqs(client), "1 ");
    say(client, "COMMIT\ntransaction:t\n\n");
    EXPECT_EQ(seqs(client), "1 2 ");
}

TEST_F(SubscribeTest, AnAckOfVersion11NeedsItsSubscription) {
    store(1);
    Client& client = open();
    say(client, "CONNECT\naccept-version:1.1\n\n");
    say(client, subscribe("s", "ack:client\nafter-seq:0\n"));
    say(client, "ACK\nsubscription:s\nmessage-id:r-1\\c1\nreceipt:1\n\n");
    EXPECT_EQ(client.count("RECEIPT\nreceipt-id:1\n"), 1U);
    say(client, "ACK\nmessage-id:r-1\\c1\n\n");
    EXPECT_THAT(client.text, HasSubstr("ERROR\nmessage:ACK and NACK need a subscription"));
}

// --- slow consumers -----------------------------------------------------------------------------------------------

class SlowConsumerTest : public SubscribeTest {
protected:
    void SetUp() override {
        options.send_buffer = Bytes{16 * 1024};
        start();
    }
};

TEST_F(SlowConsumerTest, ItIsToldToResyncAndNeverGrowsFarBeyondTheLimit) {
    Client& client = connect();
    hear_errors(client);
    say(client, subscribe("s"));
    client.stuck = true;
    for (int i = 0; i < 200; ++i) store(1, std::string(1000, 'x'));
    EXPECT_LT(client.bytes, 18 * 1024U);
    EXPECT_EQ(client.count(R"("code":"RESYNC")"), 1U);
}

TEST_F(SlowConsumerTest, WhatItMissedIsReplayedAsItDrains) {
    Client& client = connect();
    hear_errors(client);
    say(client, subscribe("s"));
    client.stuck = true;
    store(60, std::string(1000, 'x'));
    client.stuck = false;
    client.read_all();
    turn();
    store(1);
    std::string all;
    for (int i = 1; i <= 61; ++i) all += std::to_string(i) + ' ';
    EXPECT_EQ(seqs(client), all);
}

TEST_F(SlowConsumerTest, EventsAreTheFirstToGo) {
    Client& client = connect();
    say(client, "SUBSCRIBE\nid:v\ndestination:/sub/chat/room/r-1/events\n\n");
    client.stuck = true;
    for (int i = 0; i < 500; ++i) {
        bus.event({RoomId::trusted("r-1"), R"({"event":"TYPING"})"});
        turn();
    }
    EXPECT_LT(client.bytes, 9 * 1024U);
    EXPECT_GT(client.bytes, 7 * 1024U);
}

// --- rights that end ----------------------------------------------------------------------------------------------

TEST_F(SubscribeTest, WhoIsKickedGetsNothingAboveThatSeq) {
    Client& client = connect();
    hear_errors(client);
    say(client, subscribe("s"));
    Draft change;
    change.type = MessageType::kSystem;
    change.extra = to_extra({RoomChange::Kind::kKicked, MemberId::trusted("u-1")});
    bus.announce(std::vector<MessageRef>{log.inner.put(RoomId::trusted("r-1"), change)});
    store(3);
    EXPECT_EQ(client.count("\nseq:2"), 0U);
    EXPECT_THAT(client.text, HasSubstr("the right to read this room has ended"));
    EXPECT_EQ(client.closed, 0);
}

TEST_F(SubscribeTest, WithoutErrorsQueueTheEndOfARightClosesTheSession) {
    Client& client = connect();
    say(client, subscribe("s"));
    say(client, subscribe("t"));  // both end: the first one's callback ends the session
    Draft change;
    change.type = MessageType::kSystem;
    change.extra = to_extra({RoomChange::Kind::kLeft, MemberId::trusted("u-1")});
    bus.announce(std::vector<MessageRef>{log.inner.put(RoomId::trusted("r-1"), change)});
    store(1);
    EXPECT_EQ(client.closed, 4403);
    EXPECT_EQ(client.count("ERROR\n"), 1U);
}

}  // namespace
}  // namespace parley::gateway
