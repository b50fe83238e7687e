#include "gateway/stomp_session.h"

#include "gateway/gateway_fixture.h"

namespace parley::gateway {
namespace {

using ::testing::AllOf;
using testing::Client;
using ::testing::HasSubstr;
using ::testing::Not;

class StompSessionTest : public testing::GatewayTest {};

// --- CONNECT and the end ------------------------------------------------------------------------------------------

TEST_F(StompSessionTest, ConnectIsAnsweredWithVersionHeartBeatAndServer) {
    Client& client = open();
    say(client, "CONNECT\naccept-version:1.0,1.1,1.2\n\n");
    EXPECT_THAT(client.text, HasSubstr("CONNECTED\nversion:1.2\nheart-beat:30000,30000\nserver:parley"));
}

TEST_F(StompSessionTest, AnythingBeforeConnectIsAFault) {
    Client& client = open();
    say(client, talk("hello", "receipt:1\n"));
    EXPECT_THAT(client.text, HasSubstr("ERROR\nmessage:CONNECT must come first"));
    EXPECT_THAT(client.text, HasSubstr("receipt-id:1"));
    EXPECT_EQ(client.closed, 1002);
}

TEST_F(StompSessionTest, TheIdOfOneGuestTellsNothingOfAnothers) {
    const MemberId first = connect("", {}, auth::Profile::kPublic).session->member();
    const MemberId second = connect("", {}, auth::Profile::kPublic).session->member();
    EXPECT_THAT(first.str(), ::testing::MatchesRegex("~guest:[0-9a-f]{24}"));
    EXPECT_NE(first.str().substr(0, 15), second.str().substr(0, 15));
}

TEST_F(StompSessionTest, ASecondConnectIsAFault) {
    Client& client = connect();
    say(client, "CONNECT\naccept-version:1.2\n\n");
    EXPECT_THAT(client.text, HasSubstr("ERROR\n"));
    EXPECT_EQ(client.closed, 1002);
}

TEST_F(StompSessionTest, AFrameThatCannotBecomeValidIsRefusedAtTheEndOfItsHeaders) {
    Client& early = open();
    early.session->on_message("SEND\ndestination:/pub/chat/send\nreceipt:1\n\nabc");
    EXPECT_THAT(early.text, HasSubstr("ERROR\nmessage:CONNECT must come first"));
    EXPECT_THAT(early.text, HasSubstr("receipt-id:1"));
    EXPECT_EQ(early.closed, 1002);
    Client& modern = open();
    modern.session->on_message("CONNECT\naccept-version:3.0\n\n");
    EXPECT_THAT(modern.text, HasSubstr("version:1.0,1.1,1.2"));
    for (const std::string frame :
         {"CONNECT\naccept-version:1.2\n\n", "SEND\nreceipt:1\n\n", "SEND\ndestination:/a\ntransaction:t\n\nabc",
          "SUBSCRIBE\nid:9\n\n", "SUBSCRIBE\ndestination:/a\n\n", "UNSUBSCRIBE\n\n", "ACK\n\n", "NACK\n\n", "BEGIN\n\n",
          "COMMIT\ntransaction:t\n\n", "ABORT\ntransaction:t\n\n"}) {
        Client& client = connect();
        client.session->on_message(frame);
        EXPECT_THAT(client.text, HasSubstr("ERROR\n")) << frame;
        EXPECT_EQ(client.closed, 1002) << frame;
    }
}

TEST_F(StompSessionTest, AFrameThatMayBecomeValidIsWaitedFor) {
    Client& client = connect();
    client.session->on_message("SEND\ndestination:/pub/chat/send\nreceipt:1\n\n{\"type\":\"TALK\",\"roomId\":\"r-1\",");
    EXPECT_EQ(client.text, "");
    say(client, "\"content\":\"x\"}");
    EXPECT_THAT(client.text, HasSubstr("RECEIPT\nreceipt-id:1\nseq:1\n"));
}

TEST_F(StompSessionTest, WhoDoesNotConnectInTimeIsClosed) {
    Client& client = open();
    pass(seconds{10});
    EXPECT_EQ(client.closed, 0);
    pass(seconds{2});
    EXPECT_THAT(client.text, HasSubstr("CONNECT did not come in time"));
    EXPECT_NE(client.closed, 0);
}

TEST_F(StompSessionTest, NothingIsHeardAfterTheEnd) {
    Client& client = connect();
    feed(client, "send\n\n");
    client.heard();
    say(client, subscribe("s", "receipt:1\n"));
    EXPECT_EQ(client.text, "");
    EXPECT_EQ(core->sessions(), 0U);
}

TEST_F(StompSessionTest, DisconnectIsReceiptedWhenWhatCameBeforeIsDurable) {
    Client& client = connect();
    say(client, talk("make the room"));
    log.held = true;
    feed(client, talk("last", "receipt:1\n"));
    feed(client, "DISCONNECT\nreceipt:bye\n\n");
    turn();
    EXPECT_EQ(client.text, "");
    log.store();
    turn();
    EXPECT_LT(client.text.find("receipt-id:1\n"), client.text.find("receipt-id:bye\n"));
    EXPECT_EQ(core->sessions(), 0U);
    EXPECT_NE(client.closed, 1000) << "the client closes first";
    pass(milliseconds{300});
    EXPECT_EQ(client.closed, 1000);
}

TEST_F(StompSessionTest, AnAnswerAfterTheEndFindsNobody) {
    Client& client = connect();
    say(client, talk("make the room"));
    log.held = true;
    say(client, talk("late", "receipt:1\n"));
    client.session->on_closed();
    client.session.reset();
    log.store();
    turn();
    EXPECT_EQ(client.text, "");
    client.session = std::make_shared<StompSession>(*core, auth::Profile::kGame, identity("u"), std::nullopt, "t");
}

TEST_F(StompSessionTest, AServerThatGoesAnswersWhatItTookAndTakesNoMore) {
    Client& idle = connect("u-2");
    Client& client = connect();
    say(client, talk("make the room"));
    say(client, talk("learn it"));
    log.held = true;
    say(client, talk("one", "receipt:1\n"));
    say(client, talk("two", "receipt:2\n"));
    core->drain(milliseconds{0});
    EXPECT_EQ(idle.closed, 1001);
    EXPECT_EQ(client.closed, 0) << "before its messages are stored";
    say(client, talk("too late", "receipt:3\n"));
    pass(seconds{1});
    EXPECT_EQ(client.closed, 0);
    log.store();
    turn();
    EXPECT_EQ(client.count("RECEIPT\n"), 2U);
    EXPECT_EQ(client.closed, 1001);
    EXPECT_GE(std::stoi(client.close_reason), 500);
    EXPECT_EQ(core->sessions(), 0U);
    EXPECT_EQ(log.read(RoomId::trusted("r-1"), {0}, 10, Bytes{10'000})->messages.back()->content, "two");
}

TEST_F(StompSessionTest, AServerThatGoesFinishesTheFrameThatMakesARoom) {
    Client& client = connect();
    feed(client, talk("the first of its room", "receipt:1\n"));
    core->drain(milliseconds{0});
    EXPECT_EQ(client.closed, 0);
    turn();
    EXPECT_EQ(client.count("RECEIPT\n"), 1U);
    EXPECT_EQ(client.closed, 1001);
}

TEST_F(StompSessionTest, DrainClosesEachWithAReconnectDelayOfItsOwn) {
    Client& first = connect("u-1");
    Client& second = connect("u-2");
    core->drain(milliseconds{0});
    pass(seconds{1});
    EXPECT_EQ(first.closed, 1001);
    EXPECT_EQ(second.closed, 1001);
    EXPECT_NE(first.close_reason, second.close_reason);
    EXPECT_GE(std::stoi(first.close_reason), 500);
}

// --- SEND ---------------------------------------------------------------------------------------------------------

TEST_F(StompSessionTest, AReceiptComesWhenTheMessageIsDurable) {
    Client& client = connect();
    say(client, talk("make the room"));
    log.held = true;
    say(client, talk("hello", "receipt:1\n"));
    EXPECT_EQ(client.text, "");
    log.store();
    turn();
    EXPECT_THAT(client.text, HasSubstr("RECEIPT\nreceipt-id:1\nseq:2\n"));
}

TEST_F(StompSessionTest, AReceiptMayHaveAnEmptyId) {
    Client& client = connect();
    for (const std::string& frame :
         {talk("x", "receipt:\n"), subscribe("s", "receipt:\n"), subscribe("e", "receipt:\n"),
          std::string{"SUBSCRIBE\nid:q\ndestination:/user/queue/errors\nreceipt:\n\n"},
          std::string{"SEND\ndestination:/pub/chat/typing\nreceipt:\n\n{\"roomId\":\"r-1\"}"},
          std::string{"BEGIN\ntransaction:t\nreceipt:\n\n"}, talk("y", "transaction:t\n"),
          std::string{"COMMIT\ntransaction:t\nreceipt:\n\n"}, std::string{"UNSUBSCRIBE\nid:s\nreceipt:\n\n"}}) {
        client.heard();
        say(client, frame);
        EXPECT_EQ(client.count("RECEIPT\nreceipt-id:\n"), frame.find("receipt:") == std::string::npos ? 0U : 1U)
            << frame;
    }
    client.heard();
    say(client, talk(" ", "receipt:\n"));
    EXPECT_THAT(client.heard(), HasSubstr(R"("receiptId":"")"));
    say(client, "DISCONNECT\nreceipt:\n\n");
    EXPECT_THAT(client.heard(), HasSubstr("RECEIPT\nreceipt-id:\n"));
}

TEST_F(StompSessionTest, AnErrorNamesAnEmptyReceiptToo) {
    Client& client = connect();
    say(client, talk(" ", "receipt:\n"));
    EXPECT_THAT(client.text, AllOf(HasSubstr("ERROR\n"), HasSubstr("receipt-id:\n")));
    EXPECT_EQ(client.closed, 4400);
}

TEST_F(StompSessionTest, ARefusalThatClosesSaysWhetherComingBackHelps) {
    const auto closes_with = [this](const std::string& frame) {
        Client& client = connect();
        say(client, frame);
        EXPECT_THAT(client.text, HasSubstr("ERROR\n")) << frame;
        return client.closed;
    };
    EXPECT_EQ(closes_with(talk(" ", "receipt:1\n")), 4400);
    EXPECT_EQ(closes_with(subscribe("s", "after-seq:99\n")), 4400);
    EXPECT_EQ(closes_with("SEND\ndestination:/sub/chat/room/r-1\nreceipt:1\n\nx"), 4403);
    EXPECT_EQ(closes_with("SUBSCRIBE\nid:s\ndestination:/sub/chat/room/~1\nreceipt:1\n\n"), 4403);
    say(connect(), talk("make the room"));
    log.inner.is_down = true;
    EXPECT_EQ(closes_with(talk("hello", "receipt:1\n")), 4503);
}

TEST_F(StompSessionTest, ATokenInConnectThatCannotBeCheckedNowMayBeTriedAgainAndABadOneNot) {
    const std::string token = "e30.e30.e30";
    Client& bad = open("", auth::Profile::kPublic);
    say(bad, "CONNECT\naccept-version:1.2\nAuthorization:Bearer " + token + "\n\n");
    EXPECT_EQ(bad.closed, 4401);
    auth::Claims claims;
    claims.member = MemberId::trusted("u-1");
    Client& good = open("", auth::Profile::kPublic);
    while (pool.try_submit([] {})) {
    }
    say(good, "CONNECT\naccept-version:1.2\nAuthorization:Bearer " +
                  *keys.sign(claims, clock.wall(), std::chrono::hours{1}) + "\n\n");
    EXPECT_THAT(good.text, HasSubstr("ERROR\nmessage:AUTH_UNAVAILABLE"));
    EXPECT_EQ(good.closed, 4503);
}

TEST_F(StompSessionTest, TheBrokerProfileAsksForNoTokenAndJudgesNone) {
    Client& client = open("", auth::Profile::kBroker);
    say(client, "CONNECT\naccept-version:1.2\nAuthorization:Bearer nonsense\n\n");
    EXPECT_THAT(client.text, HasSubstr("CONNECTED\n"));
}

TEST_F(StompSessionTest, EachSubscriptionOfAUserQueueGetsItsCopy) {
    Client& client = connect();
    for (const char* queue : {"errors", "notifications"}) {
        for (const char* id : {"1", "2"})
            say(client, std::string{"SUBSCRIBE\nid:"} + queue + id + "\ndestination:/user/queue/" + queue + "\n\n");
    }
    say(client, talk(" "));
    EXPECT_EQ(client.count("subscription:errors1\n"), 1U);
    EXPECT_EQ(client.count("subscription:errors2\n"), 1U);
    client.session->notify("{}");
    EXPECT_EQ(client.count("subscription:notifications1\n"), 1U);
    EXPECT_EQ(client.count("subscription:notifications2\n"), 1U);
}

TEST_F(StompSessionTest, FramesOfAHeldSessionKeepTheirOrder) {
    Client& client = connect();
    // The room is made first: everything behind waits.
    for (int i = 1; i <= 5; ++i) feed(client, talk("m" + std::to_string(i), "receipt:" + std::to_string(i) + "\n"));
    turn();
    const auto page = log.read(RoomId::trusted("r-1"), {0}, 10, Bytes{10'000});
    ASSERT_EQ(page->messages.size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(page->messages[i]->content, "m" + std::to_string(i + 1));
    EXPECT_EQ(client.count("RECEIPT\n"), 5U);
}

TEST_F(StompSessionTest, ManyAppendsInFlightMakeTheSessionWaitAndLoseNothing) {
    Client& client = connect();
    say(client, talk("make the room"));
    say(client, talk("learn it"));
    log.held = true;
    wire::Flow flow = wire::Flow::kContinue;
    int sent = 0;
    while (flow == wire::Flow::kContinue && sent < 5000) {
        flow = feed(client, talk("x"));
        ++sent;
    }
    EXPECT_EQ(sent, 512);
    say(client, talk("behind", "receipt:1\n"));
    log.held = false;
    log.store();
    turn();
    EXPECT_GT(client.resumed, 0);
    EXPECT_THAT(client.text, HasSubstr("receipt-id:1\nseq:515"));
}

TEST_F(StompSessionTest, ASessionThrottledByJoinsAndTalksGoesOnAfterBoth) {
    Client& client = connect();
    say(client, talk("make the room"));
    log.held = true;
    for (int i = 0; i < 400; ++i) {
        feed(client, "SEND\ndestination:/pub/chat/read\n\n{\"roomId\":\"r-1\",\"seq\":1}");
        feed(client, talk("x"));
    }
    log.held = false;
    log.store();
    turn();
    say(client, talk("behind", "receipt:1\n"));
    EXPECT_EQ(client.count("receipt-id:1\n"), 1U);
}

TEST_F(StompSessionTest, ARefusalGoesToTheErrorsQueueAndTheConnectionStays) {
    Client& client = connect();
    hear_errors(client);
    say(client,
        "SEND\ndestination:/pub/chat/send\nreceipt:7\n\n{\"type\":\"talk\",\"roomId\":\"r-1\",\"content\":\"x\"}");
    EXPECT_THAT(client.text, HasSubstr(R"({"code":"CHAT_INVALID_MESSAGE_TYPE")"));
    EXPECT_THAT(client.text, HasSubstr(R"("receiptId":"7")"));
    EXPECT_THAT(client.text, Not(HasSubstr("RECEIPT\n")));
    EXPECT_EQ(client.closed, 0);
}

TEST_F(StompSessionTest, ARefusalWithoutErrorsQueueIsAnErrorOnlyWhereAReceiptWasAskedFor) {
    Client& client = connect();
    say(client, talk(" "));
    EXPECT_EQ(client.text, "");
    say(client, talk(" ", "receipt:7\n"));
    EXPECT_THAT(client.text, HasSubstr("ERROR\nmessage:CHAT_INVALID_PAYLOAD"));
    EXPECT_NE(client.closed, 0);
}

TEST_F(StompSessionTest, ADownLogRefusesAndTheSessionGoesOn) {
    Client& client = connect();
    hear_errors(client);
    say(client, talk("make the room"));
    log.inner.is_down = true;
    say(client, talk("x", "receipt:1\n"));
    EXPECT_THAT(client.text, HasSubstr("CHAT_STORE_UNAVAILABLE"));
    log.inner.is_down = false;
    say(client, talk("x", "receipt:2\n"));
    EXPECT_THAT(client.text, HasSubstr("receipt-id:2\nseq:2"));
}

TEST_F(StompSessionTest, AClientThatDoesNotReadItsReceiptsIsNotReadFrom) {
    options.send_buffer = Bytes{4096};
    Client& client = connect();
    client.stuck = true;
    const std::string frame = "SUBSCRIBE\nid:n\ndestination:/user/queue/notifications\nreceipt:1\n\n";
    for (int i = 0; i < 10'000; ++i) {
        if (feed(client, frame) == wire::Flow::kPause) break;
        if (feed(client, "UNSUBSCRIBE\nid:n\nreceipt:2\n\n") == wire::Flow::kPause) break;
    }
    EXPECT_LT(client.bytes, 2 * 4096U);
    const auto before = client.count("RECEIPT\n");
    say(client, "BEGIN\ntransaction:t\nreceipt:last\n\n");
    EXPECT_EQ(client.count("RECEIPT\n"), before);
    client.read_all();
    EXPECT_THAT(client.text, HasSubstr("receipt-id:last"));
    EXPECT_GT(client.resumed, 0);
}

// --- transactions -------------------------------------------------------------------------------------------------

TEST_F(StompSessionTest, ATransactionIsStoredTogetherAtCommit) {
    Client& client = connect();
    say(client, talk("make the room"));
    say(client, "BEGIN\ntransaction:t\n\n");
    say(client, talk("a", "transaction:t\nreceipt:a\n"));
    say(client, talk("b", "transaction:t\n"));
    EXPECT_EQ(log.inner.at(RoomId::trusted("r-1")).head.value, 1U);
    EXPECT_EQ(client.text, "");
    say(client, "COMMIT\ntransaction:t\nreceipt:c\n\n");
    EXPECT_EQ(log.inner.at(RoomId::trusted("r-1")).head.value, 3U);
    EXPECT_LT(client.text.find("receipt-id:a\n"), client.text.find("receipt-id:c\n"));
}

TEST_F(StompSessionTest, AnAbortedTransactionStoresNothing) {
    Client& client = connect();
    say(client, talk("make the room"));
    say(client, "BEGIN\ntransaction:t\n\n");
    say(client, talk("a", "transaction:t\n"));
    say(client, "ABORT\ntransaction:t\nreceipt:x\n\n");
    EXPECT_THAT(client.text, HasSubstr("receipt-id:x"));
    EXPECT_EQ(log.inner.at(RoomId::trusted("r-1")).head.value, 1U);
}

TEST_F(StompSessionTest, ATransactionWithARefusedSendStoresNothing) {
    Client& client = connect();
    hear_errors(client);
    say(client, "BEGIN\ntransaction:t\n\n");
    say(client, talk("a", "transaction:t\n"));
    say(client, talk(" ", "transaction:t\n"));
    say(client, "COMMIT\ntransaction:t\nreceipt:c\n\n");
    EXPECT_THAT(client.text, Not(HasSubstr("RECEIPT\n")));
    EXPECT_EQ(log.inner.at(RoomId::trusted("r-1")).head.value, 0U);
    EXPECT_EQ(client.closed, 0);
}

TEST_F(StompSessionTest, ATransactionOfTwoRoomsOrUnknownOrRepeatedIsAFault) {
    const std::string other =
        "SEND\ndestination:/pub/chat/send\ntransaction:t\n\n"
        R"({"type":"TALK","roomId":"r-2","content":"x"})";
    for (const std::vector<std::string>& script :
         std::vector<std::vector<std::string>>{{"BEGIN\ntransaction:t\n\n", talk("a", "transaction:t\n"), other},
                                               {talk("a", "transaction:t\n")},
                                               {talk("a", "transaction:\n")},
                                               {"BEGIN\ntransaction:\n\n"},
                                               {"COMMIT\ntransaction:t\n\n"},
                                               {"BEGIN\ntransaction:t\n\n", "BEGIN\ntransaction:t\n\n"}}) {
        Client& client = connect();
        for (const std::string& frame : script) say(client, frame);
        EXPECT_THAT(client.text, HasSubstr("ERROR\n")) << script.back();
        EXPECT_EQ(client.closed, 1002);
    }
}

TEST_F(StompSessionTest, ATransactionHoldsAHundredMessages) {
    Client& client = connect();
    say(client, "BEGIN\ntransaction:t\n\n");
    for (int i = 0; i < 100; ++i) say(client, talk("x", "transaction:t\n"));
    EXPECT_EQ(client.closed, 0);
    say(client, talk("x", "transaction:t\n"));
    EXPECT_EQ(client.closed, 1002);
}

// --- time and tokens ----------------------------------------------------------------------------------------------

TEST_F(StompSessionTest, HeartBeatsAreSentWhenNothingElseIs) {
    Client& client = connect("u-1", "heart-beat:0,30000\n");
    pass(seconds{28});
    EXPECT_EQ(client.text, "");
    pass(seconds{2});
    EXPECT_EQ(client.heard(), "\n");
    pass(seconds{90});
    EXPECT_EQ(client.text, "\n\n\n");
    EXPECT_EQ(client.closed, 0);
}

TEST_F(StompSessionTest, AClientWhoseHeartStopsIsClosed) {
    Client& client = connect("u-1", "heart-beat:30000,0\n");
    for (int i = 0; i < 5; ++i) {
        pass(seconds{30});
        client.session->on_message("\n");
    }
    EXPECT_EQ(client.closed, 0);
    pass(seconds{95});
    EXPECT_EQ(client.closed, 4500);
}

TEST_F(StompSessionTest, ASessionThatIsNotReadFromIsNotTakenForSilent) {
    Client& client = connect("u-1", "heart-beat:30000,0\n");
    say(client, talk("make the room"));
    say(client, talk("learn it"));
    log.held = true;
    while (feed(client, talk("x")) == wire::Flow::kContinue) {
    }
    pass(seconds{200});
    EXPECT_EQ(client.closed, 0);
    log.store();
    turn();
    pass(seconds{100});
    EXPECT_EQ(client.closed, 4500);
}

TEST_F(StompSessionTest, AnExpiredTokenEndsTheSessionWithin5Seconds) {
    Client& client = connect();
    pass(std::chrono::minutes{59});
    EXPECT_EQ(client.closed, 0);
    pass(seconds{65});
    EXPECT_THAT(client.text, HasSubstr("ERROR\nmessage:AUTH_EXPIRED"));
    EXPECT_EQ(client.closed, 4401);
}

TEST_F(StompSessionTest, ARevokedTokenEndsItsSessionAndNoOther) {
    Client& first = connect("u-1");
    Client& second = connect("u-2");
    bus.notify({bus::Notice::Kind::kTokenRevoked, auth::sha256_hex("u-1"), {}, {}});
    turn();
    EXPECT_EQ(first.closed, 4401);
    EXPECT_THAT(first.text, HasSubstr("ERROR\n"));
    EXPECT_EQ(second.closed, 0);
}

TEST_F(StompSessionTest, ARevokedMemberLosesTheTokensFromBefore) {
    Client& old = connect("u-1");
    pass(seconds{1});
    const WallTime before = clock.wall();
    pass(seconds{1});
    Client& fresh = connect("u-1");
    bus.notify({bus::Notice::Kind::kMemberRevoked, "u-1", {}, before});
    turn();
    EXPECT_EQ(old.closed, 4401);
    EXPECT_EQ(fresh.closed, 0);
}

TEST_F(StompSessionTest, ARevocationThatNobodyToldOfIsSeenInTheSecondLook) {
    Client& client = connect();
    ASSERT_TRUE(directory->revoke_token(auth::sha256_hex("u-1"), clock.wall() + std::chrono::hours{1}));
    pass(seconds{4});
    EXPECT_EQ(client.closed, 4401);
}

TEST_F(StompSessionTest, ARefreshedTokenReplacesTheOldOne) {
    Client& client = connect();
    auth::Claims claims;
    claims.member = MemberId::trusted("u-1");
    claims.nickname = "A";
    const auto token = keys.sign(claims, clock.wall(), std::chrono::hours{3});
    say(client, "SEND\ndestination:/pub/auth/refresh\nreceipt:1\ntoken:" + *token + "\n\n");
    EXPECT_THAT(client.heard(), HasSubstr("receipt-id:1"));
    pass(std::chrono::minutes{62});
    EXPECT_EQ(client.closed, 0) << client.text;
}

TEST_F(StompSessionTest, AnotherMembersTokenDoesNotRefresh) {
    Client& client = connect();
    hear_errors(client);
    auth::Claims claims;
    claims.member = MemberId::trusted("u-2");
    claims.nickname = "B";
    const auto token = keys.sign(claims, clock.wall(), std::chrono::hours{3});
    say(client, "SEND\ndestination:/pub/auth/refresh\nreceipt:1\ntoken:" + *token + "\n\n");
    EXPECT_THAT(client.text, HasSubstr("CHAT_FORBIDDEN"));
    EXPECT_EQ(client.session->member().str(), "u-1");
}

class StayTest : public StompSessionTest {
protected:
    void SetUp() override {
        options.session_ttl = std::chrono::minutes{2};
        start();
    }
    static std::string chat(const std::string& type) {
        return "SEND\ndestination:/pub/chat/send\n\n{\"type\":\"" + type + R"(","roomId":"r-1","content":"x"})";
    }
    [[nodiscard]] std::uint64_t head() { return log.inner.at(RoomId::trusted("r-1")).head.value; }
};

TEST_F(StayTest, AJoinAgainStoresNothingUntilTheStayRanOut) {
    Client& client = connect();
    say(client, chat("JOIN"));
    say(client, chat("JOIN"));
    EXPECT_EQ(head(), 1U);
    pass(std::chrono::minutes{4});
    say(client, chat("JOIN"));
    EXPECT_EQ(head(), 2U);
}

TEST_F(StayTest, ALeaveOfBeforeSentAgainEndsNoStay) {
    Client& client = connect();
    const auto move = [&](const std::string& type, const std::string& id) {
        say(client, "SEND\ndestination:/pub/chat/send\nreceipt:" + id + "\n\n{\"type\":\"" + type +
                        "\",\"roomId\":\"r-1\",\"messageId\":\"" + id + "\"}");
    };
    move("JOIN", "j");
    move("LEAVE", "l");
    move("JOIN", "j2");
    EXPECT_THAT(client.heard(), HasSubstr("RECEIPT\nreceipt-id:j2\nseq:3\n"));
    move("LEAVE", "l");
    EXPECT_THAT(client.text, HasSubstr("RECEIPT\nreceipt-id:l\nseq:2\n"));
    pass(seconds{20});  // beyond the grace
    EXPECT_TRUE(presence.is_present(RoomId::trusted("r-1"), MemberId::trusted("u-1")));
    client.session->on_closed();
    pass(seconds{20});
    EXPECT_FALSE(presence.is_present(RoomId::trusted("r-1"), MemberId::trusted("u-1")));
}

TEST_F(StayTest, HeartBeatsAndPresenceExtendAStayAndATypingHintDoesNot) {
    Client& client = connect();
    say(client, chat("JOIN"));
    for (int i = 0; i < 4; ++i) {
        pass(seconds{80});
        client.session->on_message("\n");
        pass(seconds{80});
        say(client, chat("PRESENCE"));
    }
    say(client, chat("JOIN"));
    EXPECT_EQ(head(), 1U);
    for (int i = 0; i < 4; ++i) {
        pass(seconds{80});
        say(client, "SEND\ndestination:/pub/chat/typing\n\n{\"roomId\":\"r-1\"}");
    }
    say(client, chat("JOIN"));
    EXPECT_EQ(head(), 2U);
}

TEST_F(StayTest, ATalkInATransactionExtendsAStayAndItsCommitToo) {
    Client& client = connect();
    say(client, chat("JOIN"));
    pass(seconds{80});
    say(client, "BEGIN\ntransaction:t\n\n");
    say(client, talk("x", "transaction:t\n"));
    pass(seconds{80});
    say(client, "COMMIT\ntransaction:t\n\n");
    pass(seconds{80});
    say(client, chat("JOIN"));
    EXPECT_EQ(head(), 2U) << "the JOIN, the TALK: it is still present";
}

TEST_F(StompSessionTest, AFrameThatDripsIsCutOff) {
    Client& client = connect();
    client.session->on_message("SEND\nx:");
    for (int i = 0; i < 62; ++i) {
        EXPECT_EQ(client.closed, 0) << i;
        client.session->on_message("x");
        pass(seconds{1});
    }
    EXPECT_EQ(client.closed, 4408);
    EXPECT_THAT(client.text, HasSubstr("a frame took too long"));
}

TEST_F(StompSessionTest, EachFrameHasItsOwnTime) {
    Client& client = connect();
    const std::string frame = talk("x") + '\0';
    for (int i = 0; i < 5; ++i) {
        client.session->on_message(frame.substr(0, 20));
        pass(seconds{40});
        client.session->on_message(frame.substr(20));
        turn();
    }
    EXPECT_EQ(client.closed, 0);
}

}  // namespace
}  // namespace parley::gateway
