#include "gateway/sockjs_session.h"

#include "gateway/socket_fixture.h"

namespace parley::gateway {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Sender = SockJsHttpSession::Sender;
using Transport = wire::SockJsTransport;

/// What the app heard, and what it says about more.
struct Heard {
    std::vector<std::string> messages;
    Link* link = nullptr;
    wire::Flow flow = wire::Flow::kContinue;
    int closed = 0;
    int drained = 0;
};

class Ear final : public LinkApp {
public:
    explicit Ear(Heard& to) : heard_(to) {}
    void on_open(Link& link) override { heard_.link = &link; }
    wire::Flow on_message(std::string_view message) override {
        heard_.messages.emplace_back(message);
        return heard_.flow;
    }
    void on_drained() override { ++heard_.drained; }
    void on_closed() override { ++heard_.closed; }

private:
    Heard& heard_;
};

/// One session; a request on the connection goes to it, by the transport its path names.
class SockJsSessionTest : public testing::SocketTest {
protected:
    void SetUp() override {
        SocketTest::SetUp();
        session.open();
        service.serve = [this](const ExchangeRef& exchange) {
            const std::string& path = exchange->request().path;
            if (path == "/send" || path == "/jsonp_send") {
                session.take(exchange, path == "/send" ? Sender::kXhr : Sender::kJsonp);
            } else if (path == "/keep") {
                waiting.push_back(exchange);
            } else {
                session.receive(exchange, framing(path));
            }
        };
    }
    static wire::SockJsFraming framing(const std::string& path) {
        if (path == "/stream") return wire::SockJsFraming{Transport::kXhrStreaming};
        if (path == "/events") return wire::SockJsFraming{Transport::kEventSource};
        if (path == "/page") return wire::SockJsFraming{Transport::kHtmlFile, "cb"};
        if (path == "/jsonp") return wire::SockJsFraming{Transport::kJsonp, "cb"};
        return wire::SockJsFraming{Transport::kXhr};
    }
    std::string ask(const std::string& path) {
        write(get(path));
        return read();
    }
    std::string poll() {
        write(get("/xhr"));
        return read();
    }
    std::string jsonp_send(const std::string& type, const std::string& body) {
        write("POST /jsonp_send HTTP/1.1\r\nHost: h\r\nContent-Type: " + type +
              "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        return read();
    }
    std::string send(const std::string& body) {
        write("POST /send HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        return read();
    }

    Heard heard;
    SockJsOptions sockjs{.response_limit = 2048};
    SockJsHttpSession session{loop, std::make_unique<Ear>(heard), "token\nroom", sockjs};
};

TEST_F(SockJsSessionTest, TheFirstPollOpensAndTheNextBringsWhatWasSentAsOneArray) {
    EXPECT_THAT(poll(), HasSubstr("2\r\no\n\r\n0\r\n"));
    heard.link->send("a");
    heard.link->send("b");
    EXPECT_THAT(poll(), HasSubstr(R"(a["a","b"])"));
}

TEST_F(SockJsSessionTest, APollWaitsForTheNextMessage) {
    poll();
    EXPECT_THAT(poll(), StartsWith("HTTP/1.1 200 "));
    heard.link->send("late");
    EXPECT_THAT(read(), HasSubstr(R"(a["late"])"));
}

TEST_F(SockJsSessionTest, APollIsAnsweredByAHeartBeatInTime) {
    poll();
    poll();
    pass(seconds{31});
    EXPECT_THAT(read(), HasSubstr("h\n"));
    EXPECT_EQ(heard.closed, 0);
}

TEST_F(SockJsSessionTest, AStreamEndsAfterItsLimitAndTheSessionGoesOn) {
    write(get("/stream"));
    EXPECT_THAT(read(), HasSubstr("o\n"));
    heard.link->send(std::string(3000, 'x'));
    EXPECT_THAT(read(), EndsWith("0\r\n\r\n"));
    heard.link->send("next");
    write(get("/stream"));
    EXPECT_THAT(read(), HasSubstr(R"(a["next"])"));
}

TEST_F(SockJsSessionTest, WhoDoesNotComeBackIsGone) {
    poll();
    pass(seconds{4});
    EXPECT_EQ(heard.closed, 0);
    pass(seconds{2});
    EXPECT_EQ(heard.closed, 1);
    EXPECT_THAT(poll(), HasSubstr(R"(c[3000,"Go away!"])"));
    pass(seconds{6});
    EXPECT_TRUE(session.is_done(loop.now()));
}

TEST_F(SockJsSessionTest, AReceiverThatBreaksOffEndsIt) {
    write(get("/stream"));
    ::close(std::exchange(fd, -1));
    turn();
    EXPECT_EQ(heard.closed, 1);
    pass(seconds{6});
    EXPECT_TRUE(session.is_done(loop.now()));
}

TEST_F(SockJsSessionTest, AReceiverThatWentBeforeItWasJudgedEndsIt) {
    write(get("/keep"));
    set.close_all();
    turn();
    session.receive(waiting[0], framing("/stream"));
    EXPECT_EQ(heard.closed, 1);
    pass(seconds{6});
    EXPECT_TRUE(session.is_done(loop.now()));
}

TEST_F(SockJsSessionTest, ASecondReceiverIsRefusedAndTheFirstStays) {
    poll();
    write(get("/keep"));
    const ExchangeRef first = waiting[0];
    session.receive(first, framing("/xhr"));
    session.receive(first, framing("/xhr"));
    EXPECT_THAT(read(), HasSubstr("c[2010,\"Another connection still open\"]"));
    EXPECT_EQ(heard.closed, 0);
}

TEST_F(SockJsSessionTest, ItsEndComesBehindItsMessages) {
    poll();
    heard.link->send("last");
    heard.link->close(1001, "500");
    EXPECT_EQ(heard.closed, 1);
    EXPECT_THAT(poll(), HasSubstr(R"(a["last"])"));
    EXPECT_THAT(poll(), HasSubstr(R"(c[1001,"500"])"));
    EXPECT_THAT(send(R"(["x"])"), StartsWith("HTTP/1.1 404 "));
    EXPECT_TRUE(heard.messages.empty());
}

TEST_F(SockJsSessionTest, WhatIsSentArrivesInOrderAndIsAnswered204) {
    poll();
    EXPECT_THAT(send(R"(["a","b"])"), StartsWith("HTTP/1.1 204 "));
    EXPECT_THAT(heard.messages, ::testing::ElementsAre("a", "b"));
    EXPECT_THAT(send("nonsense"), StartsWith("HTTP/1.1 500 "));
}

TEST_F(SockJsSessionTest, EventsAreFieldsWithAnEmptyLineBehind) {
    EXPECT_THAT(ask("/events"), AllOf(HasSubstr("Content-Type: text/event-stream\r\n"), HasSubstr("data: o\r\n\r\n")));
    heard.link->send("x");
    EXPECT_THAT(read(), HasSubstr("data: a[\"x\"]\r\n\r\n"));
}

TEST_F(SockJsSessionTest, AnHtmlFileIsAPageThatGrowsByScripts) {
    EXPECT_THAT(ask("/page"), AllOf(HasSubstr("var c = parent.cb;"), HasSubstr("<script>\np(\"o\");\n</script>\r\n")));
    heard.link->send("</script>");
    EXPECT_THAT(read(), HasSubstr(R"(p("a[\"\u003c/script>\"]");)"));
}

TEST_F(SockJsSessionTest, EveryStreamEndsAfterItsLimit) {
    for (const char* path : {"/events", "/page"}) {
        ask(path);
        heard.link->send(std::string(3000, 'x'));
        EXPECT_THAT(read(), EndsWith("0\r\n\r\n")) << path;
    }
}

TEST_F(SockJsSessionTest, JsonpIsAnsweredFrameByFrame) {
    EXPECT_THAT(ask("/jsonp"), HasSubstr("/**/cb(\"o\");\r\n"));
    heard.link->send("x");
    EXPECT_THAT(ask("/jsonp"), AllOf(HasSubstr(R"(/**/cb("a[\"x\"]");)"), EndsWith("0\r\n\r\n")));
    heard.link->close(3000, "Go away!");
    EXPECT_THAT(ask("/jsonp"), HasSubstr(R"(/**/cb("c[3000,\"Go away!\"]");)"));
}

TEST_F(SockJsSessionTest, JsonpSendsAFormOrPlainText) {
    poll();
    EXPECT_THAT(jsonp_send("application/x-www-form-urlencoded", "d=%5B%22a%2B+%22%5D"), EndsWith("\r\n\r\nok"));
    EXPECT_THAT(jsonp_send("text/plain; charset=utf-8", "[\"%61\"]"), EndsWith("\r\n\r\nok"));
    EXPECT_THAT(heard.messages, ::testing::ElementsAre("a+ ", "%61"));
}

TEST_F(SockJsSessionTest, JsonpSendSaysWhatIsWrong) {
    poll();
    const std::string form = "application/x-www-form-urlencoded";
    for (const char* body : {"", "d=", "p=p"})
        EXPECT_THAT(jsonp_send(form, body), HasSubstr("Payload expected.")) << body;
    for (const char* body : {"d=%5B%22x", "d=%zz"}) {
        EXPECT_THAT(jsonp_send(form, body), HasSubstr("Broken JSON encoding.")) << body;
    }
    EXPECT_THAT(jsonp_send("image/png", "[]"), HasSubstr("Payload expected."));
    EXPECT_TRUE(heard.messages.empty());
}

TEST_F(SockJsSessionTest, AJsonpSenderWaitsForAnAppThatIsBusy) {
    poll();
    heard.flow = wire::Flow::kPause;
    EXPECT_EQ(jsonp_send("text/plain", R"(["a"])"), "");
    heard.link->resume();
    EXPECT_THAT(read(), EndsWith("\r\n\r\nok"));
}

TEST_F(SockJsSessionTest, AnAppThatIsBusyMakesTheSenderWait) {
    poll();
    heard.flow = wire::Flow::kPause;
    EXPECT_EQ(send(R"(["a"])"), "");
    heard.link->resume();
    EXPECT_THAT(read(), StartsWith("HTTP/1.1 204 "));
}

TEST_F(SockJsSessionTest, ASenderThatWaitsIsAnsweredWhenTheSessionEnds) {
    poll();
    heard.flow = wire::Flow::kPause;
    EXPECT_EQ(send(R"(["a"])"), "");
    heard.link->close(1001, "");
    EXPECT_THAT(read(), StartsWith("HTTP/1.1 204 "));
}

TEST_F(SockJsSessionTest, WhatWaitsForAPollCountsAsQueued) {
    poll();
    heard.link->send(std::string(1000, 'x'));
    EXPECT_GE(heard.link->queued(), 1000U);
    poll();
    EXPECT_LT(heard.link->queued(), 1000U);
    EXPECT_EQ(heard.drained, 1);
}

}  // namespace
}  // namespace parley::gateway
