#include "gateway/live_fixture.h"
#include "gateway/notifications.h"

namespace parley::gateway::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const MemberId kMember = MemberId::trusted("u-1");

class NotificationStreamTest : public LiveTest {
protected:
    Line& stream(const std::string& query = {}, const std::string& member = "u-1", const std::string& fields = {}) {
        return ask("/api/notifications/stream" + query, member, fields, 0);
    }
    void notify(const std::string& json, const MemberId& member = kMember) {
        notify_member(*core, member, json, [] {});
        turn();
    }
    void tell_all(const std::string& event, const std::string& data) {
        broadcast(*core, event, data, [](const Result<RoomSeq>& stored) { EXPECT_TRUE(stored); });
        turn();
    }
    void join(const std::string& room, const std::string& member) {
        store::RoomInfo info;
        info.id = RoomId::trusted(room);
        (void)directory->add_room(info, "");
        ASSERT_TRUE(
            directory->put_membership(info.id, {MemberId::trusted(member), member, store::Standing::kMember, {}}));
    }
};

TEST_F(NotificationStreamTest, ConnectedComesFirstAndHasNoId) {
    const std::string answer = heard(stream());
    EXPECT_EQ(status(answer), 200);
    EXPECT_EQ(body(answer), "retry: 2000\nevent: connected\ndata: SSE 연결 성공\n\n");
}

TEST_F(NotificationStreamTest, EveryStreamOfTheMemberHearsAndNoOther) {
    Line& first = stream();
    Line& second = stream();
    Line& other = stream("", "u-2");
    for (Line* line : {&first, &second, &other}) heard(*line);
    notify(R"({"a":1})");
    const std::string event = "id: 1.0\nevent: notification\ndata: {\"a\":1}\n\n";
    EXPECT_EQ(heard(first), event);
    EXPECT_EQ(heard(second), event);
    EXPECT_EQ(heard(other), "");
}

TEST_F(NotificationStreamTest, ABroadcastMayHaveAnyName) {
    Line& line = stream();
    heard(line);
    for (const std::string name : {"점검 안내", R"(a"b\c)", " padded"}) {
        tell_all(name, "x");
        EXPECT_THAT(heard(line), HasSubstr("\nevent: " + name + "\ndata: x\n"));
    }
}

TEST_F(NotificationStreamTest, TheSameKeyIsToldOnceOnStreamAndQueue) {
    Client& client = connect("u-1");
    say(client, "SUBSCRIBE\nid:n\ndestination:/user/queue/notifications\n\n");
    Line& line = stream();
    heard(line);
    client.heard();
    for (const char* key : {"k", "k", "l"}) {
        notify_once(core->services().log, core->services().bus, kMember, key, key,
                    [](const Result<>& stored) { EXPECT_TRUE(stored); });
        turn();
    }
    EXPECT_EQ(heard(line), "id: 1.0\nevent: notification\ndata: k\n\nid: 2.0\nevent: notification\ndata: l\n\n");
    const std::string frames = client.heard();
    EXPECT_EQ(frames.find("\n\nk"), frames.rfind("\n\nk"));
    EXPECT_THAT(frames, HasSubstr("\n\nl"));
}

TEST_F(NotificationStreamTest, ABroadcastOfAnyNameReachesAll) {
    Line& first = stream();
    Line& other = stream("", "u-2");
    heard(first);
    heard(other);
    notify("x");
    tell_all("maintenance", "at\nnoon");
    EXPECT_THAT(heard(first), HasSubstr("id: 1.1\nevent: maintenance\ndata: at\ndata: noon\n\n"));
    EXPECT_EQ(heard(other), "id: 0.1\nevent: maintenance\ndata: at\ndata: noon\n\n");
}

TEST_F(NotificationStreamTest, WhoComesBackIsToldWhatCameMeanwhileOnce) {
    notify("one");
    tell_all("b", "two");
    notify("three");
    EXPECT_EQ(body(heard(stream())), "retry: 2000\nevent: connected\ndata: SSE 연결 성공\n\n");
    const std::string all = heard(stream("", "u-1", "Last-Event-ID: 0.0\r\n"));
    EXPECT_THAT(all,
                HasSubstr("id: 1.0\nevent: notification\ndata: one\n\nid: 2.0\nevent: notification\ndata: three\n\n"
                          "id: 2.1\nevent: b\ndata: two\n\n"));
    const std::string rest = heard(stream("", "u-1", "Last-Event-ID: 1.1\r\n"));
    EXPECT_THAT(rest, HasSubstr("id: 2.1\nevent: notification\ndata: three\n\n"));
    EXPECT_THAT(rest, Not(HasSubstr("data: one")));
    EXPECT_THAT(rest, Not(HasSubstr("data: two")));
}

TEST_F(NotificationStreamTest, ALastEventIdThatIsNoPlaceGoesOnLive) {
    notify("one");
    for (const std::string id : {"abc", "1", "1.", ".1", "-1.0", "7.0", "0.7", "1.0x"}) {
        Line& line = stream("", "u-1", "Last-Event-ID: " + id + "\r\n");
        EXPECT_THAT(heard(line), Not(HasSubstr("data: one"))) << id;
        notify("next");
        EXPECT_THAT(heard(line), HasSubstr("data: next")) << id;
    }
}

