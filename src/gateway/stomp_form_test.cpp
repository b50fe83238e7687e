#include "gateway/stomp_form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "wire/deflate.h"

namespace parley::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct WebSocketFrame {
    bool is_text;
    bool is_compressed;
    std::string payload;
};

/// A server's frames, unmasked and each one message.
std::vector<WebSocketFrame> frames_of(std::string_view bytes) {
    std::vector<WebSocketFrame> out;
    while (bytes.size() >= 2) {
        const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
        EXPECT_EQ(at(0) & 0x80, 0x80) << "one frame is one message";
        EXPECT_EQ(at(1) & 0x80, 0) << "a server masks nothing";
        std::size_t length = at(1);
        std::size_t head = 2;
        if (length == 126) {
            length = at(2) << 8 | at(3);
            head = 4;
        }
        EXPECT_LE(head + length, bytes.size());
        out.push_back({(at(0) & 0x0F) == 1, (at(0) & 0x40) != 0, std::string{bytes.substr(head, length)}});
        bytes.remove_prefix(head + length);
    }
    EXPECT_TRUE(bytes.empty());
    return out;
}

constexpr auto kPlain = [](StompForm::Kind&) {};

class StompFormTest : public ::testing::Test {
protected:
    /// Two messages of the kind that `with` makes of the plain one.
    template <class With>
    std::string make(With with, room::Replay replay = room::Replay::kNo) {
        StompForm::Kind kind;
        kind.destination = "/sub/chat/room/";
        with(kind);
        std::vector<Message> messages(2);
        std::vector<room::Item> items;
        for (std::size_t i = 0; i < messages.size(); ++i) {
            messages[i].room = RoomId::trusted("r-1");
            messages[i].seq = {i + 7};
            items.push_back({messages[i], json[i]});
        }
        std::string out;
        StompForm& form = forms.get(kind);
        form.prepare(items, replay);
        form.append(out, "another");
        out.clear();
        form.append(out, "sub:1");
        return out;
    }
    static std::string expected(const std::string& seq) {
        return "MESSAGE\nsubscription:sub\\c1\ndestination:/sub/chat/room/r-1\nmessage-id:r-1\\c" + seq +
               "\nseq:" + seq + "\ncontent-type:application/json\n";
    }

    std::vector<std::string> json{R"({"content":"앨리스"})", R"({"content":")" + std::string(300, 'x') + "\"}"};
    wire::DeflaterSet deflaters;
    StompForms forms{deflaters};
};

TEST_F(StompFormTest, EachMessageIsOneFrameInOneTextMessage) {
    const auto frames = frames_of(make(kPlain));
    ASSERT_EQ(frames.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_TRUE(frames[i].is_text);
        EXPECT_THAT(frames[i].payload, ::testing::StartsWith(expected(std::to_string(i + 7))));
        EXPECT_THAT(frames[i].payload, HasSubstr("content-length:" + std::to_string(json[i].size()) + "\n"));
        EXPECT_THAT(frames[i].payload, ::testing::EndsWith("\n\n" + json[i] + std::string(1, '\0')));
    }
}

TEST_F(StompFormTest, AReplayedMessageSaysSoAndAnAckIsNamedWhereOneIsExpected) {
    EXPECT_THAT(make(kPlain, room::Replay::kYes), HasSubstr("replay:true\n"));
    EXPECT_THAT(make(kPlain), Not(HasSubstr("replay")));
    EXPECT_THAT(make([](auto& kind) { kind.acks = true; }), HasSubstr("ack:sub\\c1\\c7\n"));
    EXPECT_THAT(make(kPlain), Not(HasSubstr("ack:")));
}

TEST_F(StompFormTest, CompressedFramesExpandToTheSameMessages) {
    const auto plain = frames_of(make(kPlain));
    const auto packed = frames_of(make([](auto& kind) { kind.deflate_bits = 9; }));
    ASSERT_EQ(packed.size(), plain.size());
    wire::Inflater inflater;
    for (std::size_t i = 0; i < packed.size(); ++i) {
        EXPECT_TRUE(packed[i].is_compressed);
        EXPECT_EQ(inflater.inflate(packed[i].payload, 10'000).message, plain[i].payload);
    }
}

TEST_F(StompFormTest, OverSockJsAMessageIsAnArrayOfOneStringAndOverHttpTheStringsAreJoined) {
    const auto frames = frames_of(make([](auto& kind) { kind.framing = StompFraming::kSockJsWebSocket; }));
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_THAT(frames[0].payload, AllOf(::testing::StartsWith(R"(a["MESSAGE\n)"), ::testing::EndsWith("\\u0000\"]")));
    const std::string joined = make([](auto& kind) { kind.framing = StompFraming::kSockJsHttp; });
    EXPECT_THAT(joined, AllOf(::testing::StartsWith(R"("MESSAGE\n)"), HasSubstr("\\u0000\",\"MESSAGE\\n")));
}

TEST_F(StompFormTest, AnEventHasItsOwnDestinationAndNoSeq) {
    std::string out;
    StompForm::Kind kind;
    kind.destination = "/sub/chat/room/";
    kind.events_suffix = "/events";
    forms.get(kind).append_event(out, RoomId::trusted("r-1"), R"({"event":"TYPING"})", "e");
    const auto frames = frames_of(out);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_THAT(frames[0].payload, HasSubstr("destination:/sub/chat/room/r-1/events\n"));
    EXPECT_THAT(frames[0].payload, Not(HasSubstr("\nseq:")));
}

TEST_F(StompFormTest, TheSameKindIsOneForm) {
    StompForm::Kind packed;
    packed.deflate_bits = 9;
    EXPECT_EQ(&forms.get(packed), &forms.get(packed));
    EXPECT_NE(&forms.get(packed), &forms.get({}));
}

}  // namespace
}  // namespace parley::gateway
