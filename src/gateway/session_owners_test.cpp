#include "gateway/session_owners.h"

#include <gtest/gtest.h>

#include "cache/memory_cache.h"

namespace parley::gateway {
namespace {

/// Two servers of a fleet, each with one loop.
class SessionOwnersTest : public testing::Test {
protected:
    using Found = Result<std::optional<Owner>>;
    static FleetPlace place(std::uint64_t server, cache::SessionCache& cache) {
        return {{server, {.host = "10.0.0.1", .port = 7400}}, cache, RelayWords{{"key"}}};
    }
    template <class Ask>
    std::uint64_t owner(Ask ask) {
        std::optional<Found> found;
        ask([&](Found answer) { found = std::move(answer); });
        loop.run_once();
        if (!found || !*found) return 404;
        return **found ? (**found)->server : 0;
    }
    std::uint64_t find(SessionOwners& at) {
        return owner([&](auto then) { at.find("/ws-chat/s", std::move(then)); });
    }
    std::uint64_t claim(SessionOwners& at) {
        return owner([&](auto then) { at.claim("/ws-chat/s", std::move(then)); });
    }
    void pass(seconds time, SessionOwners& alive) {
        for (; time > seconds{0}; time -= seconds{1}) {
            clock.advance(seconds{1});
            loop.run_once();
            alive.on_second();
        }
    }

    ManualClock clock;
    rt::Loop loop{0, clock};
    cache::MemoryCache cache{clock};
    FleetPlace one_place = place(1, cache);
    FleetPlace two_place = place(2, cache);
    SessionOwners one{loop, &one_place};
    std::optional<SessionOwners> two{std::in_place, loop, &two_place};
};

TEST_F(SessionOwnersTest, TheFirstClaimWinsAndTheOthersHearWho) {
    EXPECT_EQ(find(one), 0U);
    EXPECT_EQ(claim(one), 0U);
    EXPECT_EQ(claim(*two), 1U);
    EXPECT_EQ(find(*two), 1U);
    EXPECT_EQ(find(one), 0U) << "its own";
    one.release("/ws-chat/s");
    EXPECT_EQ(claim(*two), 0U);
}

TEST_F(SessionOwnersTest, WhatIsHeldIsHeldAsLongAsItsServerLives) {
    EXPECT_EQ(claim(one), 0U);
    pass(10 * SessionOwners::kHolds, one);
    EXPECT_EQ(find(*two), 1U);
    pass(SessionOwners::kHolds, *two);
    EXPECT_EQ(find(*two), 0U) << "a server that says nothing has died";
}

TEST_F(SessionOwnersTest, AServerThatEndsLetsGoOfAll) {
    EXPECT_EQ(claim(*two), 0U);
    two.reset();
    EXPECT_EQ(find(one), 0U);
    EXPECT_EQ(cache.size(), 0U);
}

TEST_F(SessionOwnersTest, WhoDoesNotAnswerIsLetGoUnlessAnotherHasTheSessionAlready) {
    EXPECT_EQ(claim(one), 0U);
    two->let_go("/ws-chat/s", {3, one_place.self.at});
    EXPECT_EQ(find(*two), 1U);
    two->let_go("/ws-chat/s", one_place.self);
    EXPECT_EQ(find(*two), 0U);
}

TEST_F(SessionOwnersTest, NamesOfSessionsAreNotInTheCacheAndWhatIsNoOwnerIsAnError) {
    EXPECT_EQ(claim(one), 0U);
    bool has_name = false;
    cache.get("sockjs:/ws-chat/s", [&](auto value) { has_name = value->has_value(); });
    EXPECT_FALSE(has_name);
    EXPECT_EQ(cache.size(), 1U);
    for (const char* text : {"", "1 ", "1 5", "1 x 10.0.0.1:1", "1 5 10.0.0.1:99999", "1 5 host:1", "2 5 10.0.0.1:1"}) {
        EXPECT_FALSE(parse_owner(text)) << text;
    }
    const auto owner = parse_owner(owner_text({77, {.host = "2001:db8::7", .port = 7400}}));
    ASSERT_TRUE(owner);
    EXPECT_EQ(owner->server, 77U);
    EXPECT_EQ(owner->at.text(), "[2001:db8::7]:7400");
}

TEST_F(SessionOwnersTest, AServerThatIsAloneAsksNobody) {
    SessionOwners alone{loop, nullptr};
    bool answered = false;
    alone.claim("s", [&](Found owner) { answered = owner && !*owner; });
    EXPECT_TRUE(answered);
    alone.release("s");
    EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace parley::gateway
