#include "rt/connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>

namespace parley::rt {
namespace {

/// What one handler heard, and what it does about it.
struct Heard {
    std::string got;
    int opened = 0;
    int ended = 0;
    int drained = 0;
    int stalled = 0;
    int closed = 0;
    std::function<std::size_t(Connection&, std::string_view)> on_data;
    std::function<void(Connection&)> on_end;
    std::function<void(Connection&)> on_closed;
};

struct Ear final : Connection::Handler {
    Heard& heard;
    explicit Ear(Heard& to) : heard(to) {}
    void on_open(Connection&) override { ++heard.opened; }
    std::size_t on_data(Connection& connection, std::span<char> bytes) override {
        const std::string_view text{bytes.data(), bytes.size()};
        if (heard.on_data) return heard.on_data(connection, text);
        heard.got += text;
        return text.size();
    }
    void on_end_of_input(Connection& connection) override {
        ++heard.ended;
        if (heard.on_end) heard.on_end(connection);
    }
    void on_drained(Connection&) override { ++heard.drained; }
    void on_stalled(Connection&) override { ++heard.stalled; }
    void on_closed(Connection& connection) override {
        ++heard.closed;
        if (heard.on_closed) heard.on_closed(connection);
    }
};

/// The other end of the socket.
struct Client {
    int fd = -1;
    Client() = default;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { close(); }
    void close() {
        if (fd >= 0) ::close(fd);
        fd = -1;
    }
    /// As much of `text` as goes in.
    std::size_t write(std::string_view text) const {
        std::size_t done = 0;
        while (done < text.size()) {
            const ssize_t n = ::send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n <= 0) break;
            done += static_cast<std::size_t>(n);
        }
        return done;
    }
    void end_writing() const { ::shutdown(fd, SHUT_WR); }
    std::string read() {
        std::string out;
        std::array<char, 65536> buffer;
        for (;;) {
            const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (n <= 0) {
                saw_end = n == 0 || errno == ECONNRESET;
                return out;
            }
            out.append(buffer.data(), static_cast<std::size_t>(n));
        }
    }
    bool saw_end = false;
};

/// Over each way to write: what a connection promises does not depend on it.
class ConnectionTest : public testing::TestWithParam<FlushKind> {
protected:
    static constexpr ConnectionSet::Limits kLimits{.send_buffer = Bytes{64 * 1024}, .discard = Bytes{1024 * 1024}};

    void SetUp() override {
        if (loop.kernel().name() != wanted_name()) GTEST_SKIP() << "io_uring is not allowed here";
    }
    static std::string_view wanted_name() { return GetParam() == FlushKind::kIoUring ? "io_uring" : "writev"; }
    static std::unique_ptr<Kernel> kernel() {
        auto choice = make_kernel(GetParam());
        return choice ? std::move(choice->kernel) : nullptr;
    }

    Connection& connect(Client& to, Heard& ear, std::string unread = {}) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
        to.fd = ends[1];
        return set.open({.fd = ends[0], .unread = std::move(unread)}, std::make_unique<Ear>(ear));
    }
    void turn(int count = 1) {
        for (int i = 0; i < count; ++i) loop.run_once();
    }
    void pass(milliseconds time) {
        clock.advance(time);
        turn(2);
    }
    /// Fills the socket until the connection has `queued` bytes that do not go out.
    void stuff(Connection& connection, std::size_t queued) {
        const std::string block(16 * 1024, 'x');
        for (;;) {
            if (connection.queued() >= queued) return;
            connection.send_copy(block);
            sent += block;
            turn();
        }
    }

    Heard heard;
    Heard second;
    Client client;
    std::string sent;
    ManualClock clock;
    Loop loop{0, clock, kernel()};
    ConnectionSet set{loop, kLimits};
};

TEST_P(ConnectionTest, DeliversWhatCameBeforeItWasOpenedAndAfter) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    client.fd = ends[1];
    client.write("early ");
    set.open(ends[0], std::make_unique<Ear>(heard));
    turn();
    client.write("late");
    turn();
    EXPECT_EQ(heard.got, "early late");
    EXPECT_EQ(heard.opened, 1);
}

