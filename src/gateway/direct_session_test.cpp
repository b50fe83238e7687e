#include "gateway/direct_session.h"

#include "chat/pair_room.h"
#include "gateway/live_fixture.h"
#include "wire/websocket_test_support.h"

namespace parley::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Texts = std::vector<std::string>;

/// Members with direct sockets to each other.
class DirectTest : public testing::LiveTest {
protected:
    std::string refusal(const std::string& path, const std::string& member = "alice") {
        return heard(ask(path, member, kUpgrade));
    }
    Line& open(const std::string& member, const std::string& receiver, const std::string& more = {}) {
        Line& line = ask("/ws/direct?receiverId=" + receiver + more, member, kUpgrade);
        const std::string answer = heard(line);
        EXPECT_EQ(status(answer), 101) << answer;
        first = body(answer);
        return line;
    }
    /// What came since the last call, one WebSocket message each.
    Texts texts(Line& line) {
        Texts out;
        for (const std::string& event : wire::decode(unmasked(first + heard(line)))) {
            if (event.starts_with("text:") || event.starts_with("close:"))
                out.push_back(event.substr(event[0] == 't' ? 5 : 0));
        }
        first.clear();
        return out;
    }
    void say(Line& line, const std::string& text, wire::Opcode opcode = wire::Opcode::kText) {
        const std::string frame = wire::client_frame(opcode, text);
        EXPECT_EQ(::write(line.fd, frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
        turn();
    }
    static std::string words(const std::string& content, const std::string& id) {
        return R"({"content":")" + content + R"(","messageId":")" + id + "\"}";
    }
    static constexpr const char* kUpgrade =
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n";

private:
    /// The decoder reads what clients send: a server's frames are given a mask of zeros.
    static std::string unmasked(const std::string& bytes) {
        std::string out;
        for (std::size_t at = 0; at + 2 <= bytes.size();) {
            const auto small = static_cast<unsigned char>(bytes[at + 1]);
            const std::size_t extra = small == 126 ? 2 : small == 127 ? 8 : 0;
            std::size_t size = small;
            if (extra != 0) {
                size = 0;
                for (std::size_t i = 0; i < extra; ++i)
                    size = size << 8 | static_cast<unsigned char>(bytes[at + 2 + i]);
            }
            out += bytes[at];
            out += static_cast<char>(small | 0x80);
            out += bytes.substr(at + 2, extra);
            out += std::string(4, '\0');
            out += bytes.substr(at + 2 + extra, size);
            at += 2 + extra + size;
        }
        return out;
    }
    std::string first;  ///< what came right behind the handshake's answer
};

TEST_F(DirectTest, BothSeeWhatOneSaysAndWhoSaidItIsToldItIsStored) {
    Line& alice = open("alice", "bob");
    Line& bob = open("bob", "alice");
    say(alice, words("hi", "m-1"));
    EXPECT_THAT(texts(alice),
                ::testing::UnorderedElementsAre(R"({"ack":"m-1","seq":1})", HasSubstr(R"("content":"hi")")));
    const Texts got = texts(bob);
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_THAT(got[0], HasSubstr(R"("senderId":"alice")"));
    EXPECT_THAT(got[0], HasSubstr(R"("receiverId":"bob")"));
    EXPECT_THAT(got[0], HasSubstr(R"("seq":1)"));
}

TEST_F(DirectTest, MessagesOfAnotherConversationDoNotShowUp) {
    Line& with_bob = open("alice", "bob");
    Line& with_carol = open("alice", "carol");
    Line& bob_carol = open("bob", "carol");
    say(with_carol, words("for carol", "m-1"));
    say(bob_carol, words("of bob and carol", "m-2"));
    EXPECT_THAT(texts(with_bob), IsEmpty());
    EXPECT_THAT(texts(with_carol), SizeIs(2));
    EXPECT_THAT(texts(open("bob", "alice")), IsEmpty());
}

TEST_F(DirectTest, AMemberWithTwoSessionsSeesEachMessageOnceInEach) {
    Line& phone = open("alice", "bob");
    Line& desk = open("alice", "bob");
    Line& bob = open("bob", "alice");
    say(bob, words("to both", "m-1"));
    EXPECT_THAT(texts(phone), ElementsAre(HasSubstr("to both")));
    EXPECT_THAT(texts(desk), ElementsAre(HasSubstr("to both")));
    say(phone, words("from my phone", "m-2"));
    EXPECT_THAT(texts(desk), ElementsAre(HasSubstr("from my phone")));
    EXPECT_THAT(texts(phone), SizeIs(2));  // the ack and the message
}

TEST_F(DirectTest, TheLastFiftyComeFirstThenLive) {
    Line& alice = open("alice", "bob");
    for (int i = 1; i <= 60; ++i) say(alice, words("w" + std::to_string(i), "m-" + std::to_string(i)));
    Line& bob = open("bob", "alice");
    say(alice, words("live", "m-61"));
    const Texts got = texts(bob);
    ASSERT_THAT(got, SizeIs(51));
    for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_THAT(got[i], HasSubstr("\"seq\":" + std::to_string(i + 11) + ","));
}

TEST_F(DirectTest, AfterResumesWhereTheClientWas) {
    Line& alice = open("alice", "bob");
    for (int i = 1; i <= 5; ++i) say(alice, words("w", "m-" + std::to_string(i)));
    EXPECT_THAT(texts(open("bob", "alice", "&after=3")), ElementsAre(HasSubstr("\"seq\":4,"), HasSubstr("\"seq\":5,")));
    EXPECT_THAT(texts(open("bob", "alice", "&after=9")),
                ElementsAre(HasSubstr(R"("code":"POSITION_INVALID")"), "close:4400:POSITION_INVALID"));
}

TEST_F(DirectTest, TextThatIsNoObjectIsSaidAsItIs) {
    Line& alice = open("alice", "bob");
    Line& bob = open("bob", "alice");
    for (const char* text : {"hello", " spaced ", "{smile}", "[1]", "\"q\""}) say(alice, text);
    EXPECT_THAT(texts(bob), ElementsAre(HasSubstr(R"("content":"hello")"), HasSubstr(R"("content":" spaced ")"),
                                        HasSubstr(R"("content":"{smile}")"), HasSubstr(R"("content":"[1]")"),
                                        HasSubstr(R"("content":"\"q\"")")));
}

TEST_F(DirectTest, WhatIsNoMessageIsRefusedAndTheSocketStays) {
    Line& alice = open("alice", "bob");
    for (const char* text : {"", "   ", "{}", R"({"content":7})", R"({"content":" "})",
                             R"({"content":"x","messageId":""})", R"({"content":"a\u0000b"})"}) {
        say(alice, text);
        EXPECT_THAT(texts(alice), ElementsAre(HasSubstr(R"("code":"CHAT_INVALID_PAYLOAD")"))) << text;
    }
    say(alice, "x", wire::Opcode::kBinary);
    EXPECT_THAT(texts(alice), ElementsAre(HasSubstr("CHAT_INVALID_PAYLOAD")));
    say(alice, words(" ", "m-7"));
    EXPECT_THAT(texts(alice), ElementsAre(HasSubstr(R"("messageId":"m-7")")));
    say(alice, "still here");
    EXPECT_THAT(texts(alice), SizeIs(2));
}

TEST_F(DirectTest, AFailingLogIsToldAndNothingIsAcknowledged) {
    Line& alice = open("alice", "bob");
    log.inner.is_down = true;
    say(alice, words("lost", "m-1"));
    const Texts got = texts(alice);
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_THAT(got[0], HasSubstr(R"("code":"CHAT_STORE_UNAVAILABLE")"));
    EXPECT_THAT(got[0], HasSubstr(R"("messageId":"m-1")"));
}

TEST_F(DirectTest, WhoHasTooMuchInTheLogWaits) {
    Line& alice = open("alice", "bob");
    say(alice, "first");
    log.held = true;
    std::string flood;
    for (std::size_t i = 0; i < DirectSession::kInFlight + 10; ++i)
        flood += wire::client_frame(wire::Opcode::kText, "x");
    ASSERT_EQ(::write(alice.fd, flood.data(), flood.size()), static_cast<ssize_t>(flood.size()));
    turn();
    EXPECT_EQ(log.waiting.size(), DirectSession::kInFlight);
    log.held = false;
    log.store();
    turn();
    turn();
    EXPECT_EQ(log.inner.at(chat::pair_room(MemberId::trusted("alice"), MemberId::trusted("bob"))).head.value,
              DirectSession::kInFlight + 11);
}

TEST_F(DirectTest, TheHandshakeSaysWhatIsMissingOrWrong) {
    EXPECT_THAT(refusal("/ws/direct"), HasSubstr("400 Bad Request"));
    EXPECT_THAT(refusal("/ws/direct?receiverId=%20"), HasSubstr("400 Bad Request"));
    EXPECT_THAT(refusal("/ws/direct?receiverId=bob&after=x"), HasSubstr("400 Bad Request"));
    EXPECT_THAT(refusal("/ws/direct?receiverId=bob", ""), HasSubstr("400 Bad Request"));
    EXPECT_THAT(refusal("/ws/direct?receiverId=bob&token=wrong"), HasSubstr("401 Unauthorized"));
    for (const char* nobody : {"~guest:1", "%EC%95%88", "a%20b"}) {
        EXPECT_THAT(refusal(std::string{"/ws/direct?receiverId="} + nobody), HasSubstr("404 Not Found")) << nobody;
    }
    EXPECT_THAT(refusal("/ws/direct?receiverId=" + std::string(65, 'x')), HasSubstr("CHAT_MEMBER_NOT_FOUND"));
    EXPECT_EQ(status(heard(ask("/ws/direct?receiverId=bob", "alice"))), 426);
}

TEST_F(DirectTest, WithRegistrationRequiredTheReceiverMustBeKnown) {
    options.require_registered = true;
    EXPECT_THAT(refusal("/ws/direct?receiverId=stranger"), HasSubstr("404 Not Found"));
    store::Account account;
    account.id = MemberId::trusted("bob");
    account.name = "bob";
    account.nickname = "Bob";
    ASSERT_TRUE(directory->add_account(account));
    EXPECT_THAT(refusal("/ws/direct?receiverId=bob"), HasSubstr("101 Switching Protocols"));
}

TEST_F(DirectTest, ATokenThatEndsClosesIt) {
    Line& alice = open("alice", "bob");
    bus.notify({bus::Notice::Kind::kMemberRevoked, "alice", {}, clock.wall() + seconds{1}});
    turn();
    EXPECT_THAT(texts(alice), ElementsAre(HasSubstr(R"("code":"AUTH_EXPIRED")"), "close:4401:AUTH_EXPIRED"));
    EXPECT_EQ(core->sessions(), 0U);
}

TEST_F(DirectTest, ATokenThatExpiresClosesIt) {
    Line& alice = open("alice", "bob");
    clock.advance(std::chrono::hours{1});
    pass(seconds{2});
    EXPECT_THAT(texts(alice), ElementsAre(HasSubstr(R"("code":"AUTH_EXPIRED")"), "close:4401:AUTH_EXPIRED"));
}

TEST_F(DirectTest, AServerThatGoesSaysWhenToComeBack) {
    Line& alice = open("alice", "bob");
    core->drain(milliseconds{0});
    EXPECT_THAT(texts(alice), ElementsAre("close:1001:500"));
}

TEST_F(DirectTest, TheReceiverIsToldOfIt) {
    testing::Client& bob = connect("bob");
    GatewayTest::say(bob, "SUBSCRIBE\nid:n\ndestination:/user/queue/notifications\n\n");
    say(open("alice", "bob"), words("knock", "m-1"));
    EXPECT_THAT(
        bob.heard(),
        HasSubstr(R"({"notification":"direct-message","memberId":"alice","nickName":"alice","messageId":"m-1")"));
}

TEST_F(DirectTest, TheReceiverIsToldThoughTheSenderLeftRightBehindIt) {
    testing::Client& bob = connect("bob");
    GatewayTest::say(bob, "SUBSCRIBE\nid:n\ndestination:/user/queue/notifications\n\n");
    Line& alice = open("alice", "bob");
    say(alice, words("first", "m-1"));
    bob.heard();
    log.held = true;
    say(alice, words("knock", "m-2"));
    alice.hang_up();
    turn();
    EXPECT_EQ(core->sessions(), 1U) << "she is gone";
    log.held = false;
    log.store();
    turn();
    const std::string told = bob.heard();
    EXPECT_THAT(told, HasSubstr(R"("messageId":"m-2","seq":2)"));
    Line& again = open("alice", "bob");
    say(again, words("knock", "m-2"));
    EXPECT_THAT(bob.heard(), IsEmpty()) << "the same message is told once";
}

TEST_F(DirectTest, AServerThatGoesAcknowledgesWhatItTookBefore) {
    Line& alice = open("alice", "bob");
    say(alice, words("first", "m-1"));
    (void)texts(alice);
    log.held = true;
    say(alice, words("last", "m-2"));
    core->drain(milliseconds{0});
    pass(seconds{1});
    EXPECT_THAT(texts(alice), IsEmpty()) << "not before it is stored";
    say(alice, words("too late", "m-3"));
    log.held = false;
    log.store();
    turn();
    const Texts got = texts(alice);
    ASSERT_THAT(got, ::testing::Contains(R"({"ack":"m-2","seq":2})"));
    EXPECT_THAT(got.back(), HasSubstr("close:1001:"));
    EXPECT_EQ(core->sessions(), 0U);
}

TEST_F(DirectTest, WhoAnswersNoPingIsOfflineAfterAMinute) {
    Line& dead = open("alice", "bob");
    Line& bob = open("bob", "alice");
    for (int i = 0; i < 3; ++i) {
        pass(seconds{25});
        say(bob, "", wire::Opcode::kPong);
    }
    EXPECT_THAT(texts(dead), ElementsAre(HasSubstr("close:4408")));
    EXPECT_EQ(core->sessions(), 1U);
}

}  // namespace
}  // namespace parley::gateway
