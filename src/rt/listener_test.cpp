#include "rt/listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/temp_dir.h"
#include "rt/connection.h"

namespace parley::rt {
namespace {

TEST(Endpoint, KnowsWhatOnlyThisMachineReaches) {
    const auto v4 = Endpoint::of("0.0.0.0", 8080);
    ASSERT_TRUE(v4);
    EXPECT_EQ(v4->text(), "0.0.0.0:8080");
    EXPECT_FALSE(v4->is_loopback());
    const auto v6 = Endpoint::of("::1", 0);
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->text(), "[::1]:0");
    EXPECT_TRUE(v6->is_loopback());
    EXPECT_TRUE(Endpoint::of("localhost", 80)->is_loopback());
    EXPECT_FALSE((Endpoint{.path = "/run/parley.sock"}.is_loopback()));
    EXPECT_EQ((Endpoint{.path = "/run/parley.sock"}.text()), "unix:/run/parley.sock");
}

TEST(Endpoint, RefusesWhatIsNoAddress) {
    for (const char* host : {"", "example.org", "256.0.0.1", "127.0.0.1 "})
        EXPECT_FALSE(Endpoint::of(host, 80)) << host;
}

class ListenerTest : public testing::Test {
protected:
    void TearDown() override {
        for (const int fd : clients) ::close(fd);
        for (const int fd : accepted) ::close(fd);
    }
    std::unique_ptr<Listener> listen(Loop& on) {
        auto listener = Listener::open(
            on, endpoint, [this](int fd) { accepted.push_back(fd); }, "come back later");
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

    static int lowest_free_descriptor() {
        const int fd = ::dup(0);
        ::close(fd);
        return fd;
    }
    static std::string read_all(int fd) {
        std::string text(1000, 0);
        const ssize_t n = ::recv(fd, text.data(), text.size(), 0);
        text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
        return text;
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

TEST_F(ListenerTest, TakesAStormInSeveralTurns) {
    const auto listener = listen(loop);
    for (int i = 0; i < 200; ++i) connect();
    loop.run_once();
    EXPECT_LT(accepted.size(), 100u);
    for (int i = 0; i < 6; ++i) loop.run_once();
    EXPECT_EQ(accepted.size(), 200u);
}

TEST_F(ListenerTest, WithoutADescriptorItTellsThatItIsBusy) {
    const auto listener = listen(loop);
    for (int i = 0; i < 3; ++i) connect();
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(lowest_free_descriptor());
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    loop.run_once();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(accepted.size(), 0u);
    for (const int fd : clients) EXPECT_EQ(read_all(fd), "come back later");
    connect();
    clock.advance(milliseconds{150});
    loop.run_once();
    EXPECT_EQ(accepted.size(), 1u);
}

TEST_F(ListenerTest, WithoutADescriptorToCloseItTriesAgainLater) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const auto listener = listen(loop);
    connect();
    rlimit none = before;
    none.rlim_cur = 0;  // not even the one that was kept can be opened again
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    loop.run_once();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    connect();
    clock.advance(milliseconds{150});
    loop.run_once();
    EXPECT_EQ(accepted.size(), 2u);
}

TEST_F(ListenerTest, AloneOnItsPortItSharesWithNobody) {
    Loop other{1, clock};
    const auto alone = Listener::open(
        loop, endpoint, [](int) {}, {}, Listener::Port::kAlone);
    ASSERT_TRUE(alone);
    EXPECT_FALSE(Listener::open(other, endpoint, [](int) {}));
}

TEST_F(ListenerTest, AStalledPeerHoldsLittleOfTheKernelsMemory) {
    const auto listener = listen(loop);
    connect();
    loop.run_once();
    const std::string block(64 * 1024, 'x');
    std::size_t taken = 0;
    for (ssize_t n = 0; (n = ::send(accepted.at(0), block.data(), block.size(), MSG_DONTWAIT)) > 0;) {
        taken += static_cast<std::size_t>(n);
    }
    int unsent = 0;
    ASSERT_EQ(::ioctl(accepted[0], SIOCOUTQNSD, &unsent), 0);
    EXPECT_LE(unsent, 256 * 1024) << taken;
}

TEST_F(ListenerTest, TheKernelGivesUpOnAPeerThatAcknowledgesNothing) {
    const auto listener = listen(loop);
    connect();
    loop.run_once();
    give_up_after(accepted.at(0), milliseconds{1234});
    int time = 0;
    socklen_t size = sizeof time;
    ASSERT_EQ(::getsockopt(accepted[0], IPPROTO_TCP, TCP_USER_TIMEOUT, &time, &size), 0);
    EXPECT_EQ(time, 1234);
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

class UnixListenerTest : public testing::Test {
protected:
    auto listen() {
        return Listener::open(loop, endpoint, [this](int fd) { set.open(fd, std::make_unique<Quiet>()); });
    }
    [[nodiscard]] bool connect() {
        client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        endpoint.path.copy(address.sun_path, sizeof address.sun_path - 1);
        return ::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    void TearDown() override {
        if (client >= 0) ::close(client);
    }
    /// Remembers who connected.
    struct Quiet final : Connection::Handler {
        static inline std::string peer;
        void on_open(Connection& connection) override { peer = connection.peer_address(); }
        std::size_t on_data(Connection&, std::span<char> bytes) override { return bytes.size(); }
        void on_closed(Connection&) override {}
    };

    ManualClock clock;
    Loop loop{0, clock};
    ConnectionSet set{loop, {}};
    TempDir dir;
    Endpoint endpoint{.path = dir.path() + "/socket", .mode = 0622};
    int client = -1;
};

TEST_F(UnixListenerTest, TakesConnectionsAndItsFileGoesWithIt) {
    ASSERT_TRUE(claim(endpoint));
    auto listener = listen();
    ASSERT_TRUE(listener) << listener.error().message;
    struct stat file {};
    ASSERT_EQ(::stat(endpoint.path.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0622U);
    ASSERT_TRUE(connect());
    loop.run_once();
    EXPECT_EQ(Quiet::peer, "unix:");
    listener->reset();
    EXPECT_NE(::stat(endpoint.path.c_str(), &file), 0);
}

TEST_F(UnixListenerTest, TheFileOfADeadServerIsReplaced) {
    const int dead = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    endpoint.path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(dead);
    EXPECT_TRUE(claim(endpoint));
    EXPECT_TRUE(listen());
}

TEST_F(UnixListenerTest, AServerThatLivesAndAFileThatIsNoSocketAreLeftAlone) {
    const auto listener = listen();
    ASSERT_TRUE(listener);
    EXPECT_THAT(claim(endpoint).error().message, testing::HasSubstr("another process listens there"));
    endpoint.path += ".txt";
    std::ofstream{endpoint.path} << "mine";
    EXPECT_THAT(claim(endpoint).error().message, testing::HasSubstr("no socket"));
    EXPECT_TRUE(std::filesystem::exists(endpoint.path));
    endpoint.path = "/" + std::string(200, 'x');
    EXPECT_THAT(listen().error().message, testing::HasSubstr("too long"));
}

}  // namespace
}  // namespace parley::rt
