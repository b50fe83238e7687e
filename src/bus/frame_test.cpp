#include "bus/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::bus {
namespace {

using testing::HasSubstr;

const FrameHead kHead{.server = 0x1122334455667788, .number = 42, .sent_at = WallTime{milliseconds{1'700'000'000'123}}};

std::shared_ptr<Message> talk(std::uint64_t seq) {
    auto out = std::make_shared<Message>();
    out->room = RoomId::trusted("r-1");
    out->seq = {seq};
    out->created_at = WallTime{milliseconds{1'700'000'000'000}};
    out->id = MessageId::trusted("m-" + std::to_string(seq));
    out->sender = MemberId::trusted("u-1");
    out->nickname = "앨리스";
    out->content = std::string("a\0\xf0\x9f\x8e\xb2", 6);
    out->extra = R"("receiverId":"u-9")";
    return out;
}

std::string why(const Result<Frame>& frame) { return frame ? "" : frame.error().message; }

TEST(Frame, MessagesComeOutAsTheyWentIn) {
    const FrameCodec codec{{"key"}};
    const std::vector<MessageRef> messages{talk(7), talk(8)};
    const auto frame = codec.decode(codec.encode(kHead, messages));
    ASSERT_TRUE(frame) << why(frame);
    EXPECT_EQ(frame->head.server, kHead.server);
    EXPECT_EQ(frame->head.number, kHead.number);
    EXPECT_EQ(frame->head.sent_at, kHead.sent_at);
    const auto& read = std::get<std::vector<MessageRef>>(frame->body);
    ASSERT_EQ(read.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(to_json(*read[i]), to_json(*messages[i]));
        EXPECT_EQ(read[i]->type, MessageType::kTalk);
    }
}

TEST(Frame, EventsAndNoticesComeOutAsTheyWentIn) {
    const FrameCodec codec{{"key"}};
    const auto event = codec.decode(codec.encode(kHead, RoomEvent{RoomId::trusted("r-1"), R"({"kind":"typing"})"}));
    ASSERT_TRUE(event) << why(event);
    EXPECT_EQ(std::get<RoomEvent>(event->body).json, R"({"kind":"typing"})");
    const auto notice =
        codec.decode(codec.encode(kHead, Notice{Notice::Kind::kMemberRevoked, "u-7", "body", kHead.sent_at}));
    ASSERT_TRUE(notice) << why(notice);
    EXPECT_EQ(std::get<Notice>(notice->body).kind, Notice::Kind::kMemberRevoked);
    EXPECT_EQ(std::get<Notice>(notice->body).subject, "u-7");
    EXPECT_EQ(std::get<Notice>(notice->body).at, kHead.sent_at);
}

TEST(Frame, OneChangedByteAnywhereIsRefused) {
    const FrameCodec codec{{"key"}};
    const std::string good = codec.encode(kHead, std::vector<MessageRef>{talk(7)});
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] ^= 1;
        EXPECT_FALSE(codec.decode(bad)) << "byte " << i;
    }
}

TEST(Frame, OneCutShortAnywhereIsRefused) {
    const FrameCodec codec{{"key"}};
    const std::string good = codec.encode(kHead, std::vector<MessageRef>{talk(7)});
    for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(codec.decode(good.substr(0, size)));
}

TEST(Frame, AnotherFleetsIsRefusedAndSaysWhichKeyToLookAt) {
    const std::string foreign = FrameCodec{{"theirs"}}.encode(kHead, RoomEvent{RoomId::trusted("r-1"), "{}"});
    EXPECT_THAT(why(FrameCodec{{"ours"}}.decode(foreign)), HasSubstr("fleet.secret"));
}

TEST(Frame, TheSecretBeforeARotationIsStillBelieved) {
    const std::string old = FrameCodec{{"old"}}.encode(kHead, RoomEvent{RoomId::trusted("r-1"), "{}"});
    EXPECT_TRUE(FrameCodec({"new", "old"}).decode(old));
}

TEST(Frame, AnotherVersionIsRefusedByItsNumber) {
    const FrameCodec codec{{"key"}};
    std::string later = codec.encode(kHead, RoomEvent{RoomId::trusted("r-1"), "{}"});
    later[0] = 2;
    EXPECT_EQ(why(codec.decode(later)), "it has format 2, this server reads 1");
}

}  // namespace
}  // namespace parley::bus
