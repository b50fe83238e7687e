#include "bench/sockjs_http.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/heard_fixture.h"
#include "wire/sockjs_framing.h"

namespace parley::bench {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using wire::SockJsTransport;

class SockJsHttpTest : public testing::TestWithParam<SockJsTransport> {
protected:
    SockJsHttpTest() : framing(GetParam(), "b") {
        Seat seat;
        seat.room_name = "r-1";
        seat.sends = seat.receives = true;
        talker =
            std::make_unique<SockJsHttp>(tools, seat, SockJsHttp::Options{GetParam(), "h:1", "/ws-chat/0/s", "q=1"});
        talker->begin(out);
    }
    /// A SockJS frame, in a body of its own where the transport does not stream.
    std::string framed(std::string_view frame) {
        std::string text;
        if (!open_) text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(framing.prelude());
        open_ = framing.streams();
        std::string line;
        framing.append(line, frame);
        text += chunk(line);
        return open_ ? text : text + "0\r\n\r\n";
    }
    static std::string chunk(std::string_view data) {
        return data.empty() ? "" : fmt::format("{:x}\r\n{}\r\n", data.size(), data);
    }
    static std::string array(std::initializer_list<std::string> frames) {
        std::vector<std::string_view> all(frames.begin(), frames.end());
        std::string text;
        wire::append_sockjs_array(text, all);
        return text;
    }
    static std::string message(std::uint64_t seq) {
        std::string content;
        append_payload(content, {77, 5, 3}, 80);
        return fmt::format("MESSAGE\nsubscription:r\nseq:{}\n\n", seq) + R"({"content":")" + content + "\"}" + '\0';
    }
    void receive(std::string_view bytes, std::size_t piece = std::string_view::npos) {
        hear(*talker, bytes, out, heard, piece);
    }
    /// What the way back takes up now; answered with `status`.
    std::string sent(std::string_view status = "204 No Content") {
        std::string text;
        talker->way_back()->append_waiting(text);
        std::string more;
        hear(*talker->way_back(), fmt::format("HTTP/1.1 {}\r\n\r\n", status), more, heard);
        return text;
    }

    ParleyStompTools tools;
    wire::SockJsFraming framing;
    std::unique_ptr<SockJsHttp> talker;
    std::string out;
    Heard heard;

private:
    bool open_ = false;
};

TEST_P(SockJsHttpTest, ConnectsSubscribesAndReadsCutAtEveryByte) {
    receive(framed("o"), 1);
    EXPECT_THAT(sent(), HasSubstr(R"(["CONNECT\n)"));
    receive(framed(array({std::string{"CONNECTED\nversion:1.2\n\n"} + '\0'})), 1);
    EXPECT_THAT(sent(), HasSubstr("/sub/chat/room/r-1"));
    receive(framed(array({std::string{"RECEIPT\nreceipt-id:live\n\n"} + '\0', message(7)})), 1);
    receive(framed("h"), 1);
    receive(framed(array({message(8), message(9)})), 1);
    EXPECT_THAT(heard.said, ElementsAre("live", "live", "seq 7 is 3 of 5", "seq 8 is 3 of 5", "seq 9 is 3 of 5"));
}

TEST_P(SockJsHttpTest, SendsWaitForTheRequestBeforeAndGoTogether) {
    auto& back = *talker->way_back();
    std::string first;
    back.append_send(first, {1, 5, 1}, 64);
    EXPECT_THAT(first, AllOf(HasSubstr("_send?q=1 HTTP/1.1"), HasSubstr(R"(["SEND\n)")));
    std::string none;
    back.append_send(none, {1, 5, 2}, 64);
    back.append_send(none, {1, 5, 3}, 64);
    EXPECT_EQ(none, "");
    std::string both;
    hear(back, "HTTP/1.1 204 No Content\r\n\r\n", both, heard);
    EXPECT_THAT(both, AllOf(HasSubstr(R"(receipt:2\n)"), HasSubstr(R"(","SEND\n)"), HasSubstr(R"(receipt:3\n)")));
}

TEST_P(SockJsHttpTest, AClosedSessionIsABrokenOne) {
    receive(framed(R"(c[3000,"Go away!"])"));
    EXPECT_THAT(heard.said, ElementsAre(HasSubstr("Go away!")));
}

INSTANTIATE_TEST_SUITE_P(Transports, SockJsHttpTest,
                         testing::Values(SockJsTransport::kXhr, SockJsTransport::kXhrStreaming,
                                         SockJsTransport::kEventSource, SockJsTransport::kHtmlFile,
                                         SockJsTransport::kJsonp),
                         [](const auto& name) { return std::to_string(static_cast<int>(name.param)); });

}  // namespace
}  // namespace parley::bench
