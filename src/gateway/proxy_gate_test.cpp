#include "gateway/proxy_gate.h"

#include <gmock/gmock.h>

#include "base/logger.h"
#include "gateway/gateway_fixture.h"

namespace parley::gateway {
namespace {

using ::testing::HasSubstr;

/// Connections by a door whose connections begin with a PROXY header; Unix sockets are trusted.
class ProxyGateTest : public testing::GatewayTest {
protected:
    void SetUp() override {
        options.proxies = *wire::TrustedProxies::parse({"unix:"});
        GatewayTest::SetUp();
    }
    void TearDown() override {
        if (fd >= 0) ::close(fd);
        GatewayTest::TearDown();
    }
    void connect() {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
        fd = ends[1];
        core->connections().open(ends[0], std::make_unique<ProxyGate>(*core, door));
        turn();
    }
    void write(std::string_view bytes) {
        ASSERT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
        turn();
    }
    std::string read() {
        std::string out(64 * 1024, '\0');
        const ssize_t n = ::recv(fd, out.data(), out.size(), MSG_DONTWAIT);
        ended = n == 0 || (n < 0 && errno == ECONNRESET);
        out.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
        return out;
    }
    std::uint64_t refused() { return counters.proxy_headers_refused.value(); }

    const Door door{.at = {"127.0.0.1", 8080}, .proxy_protocol = true};
    int fd = -1;
    bool ended = false;
};

const std::string kHeader = "PROXY TCP4 198.51.100.7 10.0.0.1 49153 443\r\n";
// A loopback door judges Host; behind a proxy it is the proxy's clients' Host.
const std::string kRequest = "GET /health HTTP/1.1\r\nHost: chat.example\r\n\r\n";

TEST_F(ProxyGateTest, HttpFollowsTheHeaderInTheSamePieceOrInAnother) {
    connect();
    write(kHeader + kRequest);
    EXPECT_THAT(read(), HasSubstr("200 OK"));
    ::close(fd);
    connect();
    for (const char byte : kHeader) write({&byte, 1});
    write(kRequest);
    EXPECT_THAT(read(), HasSubstr("200 OK"));
    EXPECT_EQ(refused(), 0U);
}

TEST_F(ProxyGateTest, ABadHeaderClosesWithoutAnAnswerAndTheLogSaysSoOnceASecond) {
    const logger::Capture lines;
    for (const std::string& bytes : {kRequest, std::string{"PROXY TCP4 x y 1 2\r\n"}}) {
        connect();
        write(bytes);
        EXPECT_EQ(read(), "");
        EXPECT_TRUE(ended);
        ::close(fd);
    }
    EXPECT_EQ(refused(), 2U);
    pass(seconds{3});
    EXPECT_THAT(lines.text(), HasSubstr("connections without a good PROXY header were closed"));
    EXPECT_THAT(lines.text(), HasSubstr(R"("count":2)"));
}

TEST_F(ProxyGateTest, AHeaderThatDoesNotComeInTimeCloses) {
    connect();
    write("PROXY TCP4 ");
    pass(options.handshake_time + seconds{1});
    EXPECT_EQ(read(), "");
    EXPECT_TRUE(ended);
    EXPECT_EQ(refused(), 1U);
}

TEST_F(ProxyGateTest, AnEndBeforeTheHeaderIsCounted) {
    connect();
    ::shutdown(fd, SHUT_WR);
    turn();
    EXPECT_EQ(refused(), 1U);
}

/// Nobody is trusted.
class ClosedProxyGateTest : public ProxyGateTest {
protected:
    void SetUp() override { GatewayTest::SetUp(); }
};

TEST_F(ClosedProxyGateTest, WhoIsNoTrustedProxyIsClosedBeforeAnythingIsRead) {
    connect();
    EXPECT_EQ(read(), "");
    EXPECT_TRUE(ended);
    EXPECT_EQ(refused(), 1U);
}

}  // namespace
}  // namespace parley::gateway