TEST_F(NotificationStreamTest, APlaceThatALogThatIsBehindDoesNotKnowIsAskedForAgain) {
    notify("a");
    log.inner.is_behind = true;
    EXPECT_EQ(status(heard(stream("", "u-1", "Last-Event-ID: 2.0\r\n"))), 503);
    EXPECT_EQ(status(heard(stream("", "u-1", "Last-Event-ID: 1.1\r\n"))), 503);
    EXPECT_EQ(status(heard(stream("", "u-1", "Last-Event-ID: 1.0\r\n"))), 200);
}

TEST_F(NotificationStreamTest, UnnamedLeavesEventNamesOut) {
    Line& line = stream("?unnamed=1");
    EXPECT_EQ(body(heard(line)), "retry: 2000\ndata: SSE 연결 성공\n\n");
    notify("x");
    EXPECT_EQ(heard(line), "id: 1.0\ndata: x\n\n");
}

TEST_F(NotificationStreamTest, AMemberOfASharedRoomThatComesOnlineIsTold) {
    join("r-1", "u-1");
    join("r-1", "u-2");
    join("r-2", "u-3");
    Line& line = stream();
    Line& stranger = stream("", "u-3");
    heard(line);
    heard(stranger);
    connect("u-2");
    turn();
    EXPECT_EQ(heard(line), "event: user-login\ndata: {\"memberId\":\"u-2\",\"nickName\":\"u-2\"}\n\n");
    EXPECT_EQ(heard(stranger), "");
    connect("u-2");
    turn();
    EXPECT_EQ(heard(line), "");
}

TEST_F(NotificationStreamTest, AStreamBringsItsMemberOnlineAndTheyComeAnewAfterTheGrace) {
    join("r-1", "u-1");
    join("r-1", "u-2");
    Line& line = stream();
    heard(line);
    Line& other = stream("", "u-2");
    EXPECT_THAT(heard(line), StartsWith("event: user-login"));
    other.hang_up();
    turn();
    stream("", "u-2").hang_up();
    EXPECT_EQ(heard(line), "");
    pass(seconds{16});
    heard(line);
    stream("", "u-2");
    EXPECT_THAT(heard(line), HasSubstr("event: user-login"));
}

TEST_F(NotificationStreamTest, AReaderThatDoesNotReadIsToldTheRestWhenItDoes) {
    Line& line = stream();
    heard(line);
    const std::string large(30'000, 'x');
    for (int i = 0; i < 60; ++i) notify(large);
    EXPECT_LT(core->connections().queued_bytes(), options.send_buffer.count + 64 * 1024);
    std::string text;
    for (int i = 0; i < 60; ++i) text += heard(line);
    std::size_t at = 0;
    for (int i = 1; i <= 60; ++i) {
        at = text.find("id: " + std::to_string(i) + ".0\n", at);
        ASSERT_NE(at, std::string::npos) << i;
    }
    EXPECT_EQ(text.find("id: 61."), std::string::npos);
}

TEST_F(NotificationStreamTest, TheStompQueueHearsToo) {
    Client& client = connect("u-1");
    say(client, "SUBSCRIBE\nid:n\ndestination:/user/queue/notifications\n\n");
    notify(R"({"a":1})");
    EXPECT_THAT(client.heard(), HasSubstr(R"({"a":1})"));
}

TEST_F(NotificationStreamTest, ALogThatIsAwayRefusesAndEndsSoThatTheReaderComesBack) {
    Line& line = stream();
    heard(line);
    log.inner.is_down = true;
    EXPECT_EQ(status(heard(stream())), 503);
    log.inner.is_down = false;
    notify("x");
    EXPECT_THAT(heard(line), HasSubstr("data: x"));
}

TEST(Notifications, APlaceComesBackAsItWasWritten) {
    const NotificationPlace place{{12}, {7}};
    EXPECT_EQ(to_text(place), "12.7");
    EXPECT_EQ(parse_notification_place("12.7"), place);
}

TEST(Notifications, NamesOfEventsAreAnythingButControlCharactersAndWhatStreamsSay) {
    EXPECT_TRUE(is_event_name("user-login_2.x"));
    for (const char* name : {"점검 안내", "a b", R"(a"b\c)", "🎲", ":", " "}) EXPECT_TRUE(is_event_name(name)) << name;
    for (const char* name : {"", "a\nb", "a\rb", "\x1b", "\x7f", "\u0085", "connected", "expired"})
        EXPECT_FALSE(is_event_name(name)) << name;
    EXPECT_FALSE(is_event_name(std::string_view{"a\0b", 3}));
    EXPECT_FALSE(is_event_name(std::string(65, 'a')));
    std::string korean;
    for (int i = 0; i < 64; ++i) korean += "가";
    EXPECT_TRUE(is_event_name(korean));
    EXPECT_FALSE(is_event_name(korean + "나"));
}

TEST(Notifications, EachMemberHasARoomThatNoClientCanName) {
    EXPECT_NE(notifications_of(kMember), notifications_of(MemberId::trusted("u-2")));
    EXPECT_TRUE(notifications_of(MemberId::trusted(std::string(64, '!'))).is_server_own());
    EXPECT_LE(notifications_of(kMember).str().size(), 120U);
}

}  // namespace
}  // namespace parley::gateway::testing
