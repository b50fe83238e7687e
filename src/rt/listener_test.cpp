#include "rt/listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "rt/connection.h"

namespace parley::rt {
namespace {

TEST(Endpoint, ReadsHostAndPort) {
    const auto v4 = Endpoint::parse("0.0.0.0:8080");
    ASSERT_TRUE(v4);
    EXPECT_EQ(v4->text(), "0.0.0.0:8080");
    EXPECT_FALSE(v4->is_loopback());
    const auto v6 = Endpoint::parse("[::1]:0");
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->text(), "[::1]:0");
    EXPECT_TRUE(v6->is_loopback());
    EXPECT_TRUE(Endpoint::parse("localhost:80")->is_loopback());
}

TEST(Endpoint, RefusesWhatIsNoAddress) {
    for (const char* text : {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",
                             "127.0.0.1:80 ", "example.org:80", "256.0.0.1:80", ":80", "[::1:80"}) {
        EXPECT_FALSE(Endpoint::parse(text)) << text;
    }
}

class ListenerTest : public testing::Test {
protected:
    void TearDown() override {
        for (const int fd : clients) ::close(fd);
        for (const int fd : accepted) ::close(fd);
    }
    std::unique_ptr<Listener> listen(Loop& on) {
        auto listener = Listener::open(on, endpoint, [this](int fd) { accepted.push_back(fd); });
        EXPECT_TRUE(listener) << (listener ? "" : listener.error().message);
        return std::move(*listener);
    }
    void connect() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(endpoint.port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        clients.push_back(fd);
    }

    ManualClock clock;
    Loop loop{0, clock};
    Endpoint endpoint = *claim({"127.0.0.1", 0});
    std::vector<int> accepted;
    std::vector<int> clients;
};

TEST_F(ListenerTest, ClaimGivesTheRealPort) { EXPECT_NE(endpoint.port, 0); }

TEST_F(ListenerTest, AcceptsAllThatWaitInOneTurn) {
    const auto listener = listen(loop);
    for (int i = 0; i < 5; ++i) connect();
    loop.run_once();
    EXPECT_EQ(accepted.size(), 5u);
}

TEST_F(ListenerTest, TwoLoopsShareAPortButNobodyElseCanClaimIt) {
    Loop other{1, clock};
    const auto first = listen(loop);
    const auto second = listen(other);
    EXPECT_FALSE(claim(endpoint));
}

TEST_F(ListenerTest, EndedListenerRefusesAndFreesThePort) {
    listen(loop).reset();
    EXPECT_TRUE(claim(endpoint));
}

TEST_F(ListenerTest, OutOfDescriptorsIsTriedAgain) {
    const auto listener = listen(loop);
    connect();
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int next = ::dup(0);  // every number below is taken
    ::close(next);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(next);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    loop.run_once();
    EXPECT_EQ(accepted.size(), 0u);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    clock.advance(milliseconds{150});
    loop.run_once();
    EXPECT_EQ(accepted.size(), 1u);
}

TEST_F(ListenerTest, ConnectionKnowsItsPeersAddress) {
    struct Nothing final : Connection::Handler {
        std::size_t on_data(Connection&, std::span<char> bytes) override { return bytes.size(); }
        void on_closed(Connection&) override {}
    };
    ConnectionSet set{loop, {}};
    const auto listener = listen(loop);
    connect();
    loop.run_once();
    ASSERT_EQ(accepted.size(), 1u);
    EXPECT_EQ(set.open(::dup(accepted[0]), std::make_unique<Nothing>()).peer_address(), "127.0.0.1");
}

}  // namespace
}  // namespace parley::rt
