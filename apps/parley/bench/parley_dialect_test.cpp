#include "bench/parley_dialect.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/heard_fixture.h"
#include "bench/ws_client.h"
#include "wire/deflate.h"
#include "wire/sockjs.h"
#include "wire/stomp.h"
#include "wire/websocket_handshake.h"

namespace parley::bench {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Stamp kStamp{77, 5, 3};

class ParleyDialectTest : public testing::Test {
protected:
    void talk(ParleyDialect::Options options) {
        options.host = "h:1";
        options.token = [](const Seat&) { return "t0ken"; };
        options_ = options;
        dialect = std::make_unique<ParleyDialect>(options);
        Seat seat;
        seat.number = 5;
        seat.room_name = "bench-1-00000";
        seat.sends = seat.receives = true;
        talker = dialect->converse(seat);
        talker->begin(out);
    }
    /// The server's next bytes, in pieces of `piece`.
    void receive(std::string_view bytes, std::size_t piece = std::string_view::npos) {
        while (!bytes.empty()) {
            const std::string_view part = bytes.substr(0, piece);
            bytes.remove_prefix(part.size());
            pending += part;
            pending.erase(0, talker->take(pending, out, heard));
        }
    }
    std::string agreed() {
        return fmt::format("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {}\r\n{}\r\n",
                           wire::accept_key(fmt::format("{:022d}==", 5)),
                           options_.deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    }
    std::string framed(std::string_view stomp) {
        std::string text{stomp};
        if (options_.carrier == ParleyDialect::Carrier::kSockJs) {
            text = "a[";
            wire::append_sockjs_string(text, stomp);
            text += ']';
        }
        std::string frame;
        if (options_.deflate) {
            std::string packed;
            wire::Deflater{15}.compress(text, packed);
            wire::append_frame_header(frame, wire::Opcode::kText, packed.size(), wire::Compressed::kYes);
            return frame + packed;
        }
        wire::append_frame_header(frame, wire::Opcode::kText, text.size());
        return frame + text;
    }
    std::string message(std::uint64_t seq, bool first_header = true) {
        std::string content;
        append_payload(content, kStamp, 64);
        const std::string body = fmt::format(R"({{"seq":{},"content":"{}","type":"TALK"}})", seq, content);
        return framed(fmt::format("MESSAGE\n{}message-id:bench-1-00000\\c{}\nseq:{}\n{}content-length:{}\n\n{}",
                                  first_header ? "subscription:r\n" : "", seq, seq,
                                  first_header ? "" : "subscription:r\n", body.size(), body) +
                      '\0');
    }
    /// What a client's frame carries.
    static std::string unmasked(std::string frame) {
        if (frame.size() < 2) return {};
        const std::size_t head = (static_cast<unsigned char>(frame[1]) & 0x7F) == 126 ? 4 : 2;
        std::array<unsigned char, 4> mask{};
        if (frame.size() < head + mask.size()) return {};
        std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(head), mask.size(), mask.begin());
        frame.erase(0, head + mask.size());
        wire::unmask(frame.data(), frame.size(), mask);
        return frame;
    }
    std::string error_message(std::string_view json) {
        return framed(fmt::format("MESSAGE\nsubscription:x\ncontent-length:{}\n\n{}", json.size(), json) + '\0');
    }

