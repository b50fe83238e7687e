#include "bench/line.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>

namespace parley::bench {
namespace {

/// A line to a listening socket of ours, connected.
struct LineTest : testing::Test {
    void SetUp() override {
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        socklen_t size = sizeof address;
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
        ASSERT_EQ(::listen(listener, 1), 0);
        sockaddr_storage to{};
        reinterpret_cast<sockaddr_in&>(to) = address;
        ASSERT_EQ(line.open(to, sizeof address, 0, Line::Wire::kPlain), "");
        peer = ::accept(listener, nullptr, nullptr);
        ASSERT_GE(peer, 0);
    }
    ~LineTest() override {
        ::close(peer);
        ::close(listener);
        ::close(epoll);
    }
    void say(const char* text) {
        line.out += text;
        EXPECT_EQ(line.on_writable(), "");
        std::array<char, 64> heard{};
        EXPECT_GT(::recv(peer, heard.data(), heard.size(), 0), 0);
    }
    void answer() { EXPECT_EQ(::send(peer, "answer", 6, 0), 6); }
    void read() {
        epoll_event event{};
        do {
            ASSERT_EQ(::epoll_wait(epoll, &event, 1, 5000), 1);
        } while ((event.events & EPOLLIN) == 0);
        EXPECT_EQ(line.read(scratch, 64).got, 6U);
    }
    /// Whether the line has not acknowledged all of what was said to it.
    [[nodiscard]] bool is_waiting() const {
        tcp_info info{};
        socklen_t size = sizeof info;
        ::getsockopt(peer, IPPROTO_TCP, TCP_INFO, &info, &size);
        return info.tcpi_unacked != 0;
    }

    int epoll = ::epoll_create1(0);
    int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    int peer = -1;
    sockaddr_in address{};
    std::vector<char> scratch;
    Line line{epoll, 1};
};

TEST_F(LineTest, AcknowledgesWhatItReadsWhenItIsReadAndNotBefore) {
    answer();
    EXPECT_FALSE(is_waiting()) << "a new connection acknowledges what arrives";
    read();
    line.acknowledge_what_is_read();
    for (int i = 0; i < 3; ++i) {
        for (int round = 0; round < 3; ++round) {
            answer();
            EXPECT_TRUE(is_waiting());
            read();
            EXPECT_FALSE(is_waiting());
        }
        say("and again");
    }
}

}  // namespace
}  // namespace parley::bench
