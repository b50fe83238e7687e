#include "gateway/http_session.h"

#include "gateway/socket_fixture.h"

namespace parley::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpSessionTest : public testing::SocketTest {};

TEST_F(HttpSessionTest, PipelinedRequestsAreServedOneAfterTheOtherInOrder) {
    keeps = true;
    write(get("/1") + get("/2") + get("/3"));
    EXPECT_THAT(paths, ElementsAre("/1"));
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(waiting.size(), static_cast<std::size_t>(i) + 1);
        waiting.back()->respond(200, {}, "answer " + std::to_string(i + 1));
        turn();
    }
    EXPECT_THAT(paths, ElementsAre("/1", "/2", "/3"));
    const std::string answers = read();
    EXPECT_LT(answers.find("answer 1"), answers.find("answer 2"));
    EXPECT_LT(answers.find("answer 2"), answers.find("answer 3"));
}

TEST_F(HttpSessionTest, ARequestCutAnywhereIsServedOnce) {
    for (const char c : get("/cut")) write({&c, 1});
    EXPECT_THAT(paths, ElementsAre("/cut"));
    EXPECT_THAT(read(), EndsWith("you asked /cut"));
}

TEST_F(HttpSessionTest, WhoEndsItsSideAfterTheRequestStillGetsTheAnswer) {
    ASSERT_GT(::send(fd, get("/last").data(), get("/last").size(), MSG_NOSIGNAL), 0);
    end_writing();
    EXPECT_THAT(read(), EndsWith("you asked /last"));
    EXPECT_TRUE(saw_end);
    EXPECT_EQ(set.size(), 0U);
}

TEST_F(HttpSessionTest, AnAnswerThatTakesLongReachesWhoEndedItsSide) {
    keeps = true;
    write(get("/slow"));
    end_writing();
    waiting[0]->respond(200, {}, "at last");
    EXPECT_THAT(read(), AllOf(HasSubstr("Connection: close"), EndsWith("at last")));
    EXPECT_TRUE(saw_end);
}

TEST_F(HttpSessionTest, ARequestThatEndsHalfwayGets400) {
    write("GET /half HTTP/1.1\r\nHost");
    end_writing();
    EXPECT_THAT(read(), StartsWith("HTTP/1.1 400 "));
    EXPECT_TRUE(saw_end);
}

TEST_F(HttpSessionTest, ASlowRequestGets408AndASilentConnectionIsClosed) {
    write("GET /slow HTTP/1.1\r\n");
    pass(seconds{9});
    EXPECT_EQ(read(), "");
    pass(seconds{2});
    EXPECT_THAT(read(), StartsWith("HTTP/1.1 408 "));
    EXPECT_TRUE(saw_end);
}

