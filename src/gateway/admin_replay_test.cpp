#include "gateway/live_fixture.h"

namespace parley::gateway::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// An operator, and a source whose pages the test writes down.
class AdminReplay : public LiveTest {
protected:
    using Page = ReplaySource::Page;

    AdminReplay() { options.admin_token = "secret"; }
    void SetUp() override {
        LiveTest::SetUp();
        at = &operators_door;
        services->open_replay = [this](const ReplayRange& range) -> Result<std::unique_ptr<ReplaySource>> {
            asked = range;
            if (refusal) return fail(*refusal);
            return std::make_unique<Source>(*this);
        };
    }
    Line& replay(const std::string& query, const std::string& method = "GET", const std::string& given = "secret") {
        return send(method + " /admin/api/replay?" + query + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                    given + "\r\n\r\n");
    }
    void pages(std::size_t count, std::size_t bytes) {
        for (std::size_t i = 1; i <= count; ++i) to_come.emplace_back(Page{std::string(bytes, 'x'), i == count});
    }
    /// What is sent of two hundred pages of 100 000 bytes before somebody reads.
    Line& stalled() {
        pages(200, 100'000);
        return replay("partition=0");
    }

    const Door operators_door{.at = {"127.0.0.1", 9090}, .for_operators = true};
    std::optional<Error> refusal;
    ReplayRange asked;
    std::deque<Result<Page>> to_come;
    std::size_t read = 0;
    int ended = 0;

private:
    struct Source final : ReplaySource {
        explicit Source(AdminReplay& test) : of(test), pages(std::exchange(test.to_come, {})) {}
        ~Source() override { ++of.ended; }
        Result<Page> read() override {
            ++of.read;
            auto page = std::move(pages.front());
            pages.pop_front();
            return page;
        }
        AdminReplay& of;
        std::deque<Result<Page>> pages;
    };
};

TEST_F(AdminReplay, IsTheOperatorsAlone) {
    for (const std::string wrong : {"", "secreT"}) EXPECT_EQ(status(heard(replay("partition=0", "GET", wrong))), 401);
    EXPECT_THAT(heard(replay("partition=0", "POST")), HasSubstr("Allow: GET, HEAD\r\n"));
    at = &door;
    EXPECT_EQ(status(heard(replay("partition=0"))), 404) << "the main listener";
    at = &operators_door;
    services->open_replay = nullptr;
    EXPECT_EQ(status(heard(replay("partition=0"))), 404) << "nothing to replay";
    EXPECT_EQ(read, 0U);
}

TEST_F(AdminReplay, WhatIsNoRangeIsRefusedByTheParametersName) {
    for (const auto& [query, word] : std::vector<std::pair<std::string, std::string>>{
             {"", "partition or from-time is missing"},
             {"partition=x", "partition must be"},
             {"partition=-1", "partition must be"},
             {"partition=0&from-offset=", "from-offset must be"},
             {"partition=0&to-offset=1.5", "to-offset must be"},
             {"partition=0&from-offset=5&to-offset=4", "to-offset"},
             {"from-time=soon", "from-time must be"},
             {"from-offset=1", "partition"},
             {"from-time=2026-11-20&to-offset=1", "partition"},
             {"partition=0&from-time=2026-11-20&from-offset=1", "from-time"},
             {"partition=%", "percent-encoding"}}) {
        const std::string answer = heard(replay(query));
        EXPECT_EQ(status(answer), 400) << query;
        EXPECT_THAT(answer, HasSubstr("BAD_REQUEST")) << query;
        EXPECT_THAT(answer, HasSubstr(word)) << query;
    }
    EXPECT_EQ(services->replays, 0U);
    EXPECT_EQ(read, 0U);
}

TEST_F(AdminReplay, TheRangeGoesToTheSourceAndItsPagesToTheOperator) {
    to_come = {Page{"{1}\n{2}\n"}, Page{}, Page{"{3}\n", true}};
    const std::string answer = heard(replay("partition=7&from-offset=3&to-offset=9"));
    EXPECT_EQ(status(answer), 200);
    EXPECT_EQ(field(answer, "Content-Type"), "application/x-ndjson; charset=utf-8");
    EXPECT_EQ(body(answer), "8\r\n{1}\n{2}\n\r\n4\r\n{3}\n\r\n0\r\n\r\n");
    EXPECT_EQ(asked.partition, 7U);
    EXPECT_EQ(asked.from_offset, 3U);
    EXPECT_EQ(asked.to_offset, 9U);
    EXPECT_EQ(asked.from_time, std::nullopt);
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(services->replays, 0U);

    to_come = {Page{"", true}};
    EXPECT_EQ(body(heard(replay("from-time=1970-01-01T00:00:01Z"))), "0\r\n\r\n");
    EXPECT_EQ(asked.from_time, WallTime{seconds{1}});
    EXPECT_EQ(asked.partition, std::nullopt);
}

TEST_F(AdminReplay, HeadIsAnsweredWithoutABodyAndReadsNoFurther) {
    pages(3, 10);
    EXPECT_THAT(heard(replay("partition=0", "HEAD")), EndsWith("\r\n\r\n"));
    EXPECT_EQ(read, 1U);
    EXPECT_EQ(ended, 1);
}

TEST_F(AdminReplay, WhatTheSourceRefusesIsTheAnswer) {
    refusal = Error{Code::kBadRequest, "partition: there is no such"};
    const std::string answer = heard(replay("partition=99999999999"));
    EXPECT_EQ(status(answer), 400);
    EXPECT_THAT(answer, HasSubstr("partition: there is no such"));
    EXPECT_EQ(asked.partition, UINT32_MAX);
    refusal = Error{Code::kStoreUnavailable, "no broker answers"};
    EXPECT_EQ(field(heard(replay("partition=0")), "Retry-After"), "1");
    EXPECT_EQ(services->replays, 0U);
}

TEST_F(AdminReplay, IsReadOnOnlyAsTheConnectionDrains) {
    Line& line = stalled();
    EXPECT_LT(core->connections().queued_bytes(), options.send_buffer.count + 128 * 1024);
    EXPECT_LT(read, 100U);
    std::string all;
    while (all.find("\r\n0\r\n\r\n") == std::string::npos) {
        const std::string more = heard(line);
        ASSERT_FALSE(more.empty());
        all += more;
    }
    EXPECT_EQ(std::ranges::count(all, 'x') - std::ranges::count(all.substr(0, all.find("\r\n\r\n")), 'x'), 20'000'000);
    EXPECT_EQ(read, 200U);
}

TEST_F(AdminReplay, EndsWhenTheClientGoesAway) {
    stalled().hang_up();
    turn();
    EXPECT_LT(read, 200U);
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(services->replays, 0U);

    pages(200, 100'000);
    Line& early =
        begin("GET /admin/api/replay?partition=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n");
    loop.run_once();
    early.hang_up();
    turn();
    EXPECT_EQ(ended, 2);
}

TEST_F(AdminReplay, TroubleInTheMiddleCutsTheAnswerOff) {
    to_come = {Page{"{1}\n"}, fail(Code::kStoreUnavailable, "no broker answers")};
    Line& line = replay("partition=0");
    const std::string answer = heard(line);
    EXPECT_THAT(answer, Not(EndsWith("0\r\n\r\n")));
    EXPECT_TRUE(line.ended);
    EXPECT_EQ(ended, 1);
}

TEST_F(AdminReplay, TwoAtOnceAreServedAndAThirdWhenOneHasGone) {
    Line& first = stalled();
    stalled();
    const std::string refused = heard(replay("partition=0"));
    EXPECT_EQ(status(refused), 503);
    EXPECT_THAT(refused, HasSubstr("SERVER_FULL"));
    EXPECT_EQ(field(refused, "Retry-After"), "5");
    first.hang_up();
    turn();
    pages(1, 10);
    EXPECT_EQ(status(heard(replay("partition=0"))), 200);
}

TEST_F(AdminReplay, HoldsUpNoEndOfTheServerOnceItHasBegun) {
    stalled();
    EXPECT_EQ(services->calls, 0U);
    EXPECT_EQ(services->replays, 1U);
    services->draining = true;
    EXPECT_THAT(heard(replay("partition=0")), HasSubstr("SERVER_DRAINING"));
    core.reset();
    turn();
    EXPECT_EQ(ended, 1) << "cut off";
}

}  // namespace
}  // namespace parley::gateway::testing