TEST_P(ConnectionTest, UnusedBytesComeAgainWithMoreBehindThemOnly) {
    Connection& connection = connect(client, heard);
    std::string calls;
    heard.on_data = [&](Connection&, std::string_view text) {
        calls += '[' + std::string{text} + ']';
        return text == "abcd" ? text.size() : std::size_t{0};
    };
    client.write("ab");
    turn();
    connection.send_copy("other work of this connection");
    turn(2);
    client.write("cd");
    turn();
    EXPECT_EQ(calls, "[ab][abcd]");
}

TEST_P(ConnectionTest, PausedReadingForgetsNothing) {
    Connection& connection = connect(client, heard);
    heard.on_data = [&](Connection& from, std::string_view text) {
        heard.got += text.front();
        if (heard.got == "a") from.pause_reading();
        return std::size_t{1};
    };
    client.write("abc");
    turn();
    client.write("def");
    client.end_writing();
    turn(3);
    EXPECT_EQ(heard.got, "a");
    EXPECT_EQ(heard.ended, 0);
    connection.resume_reading();
    turn(3);
    EXPECT_EQ(heard.got, "abcdef");
    EXPECT_EQ(heard.ended, 1);
}

TEST_P(ConnectionTest, ReadsEverythingThoughATurnReadsOnlyItsShare) {
    connect(client, heard);
    const std::string block(50'000, 'b');
    std::size_t written = 0;
    for (int i = 0; i < 100; ++i) {
        written += client.write(block);
        if (i % 3 == 0) turn();
    }
    client.end_writing();
    turn(10);
    EXPECT_EQ(heard.got.size(), written);
    EXPECT_EQ(heard.ended, 1);
}

TEST_P(ConnectionTest, WhatOneTurnSentIsRead) {
    Connection& connection = connect(client, heard);
    connection.send_copy("one ");
    connection.send(Slice::whole(ChunkRef::copy_of("two ")));
    connection.send_copy("three");
    EXPECT_EQ(client.read(), "");
    turn();
    EXPECT_EQ(client.read(), "one two three");
    EXPECT_EQ(set.queued_bytes(), 0u);
}

TEST_P(ConnectionTest, FullSocketGoesOnWhenThePeerReadsAndNothingIsLost) {
    Connection& connection = connect(client, heard);
    stuff(connection, 200 * 1024);
    EXPECT_FALSE(connection.can_take());
    EXPECT_EQ(heard.drained, 0);
    std::string got;
    for (int i = 0; i < 100 && got.size() < sent.size(); ++i) {
        got += client.read();
        turn();
    }
    EXPECT_TRUE(got == sent);
    EXPECT_EQ(heard.drained, 1);
    EXPECT_TRUE(connection.can_take());
    EXPECT_EQ(set.queued_bytes(), 0u);
}

TEST_P(ConnectionTest, SocketThatTakesNothingIsClosedAfterTheSendTime) {
    Connection& connection = connect(client, heard);
    stuff(connection, 100 * 1024);
    for (int i = 0; i < 18; ++i) pass(seconds{1});
    EXPECT_EQ(heard.closed, 0);
    for (int i = 0; i < 4; ++i) pass(seconds{1});
    EXPECT_EQ(heard.stalled, 1);
    EXPECT_EQ(heard.closed, 1);
    EXPECT_EQ(set.queued_bytes(), 0u);
}

TEST_P(ConnectionTest, SlowSocketThatTakesSomethingStays) {
    Connection& connection = connect(client, heard);
    stuff(connection, 1200 * 1024);
    std::array<char, 16 * 1024> sip;
    for (int i = 0; i < 60; ++i) {
        ASSERT_GT(::recv(client.fd, sip.data(), sip.size(), 0), 0);
        pass(seconds{1});
    }
    EXPECT_EQ(heard.closed, 0);
    EXPECT_GT(connection.queued(), 0u);
}

TEST_P(ConnectionTest, FinishSendsEverythingThenEndsThenWaitsForThePeer) {
    Connection& connection = connect(client, heard);
    stuff(connection, 100 * 1024);
    connection.finish();
    connection.send_copy("too late");
    std::string got;
    for (int i = 0; i < 100 && !client.saw_end; ++i) {
        got += client.read();
        turn();
    }
    EXPECT_TRUE(got == sent);
    EXPECT_EQ(heard.closed, 0);
    client.close();
    turn(2);
    EXPECT_EQ(heard.closed, 1);
    EXPECT_EQ(set.size(), 0u);
}

TEST_P(ConnectionTest, PeerThatEndedFirstIsClosedRightAfterTheAnswer) {
    connect(client, heard);
    heard.on_end = [](Connection& connection) {
        connection.send_copy("bye");
        connection.finish();
    };
    client.end_writing();
    turn(2);
    EXPECT_EQ(client.read(), "bye");
    EXPECT_TRUE(client.saw_end);
    EXPECT_EQ(heard.closed, 1);
}

TEST_P(ConnectionTest, AfterFinishInputIsDiscardedForAMomentOnly) {
    Connection& connection = connect(client, heard);
    connection.send_copy("no");
    connection.finish();
    turn();
    client.write("much that nobody wants");
    pass(seconds{1});
    EXPECT_EQ(heard.got, "");
    EXPECT_EQ(heard.closed, 0);
    pass(seconds{1});
    pass(seconds{1});
    EXPECT_EQ(heard.closed, 1);
}

TEST_P(ConnectionTest, AfterFinishOnlySoMuchInputIsDiscarded) {
    Connection& connection = connect(client, heard);
    connection.finish();
    turn();
    const std::string block(100'000, 'x');
    std::size_t written = 0;
    for (int i = 0; i < 50 && heard.closed == 0; ++i) {
        written += client.write(block);
        turn();
    }
    EXPECT_EQ(heard.closed, 1);
    EXPECT_LT(written, 2 * kLimits.discard.count);
}

TEST_P(ConnectionTest, PeerThatWritesBeforeItReadsTheAnswerIsNotLeftHanging) {
    Connection& connection = connect(client, heard);
    stuff(connection, 100 * 1024);
    connection.finish();
    const std::string body(900'000, 'x');
    std::size_t written = 0;
    for (int i = 0; i < 100 && written < body.size(); ++i) {
        written += client.write(std::string_view{body}.substr(written));
        turn();
    }
    EXPECT_EQ(written, body.size());
}

TEST_P(ConnectionTest, AbortFromInsideOnDataClosesAfterItReturned) {
    connect(client, heard);
    heard.on_data = [&](Connection& connection, std::string_view text) {
        connection.abort();
        EXPECT_EQ(heard.closed, 0);
        EXPECT_TRUE(connection.is_closing());
        return text.size();
    };
    client.write("x");
    turn();
    EXPECT_EQ(heard.closed, 1);
    client.read();
    EXPECT_TRUE(client.saw_end);
}

TEST_P(ConnectionTest, ResetOfThePeerIsToldOnce) {
    Connection& connection = connect(client, heard);
    connection.send_copy("unread");
    turn();
    client.close();
    turn(3);
    EXPECT_EQ(heard.closed, 1);
    EXPECT_EQ(set.size(), 0u);
}

TEST_P(ConnectionTest, NewHandlerInsideOnDataGetsTheRest) {
    connect(client, heard);
    heard.on_data = [&](Connection& connection, std::string_view) {
        connection.set_handler(std::make_unique<Ear>(second));
        return std::size_t{5};
    };
    client.write("firstsecond");
    turn();
    EXPECT_EQ(second.got, "second");
    EXPECT_EQ(second.opened, 1);
    client.close();
    turn(2);
    EXPECT_EQ(heard.closed, 0);
    EXPECT_EQ(second.ended + second.closed, 1);
}

TEST_P(ConnectionTest, NewHandlerLaterGetsWhatTheOldOneLeft) {
    Connection& connection = connect(client, heard);
    heard.on_data = [](Connection&, std::string_view) { return std::size_t{0}; };
    client.write("left over");
    turn();
    connection.set_handler(std::make_unique<Ear>(second));
    turn();
    EXPECT_EQ(second.got, "left over");
}

TEST_P(ConnectionTest, DetachedConnectionGoesOnElsewhereWithNothingLost) {
    Connection& connection = connect(client, heard);
    heard.on_data = [](Connection&, std::string_view) { return std::size_t{0}; };
    stuff(connection, 100 * 1024);
    client.write("unread ");
    turn();
    Connection::Detached detached = connection.detach();
    EXPECT_EQ(set.size(), 0u);
    EXPECT_EQ(set.queued_bytes(), 0u);
    client.write("later");
    turn();
    EXPECT_EQ(heard.closed, 0);

    Loop other{1, clock};
    ConnectionSet there{other, kLimits};
    Connection& again = there.open(std::move(detached), std::make_unique<Ear>(second));
    again.send_copy(detached.unsent);
    std::string got;
    for (int i = 0; i < 20; ++i) {
        got += client.read();
        other.run_once();
    }
    EXPECT_EQ(second.got, "unread later");
    EXPECT_TRUE(got == sent);
}

TEST_P(ConnectionTest, BytesReadElsewhereNeedNoMoreToBeDelivered) {
    connect(client, heard, "from elsewhere");
    turn();
    EXPECT_EQ(heard.got, "from elsewhere");
}

TEST_P(ConnectionTest, ClosingEverythingFromInsideOnClosedEnds) {
    Client second_client;
    connect(client, heard);
    connect(second_client, second);
    heard.on_closed = [this](Connection&) { set.close_all(); };
    client.close();
    heard.on_end = [](Connection& connection) { connection.abort(); };
    turn(2);
    EXPECT_EQ(heard.closed, 1);
    EXPECT_EQ(second.closed, 1);
    EXPECT_EQ(set.count(), 0u);
}

TEST_P(ConnectionTest, StalledOneMayCloseTheOthers) {
    Client clients[3];
    Heard ears[3];
    for (int i = 0; i < 3; ++i) stuff(connect(clients[i], ears[i]), 100 * 1024);
    ears[2].on_closed = [this](Connection&) { set.close_all(); };
    for (int i = 0; i < 22; ++i) pass(seconds{1});
    for (const Heard& ear : ears) EXPECT_EQ(ear.closed, 1);
    EXPECT_EQ(set.queued_bytes(), 0u);
}

TEST_P(ConnectionTest, SetThatEndsClosesItsConnections) {
    {
        ConnectionSet short_lived{loop, kLimits};
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        client.fd = ends[1];
        short_lived.open(ends[0], std::make_unique<Ear>(heard)).send_copy("never sent");
    }
    EXPECT_EQ(heard.closed, 1);
    turn();
    EXPECT_EQ(client.read(), "");
    EXPECT_TRUE(client.saw_end);
}

TEST_P(ConnectionTest, WithASmallerSendBufferItIsOverTheLimitUntilItHasDrained) {
    Connection& connection = connect(client, heard);
    stuff(connection, 40 * 1024);
    EXPECT_TRUE(connection.can_take());
    set.set_send_buffer(Bytes{8 * 1024});
    EXPECT_FALSE(connection.can_take());
    EXPECT_EQ(heard.drained, 0);
    while (connection.queued() != 0) {
        client.read();
        turn();
    }
    EXPECT_EQ(heard.drained, 1);
    EXPECT_TRUE(connection.can_take());
}

INSTANTIATE_TEST_SUITE_P(Kernels, ConnectionTest, testing::Values(FlushKind::kWritev, FlushKind::kIoUring),
                         [](const auto& kind) { return kind.param == FlushKind::kIoUring ? "IoUring" : "Writev"; });

}  // namespace
}  // namespace parley::rt