    ParleyDialect::Options options_;
    std::unique_ptr<ParleyDialect> dialect;
    std::unique_ptr<Conversation> talker;
    std::string out;
    std::string pending;
    Heard heard;
};

TEST_F(ParleyDialectTest, ReadsAConversationCutAtEveryByte) {
    talk({});
    EXPECT_THAT(out, HasSubstr("GET /ws-chat?token=t0ken&roomId=bench-1-00000 HTTP/1.1"));
    receive(agreed() + framed(std::string{"CONNECTED\nversion:1.2\n\n"} + '\0') +
                framed(std::string{"RECEIPT\nreceipt-id:live\n\n"} + '\0') + message(9) + message(10) +
                framed(std::string{"RECEIPT\nreceipt-id:3\nseq:10\n\n"} + '\0'),
            1);
    EXPECT_THAT(heard.said, ElementsAre("live", "seq 9 is 3 of 5", "seq 10 is 3 of 5", "receipt 3 seq 10"));
}

TEST_F(ParleyDialectTest, ReadsAMessageWithItsHeadersInAnotherOrder) {
    talk({});
    receive(agreed() + message(9, false) + message(10));
    EXPECT_THAT(heard.said, ElementsAre("seq 9 is 3 of 5", "seq 10 is 3 of 5"));
}

TEST_F(ParleyDialectTest, ReadsSockJsAndDeflateAlike) {
    for (const bool deflate : {false, true}) {
        for (const auto carrier : {ParleyDialect::Carrier::kWebSocket, ParleyDialect::Carrier::kSockJs}) {
            heard.said.clear();
            out.clear();
            ParleyDialect::Options options;
            options.carrier = carrier;
            options.deflate = deflate;
            talk(options);
            receive(agreed() + message(9) + message(9) + message(10));
            EXPECT_THAT(heard.said, ElementsAre("seq 9 is 3 of 5", "seq 9 is 3 of 5", "seq 10 is 3 of 5"));
        }
    }
}

TEST_F(ParleyDialectTest, SaysWhatIsNoMessageOfTheRun) {
    talk({});
    receive(agreed() + framed(std::string{"MESSAGE\nsubscription:r\nseq:4\n\nhello"} + '\0'));
    EXPECT_THAT(heard.said, ElementsAre("unreadable"));
}

TEST_F(ParleyDialectTest, TellsRefusalsResyncAndTypingApart) {
    talk({});
    receive(
        agreed() + error_message(R"({"code":"RESYNC","roomId":"r","afterSeq":3})") +
        error_message(R"({"code":"CHAT_FORBIDDEN","receiptId":"12"})") +
        framed(std::string{"MESSAGE\nsubscription:e\n\n"} + R"({"event":"typing","memberId":"bench-000017"})" + '\0'));
    EXPECT_THAT(heard.said, ElementsAre("resync", "refused 12", "event of 17"));
}

TEST_F(ParleyDialectTest, WhoTypesBringsItsRoomIntoBeingFirst) {
    for (const auto kind : {ParleyDialect::Talk::kMessages, ParleyDialect::Talk::kTyping}) {
        ParleyDialect::Options options;
        options.talk = kind;
        talk(options);
        receive(agreed());
        out.clear();
        receive(framed(std::string{"RECEIPT\nreceipt-id:live\n\n"} + '\0'));
        EXPECT_EQ(unmasked(out).find(R"({"type":"TALK","roomId":"bench-1-00000")") != std::string::npos,
                  kind == ParleyDialect::Talk::kTyping);
    }
}

TEST_F(ParleyDialectTest, PoliteRefusalIsToldFromOthers) {
    talk({});
    receive("HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n\r\n{}");
    talk({});
    pending.clear();
    receive("HTTP/1.1 401 Unauthorized\r\n\r\n{}");
    ASSERT_EQ(heard.said.size(), 2u);
    EXPECT_THAT(heard.said[0], HasSubstr(fmt::format("end {}", static_cast<int>(End::kBusy))));
    EXPECT_THAT(heard.said[1], HasSubstr(fmt::format("end {}", static_cast<int>(End::kBroken))));
}

TEST_F(ParleyDialectTest, ReaderThatWasGivenUpIsNotABrokenOne) {
    talk({});
    receive(agreed() + wire::encode_close(wire::kCloseTooSlow, "too slow"));
    EXPECT_THAT(heard.said, ElementsAre(HasSubstr(fmt::format("end {}", static_cast<int>(End::kTooSlow)))));
}

TEST_F(ParleyDialectTest, ServerWithoutDeflateIsRefusedWhereItWasAskedFor) {
    ParleyDialect::Options options;
    options.deflate = true;
    talk(options);
    options_.deflate = false;
    receive(agreed());
    EXPECT_THAT(heard.said, ElementsAre(HasSubstr("did not agree")));
}

TEST_F(ParleyDialectTest, SendCarriesItsStampAsContent) {
    talk({});
    out.clear();
    talker->append_send(out, kStamp, 64);
    const std::string frame = unmasked(out);
    EXPECT_THAT(frame, HasSubstr("SEND\ndestination:/pub/chat/send\n"));
    EXPECT_THAT(frame, HasSubstr("\nreceipt:3\n"));
    EXPECT_THAT(frame, HasSubstr(R"({"type":"TALK","roomId":"bench-1-00000","content":"bm.)"));
    EXPECT_TRUE(frame.ends_with('\0'));
}

}  // namespace
}  // namespace parley::bench
