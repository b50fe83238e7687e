#include "wire/stomp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/stomp_test_support.h"

namespace parley::wire {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using testing::ElementsAre;
using V = StompVersion;

std::string frame_of(std::string_view command, std::vector<StompHeader> headers, std::string_view body,
                     V version = V::k12) {
    std::string out;
    append_stomp_frame(out, command, headers, body, version);
    return out;
}

TEST(StompEncode, WritesHeadersLengthAndBody) {
    EXPECT_EQ(frame_of("ERROR", {{"message", "no"}, {"receipt-id", "7"}}, "why"),
              "ERROR\nmessage:no\nreceipt-id:7\ncontent-length:3\n\nwhy\0"s);
}

TEST(StompEncode, LeavesContentLengthOutWhereThereIsNoBody) {
    EXPECT_EQ(frame_of("RECEIPT", {{"receipt-id", "7"}}, ""), "RECEIPT\nreceipt-id:7\n\n\0"s);
}

TEST(StompEncode, MessageAlwaysHasContentLength) {
    EXPECT_EQ(frame_of("MESSAGE", {{"content-length", "99"}}, ""), "MESSAGE\ncontent-length:0\n\n\0"s);
}

TEST(StompEncode, EscapesAsEachVersionSays) {
    const std::vector<StompHeader> headers{{"a:b", "1\n2\r3\\4:5"}};
    EXPECT_EQ(frame_of("RECEIPT", headers, "", V::k12), "RECEIPT\na\\cb:1\\n2\\r3\\\\4\\c5\n\n\0"s);
    EXPECT_EQ(frame_of("RECEIPT", headers, "", V::k11), "RECEIPT\na\\cb:1\\n2\r3\\\\4\\c5\n\n\0"s);
}

TEST(StompEncode, InVersion10AnEndOfLineBecomesASpace) {
    EXPECT_EQ(frame_of("RECEIPT", {{"a", "1\n2\r3\\4:5"}}, "", V::k10), "RECEIPT\na:1 2 3\\4:5\n\n\0"s);
}

TEST(StompEncode, NulInAHeaderBecomesASpace) {
    for (const V version : {V::k10, V::k11, V::k12}) {
        EXPECT_EQ(frame_of("RECEIPT", {{"a", "1\0002"sv}}, "", version), "RECEIPT\na:1 2\n\n\0"s);
    }
}

TEST(StompEncode, ConnectedIsNotEscaped) {
    EXPECT_EQ(frame_of("CONNECTED", {{"server", "a:b\\"}}, ""), "CONNECTED\nserver:a:b\\\n\n\0"s);
}

TEST(StompEncode, HeadAndTailTogetherAreAMessage) {
    const StompHeader headers[]{{"destination", "/sub/chat/room/a:b"}, {"seq", "7"}};
    std::string out;
    append_message_head(out, "sub:0", V::k12);
    append_message_tail(out, headers, "{\"a\":1}", V::k12);
    EXPECT_EQ(
        out,
        "MESSAGE\nsubscription:sub\\c0\ndestination:/sub/chat/room/a\\cb\nseq:7\ncontent-length:7\n\n{\"a\":1}\0"s);
}

TEST(StompEncode, HeadMayCarryAnAckAndLackASubscription) {
    std::string out;
    append_message_head(out, "", V::k12, "a1");
    EXPECT_EQ(out, "MESSAGE\nack:a1\n");
}

TEST(StompEncode, WhatIsEscapedIsReadBackTheSame) {
    for (const V version : {V::k11, V::k12}) {
        const std::string frame = frame_of("SEND", {{"x:y", "\\n\n:\\\\c"}}, "a\0b"sv, version);
        EXPECT_THAT(decode_stomp(frame, 0, version), ElementsAre("SEND{x:y=\\n\n:\\\\c,content-length=3}a\0b"s));
    }
}

TEST(StompVersions, HighestCommonOneIsChosen) {
    EXPECT_EQ(negotiate_version("1.0,1.1,1.2"), V::k12);
    EXPECT_EQ(negotiate_version("1.1, 1.0"), V::k11);
    EXPECT_EQ(negotiate_version("2.0,1.0"), V::k10);
    EXPECT_EQ(negotiate_version(std::nullopt), V::k10);
}

TEST(StompVersions, NoneInCommonIsToldApart) {
    EXPECT_EQ(negotiate_version("2.0"), std::nullopt);
    EXPECT_EQ(negotiate_version(""), std::nullopt);
    EXPECT_EQ(negotiate_version("1.20,1"), std::nullopt);
}

TEST(StompVersions, SubprotocolsNameThem) {
    EXPECT_EQ(version_of_subprotocol(kStompSubprotocols[0]), V::k12);
    EXPECT_EQ(version_of_subprotocol(kStompSubprotocols[1]), V::k11);
    EXPECT_EQ(version_of_subprotocol(kStompSubprotocols[2]), V::k10);
    EXPECT_EQ(version_of_subprotocol("v13.stomp"), std::nullopt);
    EXPECT_EQ(name(V::k12), "1.2");
    EXPECT_EQ(name(StompCommand::kDisconnect), "DISCONNECT");
}

TEST(StompHeartBeat, IsTwoNumbersAndNothingElse) {
    EXPECT_EQ(parse_heart_beat("10000,0"), (HeartBeat{10'000, 0}));
    EXPECT_EQ(parse_heart_beat("99999999999,1"), (HeartBeat{0xFFFF'FFFF, 1}));
    for (const std::string_view bad : {"", "1", ",", "1,", ",1", "-1,1", "1,+1", "1, 1", "1,1,1", "a,b", "1.5,2"}) {
        EXPECT_EQ(parse_heart_beat(bad), std::nullopt) << bad;
    }
}

TEST(StompHeartBeat, SlowerOfTheTwoHoldsAndZeroMeansNone) {
    EXPECT_EQ(negotiate_heart_beat({10'000, 40'000}, {30'000, 30'000}), (HeartBeat{40'000, 30'000}));
    EXPECT_EQ(negotiate_heart_beat({0, 40'000}, {30'000, 30'000}), (HeartBeat{40'000, 0}));
    EXPECT_EQ(negotiate_heart_beat({10'000, 0}, {30'000, 30'000}), (HeartBeat{0, 30'000}));
    EXPECT_EQ(negotiate_heart_beat({10'000, 10'000}, {0, 0}), (HeartBeat{0, 0}));
}

}  // namespace
}  // namespace parley::wire