TEST_F(HttpSessionTest, ABodyHasItsOwnTimeWhicheverWayItDrips) {
    write("POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
    for (int i = 0; i < 29; ++i) {
        pass(seconds{1});
        write("x");
    }
    EXPECT_EQ(read(), "");
    pass(seconds{2});
    EXPECT_THAT(read(), StartsWith("HTTP/1.1 408 "));
    EXPECT_TRUE(saw_end);
}

TEST_F(HttpSessionTest, ABodyThatCameInTimeIsServedAndItsConnectionKept) {
    write("POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n");
    pass(seconds{20});
    write("xy");
    EXPECT_THAT(read(), EndsWith("you asked /slow"));
    pass(seconds{60});
    write(get("/next"));
    EXPECT_THAT(read(), EndsWith("you asked /next"));
}

TEST_F(HttpSessionTest, EmptyLinesInsteadOfARequestDoNotKeepAConnection) {
    for (int i = 0; i < 12; ++i) {
        write("\r\n");
        pass(seconds{1});
    }
    read();
    EXPECT_TRUE(saw_end);
}

TEST_F(HttpSessionTest, AConnectionThatAsksNothingIsClosedWithoutAnAnswer) {
    pass(seconds{11});
    EXPECT_EQ(read(), "");
    EXPECT_TRUE(saw_end);
}

TEST_F(HttpSessionTest, TheNextRequestMayTakeLongerToComeThanTheFirst) {
    write(get("/1"));
    pass(seconds{70});
    write(get("/2"));
    EXPECT_THAT(paths, ElementsAre("/1", "/2"));
    read();
    EXPECT_FALSE(saw_end);
    pass(seconds{80});
    EXPECT_EQ(read(), "");
    EXPECT_TRUE(saw_end);
}

TEST_F(HttpSessionTest, AFaultIsAnsweredThenTheRestIsDiscardedSoThatTheAnswerCanBeRead) {
    write("GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    EXPECT_THAT(read(), StartsWith("HTTP/1.1 400 "));
    EXPECT_TRUE(saw_end) << "it half-closes";
    EXPECT_EQ(write(std::string(10'000, 'x')), 10'000U);
    EXPECT_EQ(set.size(), 1U);
    pass(seconds{4});
    EXPECT_EQ(set.size(), 0U);
}

TEST_F(HttpSessionTest, ABodyIsAskedForOnlyWhereItIsNotTooLarge) {
    write("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    EXPECT_THAT(read(), StartsWith("HTTP/1.1 100 "));
    write("abc");
    EXPECT_THAT(read(), EndsWith("you asked /a"));
    write("POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n");
    EXPECT_THAT(read(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpSessionTest, ARequestWithoutBodyBehindAnExpectationDoesNotSwallowTheNext) {
    write("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n" + get("/b"));
    EXPECT_THAT(paths, ElementsAre("/a", "/b"));
}

TEST_F(HttpSessionTest, WhoDoesNotReadItsAnswersIsNotReadFrom) {
    service.serve = [this](const ExchangeRef& exchange) {
        paths.emplace_back();
        exchange->respond(200, {}, std::string(8 * 1024, 'x'));
    };
    std::string requests;
    for (int i = 0; i < 2000; ++i) requests += get("/x");
    std::size_t sent = write(requests);
    EXPECT_LT(set.queued_bytes(), 80 * 1024U);
    EXPECT_LT(paths.size(), 200U);
    std::size_t got = 0;
    for (int i = 0; i < 5000 && paths.size() < 2000; ++i) {
        got += read().size();
        if (sent < requests.size()) sent += write(std::string_view{requests}.substr(sent));
    }
    EXPECT_EQ(paths.size(), 2000U);
    EXPECT_GT(got, 1900U * 8 * 1024);
}

TEST_F(HttpSessionTest, AStreamTellsWhenItsReaderHasGone) {
    keeps = true;
    bool gone = false;
    write(get("/stream"));
    waiting[0]->on_gone([&] { gone = true; });
    waiting[0]->begin_stream(200, {});
    waiting[0]->write("piece");
    EXPECT_THAT(read(), EndsWith("5\r\npiece\r\n"));
    ::close(std::exchange(fd, -1));
    turn();
    EXPECT_TRUE(gone);
    EXPECT_FALSE(waiting[0]->is_open());
    waiting[0]->write("nobody hears");
    waiting[0]->end_stream();
    EXPECT_EQ(set.size(), 0U);
}

TEST_F(HttpSessionTest, AnOldClientsStreamEndsWithTheConnection) {
    keeps = true;
    write("GET /s HTTP/1.0\r\n\r\n");
    waiting[0]->begin_stream(200, {});
    waiting[0]->write("raw");
    waiting[0]->end_stream();
    EXPECT_THAT(read(), EndsWith("\r\n\r\nraw"));
    EXPECT_TRUE(saw_end);
}

TEST_F(HttpSessionTest, AMovedRequestTakesAlongWhatCameBehindIt) {
    keeps = true;
    write(get("/move") + get("/behind"));
    rt::ConnectionSet other{loop, {}};
    waiting[0]->move_to(loop, [&](rt::Connection::Detached detached, wire::HttpRequest request, Arrival arrival) {
        auto handler = std::make_unique<HttpSession>(loop, service, options, std::move(arrival));
        HttpSession& session = *handler;
        other.open(std::move(detached), std::move(handler));
        session.adopt(std::move(request));
    });
    keeps = false;
    turn(6);
    EXPECT_EQ(set.size(), 0U);
    EXPECT_FALSE(waiting[0]->is_open());
    EXPECT_THAT(paths, ElementsAre("/move", "/move", "/behind"));
    EXPECT_THAT(read(), AllOf(HasSubstr("you asked /move"), EndsWith("you asked /behind")));
}

}  // namespace
}  // namespace parley::gateway
