#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "gateway/http_session.h"

namespace parley::gateway::testing {

/// One HTTP connection over a socketpair. The test says how requests are answered.
class SocketTest : public ::testing::Test {
protected:
    ~SocketTest() override {
        if (fd >= 0) ::close(fd);
    }
    void SetUp() override {
        service.body_limit = [](const wire::HttpRequest&) { return Bytes{1024}; };
        service.date = [] { return std::string_view{"Fri, 20 Nov 2026 12:00:00 GMT"}; };
        service.serve = [this](ExchangeRef exchange) {
            paths.push_back(exchange->request().path);
            if (keeps) {
                waiting.push_back(std::move(exchange));
            } else {
                exchange->respond(200, {}, "you asked " + exchange->request().path);
            }
        };
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
        fd = ends[1];
        set.open(ends[0], std::make_unique<HttpSession>(loop, service, options, Arrival{&door}));
    }
    void turn(int count = 3) {
        for (int i = 0; i < count; ++i) loop.run_once();
    }
    void pass(milliseconds time) {
        for (; time > milliseconds{500}; time -= milliseconds{500}) {
            clock.advance(milliseconds{500});
            turn(1);
        }
        clock.advance(time);
        turn();
    }
    /// As much of `text` as goes in.
    std::size_t write(std::string_view text) {
        const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        turn();
        return n < 0 ? 0 : static_cast<std::size_t>(n);
    }
    void end_writing() {
        ::shutdown(fd, SHUT_WR);
        turn();
    }
    std::string read() {
        turn();
        std::string out;
        std::array<char, 65536> buffer{};
        for (;;) {
            const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (n == 0) saw_end = true;
            if (n <= 0) return out;
            out.append(buffer.data(), static_cast<std::size_t>(n));
        }
    }
    static std::string get(const std::string& path, const std::string& fields = {}) {
        return "GET " + path + " HTTP/1.1\r\nHost: here\r\n" + fields + "\r\n";
    }

    ManualClock clock;
    rt::Loop loop{0, clock};
    rt::ConnectionSet set{loop, {.send_buffer = Bytes{64 * 1024}}};
    HttpSession::Service service;
    HttpSession::Options options;
    const Door door{.at = {"127.0.0.1", 8080}};
    std::vector<std::string> paths;
    std::vector<ExchangeRef> waiting;
    bool keeps = false;  ///< requests are answered later, by the test
    bool saw_end = false;
    int fd = -1;
};

}  // namespace parley::gateway::testing
