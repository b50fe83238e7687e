#include "gateway/health_door.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/clock.h"
#include "gateway/health.h"

namespace parley::gateway {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HealthDoorTest : public ::testing::Test {
protected:
    void SetUp() override {
        const auto at = rt::claim({"127.0.0.1", 0});
        ASSERT_TRUE(at);
        port = at->port;
        auto opened = HealthDoor::open(loop, {.at = *at}, {[this] { return state; }, registry});
        ASSERT_TRUE(opened);
        door = std::move(*opened);
    }
    void TearDown() override {
        for (const int fd : clients) ::close(fd);
    }
    void turn() {
        for (int i = 0; i < 8; ++i) loop.run_once();
    }
    int connect() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        clients.push_back(fd);
        turn();
        return fd;
    }
    std::string ask(int fd, const std::string& line, const std::string& host = "localhost") {
        const std::string request = line + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
        EXPECT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
        turn();
        std::array<char, 65536> buffer{};
        const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
        return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
    }

    ManualClock clock;
    rt::Loop loop{0, clock};
    metrics::Registry registry;
    Services::Readiness state{true, R"({"status":"READY"})"};
    std::unique_ptr<HealthDoor> door;
    std::uint16_t port = 0;
    std::vector<int> clients;
};

TEST_F(HealthDoorTest, TellsHealthReadinessAndMetricsAndNothingElse) {
    registry.counter("parley_test_total", "Of this test").add();
    const int fd = connect();
    EXPECT_THAT(ask(fd, "GET /health"), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith(R"({"status":"UP"})")));
    EXPECT_THAT(ask(fd, "GET /ready"), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith(R"({"status":"READY"})")));
    EXPECT_THAT(ask(fd, "GET /metrics"), AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("parley_test_total 1")));
    EXPECT_THAT(ask(fd, "GET /admin/api/members"), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(ask(fd, "DELETE /ready"), AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD")));
}

TEST_F(HealthDoorTest, WhoIsNotReadySaysWhyAndWhenToComeBack) {
    state = not_ready(Code::kDraining, "the worker is shutting down");
    EXPECT_THAT(ask(connect(), "GET /ready"), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 2"),
                                                    HasSubstr("SERVER_DRAINING"), HasSubstr("is shutting down")));
}

TEST_F(HealthDoorTest, OnLoopbackHostNamesThisMachine) {
    EXPECT_THAT(ask(connect(), "GET /metrics", "elsewhere.example"), StartsWith("HTTP/1.1 403 "));
}

TEST_F(HealthDoorTest, WhoComesAboveTheLimitIsClosed) {
    for (int i = 0; i < 64; ++i) connect();
    char byte = 0;
    EXPECT_EQ(::recv(connect(), &byte, 1, MSG_DONTWAIT), 0);
    EXPECT_THAT(ask(clients.front(), "GET /health"), StartsWith("HTTP/1.1 200 "));
    ::close(clients.front());
    clients.erase(clients.begin());
    turn();
    EXPECT_THAT(ask(connect(), "GET /health"), StartsWith("HTTP/1.1 200 "));
}

TEST(Health, ReadyNamesWhatIsAwayAndHowFarReadersAre) {
    const log::ReaderLags lags = [] {
        return std::make_shared<const std::vector<log::ReaderLag>>(
            std::vector<log::ReaderLag>{{"sender", {0, 2}}, {"analytics", {}}});
    };
    const auto some = ready({"db-writer"}, false, lags);
    EXPECT_TRUE(some.ready);
    EXPECT_EQ(some.json, R"({"status":"READY","degraded":["db-writer"],"lag":{"sender":2}})");
    const auto strict = ready({"db-writer"}, true, [] { return nullptr; });
    EXPECT_FALSE(strict.ready);
    EXPECT_EQ(strict.json, R"({"status":"DEGRADED","degraded":["db-writer"]})");
}

}  // namespace
}  // namespace parley::gateway
