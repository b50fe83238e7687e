#pragma once
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/gateway_fixture.h"
#include "wire/http_parser.h"

namespace parley::gateway::testing {

/// Requests to a whole core, each over a socketpair of its own: for answers that stay open.
class LiveTest : public GatewayTest {
protected:
    /// One connection and what came over it.
    struct Line {
        ~Line() {
            if (fd >= 0) ::close(fd);
        }
        void hang_up() {
            ::close(fd);
            fd = -1;
        }
        int fd = -1;
        bool ended = false;
    };

    void TearDown() override {
        lines.clear();
        GatewayTest::TearDown();
    }
    std::string token(const std::string& member, milliseconds ttl = std::chrono::hours{1}) {
        auth::Claims claims;
        claims.member = MemberId::trusted(member);
        claims.nickname = member;
        return *keys.sign(claims, clock.wall(), ttl);
    }
    std::string get(const std::string& path_and_query, const std::string& member, const std::string& fields = {},
                    int minor = 1) {
        return "GET " + path_and_query + " HTTP/1." + std::to_string(minor) + "\r\nHost: localhost\r\n" +
               (member.empty() ? "" : "Authorization: Bearer " + token(member) + "\r\n") + fields + "\r\n";
    }
    Line& ask(const std::string& path_and_query, const std::string& member = "u-1", const std::string& fields = {},
              int minor = 1) {
        return send(get(path_and_query, member, fields, minor));
    }
    enum class Then : bool { kStays, kCloses };
    Line& send(const std::string& request, Then then = Then::kStays) {
        Line& line = begin(request, then);
        turn();
        return line;
    }
    /// Without a turn: what comes next comes at the same time.
    Line& begin(const std::string& request, Then then = Then::kStays) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
        lines.push_back(std::make_unique<Line>());
        lines.back()->fd = ends[1];
        if (then == Then::kCloses) ::shutdown(ends[1], SHUT_WR);
        wire::HttpRequestParser parser;
        auto read = parser.feed(request);
        if (read.step == wire::HttpStep::kHead) read = parser.feed(std::string_view{request}.substr(read.consumed));
        EXPECT_EQ(read.step, wire::HttpStep::kDone) << parser.fault().text;
        core->adopt({ends[0], {}, {}}, parser.take_request(), {at});
        return *lines.back();
    }
    /// What has come since the last call.
    std::string heard(Line& line) {
        turn();
        std::string out;
        std::array<char, 65536> buffer{};
        for (;;) {
            const ssize_t n = ::recv(line.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (n == 0) line.ended = true;
            if (n <= 0) return out;
            out.append(buffer.data(), static_cast<std::size_t>(n));
            turn();
        }
    }
    /// The status of an answer and its body.
    static int status(const std::string& answer) { return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3)); }
    static std::string body(const std::string& answer) {
        const auto at = answer.find("\r\n\r\n");
        return at == std::string::npos ? std::string{} : answer.substr(at + 4);
    }
    static std::string field(const std::string& answer, const std::string& name) {
        const auto at = answer.find("\r\n" + name + ": ");
        if (at == std::string::npos) return {};
        const auto from = at + name.size() + 4;
        return answer.substr(from, answer.find("\r\n", from) - from);
    }

    const Door door{.at = {"127.0.0.1", 8080}};
    const Door* at = &door;  ///< where the next request comes in
    std::vector<std::unique_ptr<Line>> lines;
};

}  // namespace parley::gateway::testing
