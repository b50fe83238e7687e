#include "bench/plain_dialect.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/heard_fixture.h"
#include "wire/websocket_frame.h"
#include "wire/websocket_handshake.h"

namespace parley::bench {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;

const Stamp kStamp{77, 5, 3};

class PlainDialectTest : public testing::Test {
protected:
    void talk(PlainDialect::Kind kind, std::uint32_t number = 5) {
        PlainDialect::Options options;
        options.kind = kind;
        options.host = "h:1";
        options.pairs = 10;
        options.token = [](const Seat& seat) { return "token-of-" + seat.member; };
        dialect = std::make_unique<PlainDialect>(options);
        Seat seat;
        seat.number = number;
        seat.room_name = "r";
        talker = dialect->converse(seat);
        out.clear();
        talker->begin(out);
    }
    void receive(std::initializer_list<std::string> texts) {
        std::string bytes = fmt::format("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {}\r\n\r\n",
                                        wire::accept_key(fmt::format("{:022d}==", 5)));
        for (const std::string& text : texts) {
            wire::append_frame_header(bytes, wire::Opcode::kText, text.size());
            bytes += text;
        }
        hear(*talker, bytes, out, heard);
    }
    static std::string stamped() {
        std::string text;
        append_payload(text, kStamp, 64);
        return text;
    }

    std::unique_ptr<PlainDialect> dialect;
    std::unique_ptr<Conversation> talker;
    std::string out;
    Heard heard;
};

TEST_F(PlainDialectTest, InTheRoomADeliveryIsTheStampAndNothingElse) {
    talk(PlainDialect::Kind::kRoom);
    EXPECT_THAT(out, HasSubstr("GET /room HTTP/1.1"));
    EXPECT_FALSE(dialect->traits().receipts);
    receive({"Server received: " + stamped(), R"({"code":"CHAT_RATE_LIMITED"})", "Server received: hello"});
    EXPECT_THAT(heard.said, ElementsAre("live", "seq 0 is 3 of 5", "refused 0", "unreadable"));
}

TEST_F(PlainDialectTest, APairSharesARoomAndNamesEachOther) {
    talk(PlainDialect::Kind::kDirect);
    EXPECT_THAT(out, HasSubstr("/ws/direct?token=token-of-r.000005&receiverId=r.000015 "));
    talk(PlainDialect::Kind::kDirect, 15);
    EXPECT_THAT(out, HasSubstr("/ws/direct?token=token-of-r.000015&receiverId=r.000005 "));
}

TEST_F(PlainDialectTest, ADirectMessageItsAckAndItsRefusalAreToldApart) {
    talk(PlainDialect::Kind::kDirect);
    receive({fmt::format(R"({{"seq":4,"content":"{}"}})", stamped()), R"({"ack":"m3","seq":4})",
             R"({"code":"CHAT_FORBIDDEN","messageId":"m7"})"});
    EXPECT_THAT(heard.said, ElementsAre("live", "seq 4 is 3 of 5", "receipt 3 seq 4", "refused 7"));
}

}  // namespace
}  // namespace parley::bench
