#include "auth/tickets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "auth/sealed.h"
#include "cache/memory_cache.h"

namespace parley::auth {
namespace {

using testing::HasSubstr;
using testing::Not;

class TicketsTest : public testing::Test {
protected:
    Result<std::string> issue(const std::string& token) {
        Result<std::string> out;
        tickets_.issue(token, [&](Result<std::string> result) { out = std::move(result); });
        return out;
    }
    Result<std::string> redeem(const std::string& ticket) {
        Result<std::string> out;
        tickets_.redeem(ticket, [&](Result<std::string> result) { out = std::move(result); });
        return out;
    }
    ManualClock clock_;
    cache::MemoryCache cache_{clock_};
    Tickets tickets_{cache_, clock_};
};

TEST_F(TicketsTest, GivesTheTokenBackOnce) {
    const auto ticket = issue("the.token.itself");
    ASSERT_TRUE(ticket);
    EXPECT_EQ(*redeem(*ticket), "the.token.itself");
    EXPECT_EQ(redeem(*ticket).error().code, Code::kAuthInvalid);
}

TEST_F(TicketsTest, ExpiresAfterThirtySeconds) {
    const auto first = issue("a.b.c"), second = issue("a.b.c");
    clock_.advance(milliseconds{29'999});
    EXPECT_TRUE(redeem(*first));
    clock_.advance(milliseconds{1});
    EXPECT_EQ(redeem(*second).error().code, Code::kAuthInvalid);
}

TEST_F(TicketsTest, IsToldApartFromATokenAndNeverTheSame) {
    const auto ticket = issue("a.b.c");
    EXPECT_TRUE(Tickets::is_ticket(*ticket));
    EXPECT_FALSE(Tickets::is_ticket("eyJhbGciOiJIUzI1NiJ9.e30.x"));
    EXPECT_NE(*ticket, *issue("a.b.c"));
}

TEST_F(TicketsTest, RefusesWhatWasNeverIssued) {
    for (const std::string& ticket : {std::string{}, std::string{"t."}, "t." + std::string(64, 'a'),
                                      "t." + std::string(100'000, 'a'), std::string{"a.b.c"}}) {
        EXPECT_EQ(redeem(ticket).error().code, Code::kAuthInvalid);
    }
}

/// A cache whose entries can be looked at and changed, as those of a shared Redis can.
class OpenCache final : public cache::SessionCache {
public:
    void revoke(const std::string&, WallTime, UniqueFunction<void(Result<>)> done) override { done({}); }
    void is_revoked(const std::string&, UniqueFunction<void(Result<bool>)> done) override { done(false); }
    void is_any_revoked(const std::vector<std::string>&, UniqueFunction<void(Result<bool>)> done) override {
        done(false);
    }
    void put(const std::string& key, const std::string& value, WallTime, UniqueFunction<void(Result<>)> done) override {
        if (away) return done(fail(Code::kAuthUnavailable, "away"));
        entries[key] = value;
        done({});
    }
    void take(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) override {
        if (away) return done(fail(Code::kAuthUnavailable, "away"));
        const auto node = entries.extract(key);
        done(node ? std::optional{node.mapped()} : std::nullopt);
    }
    void claim(const std::string&, const std::string& value, WallTime,
               UniqueFunction<void(Result<std::string>)> done) override {
        done(value);
    }
    void get(const std::string&, UniqueFunction<void(Result<std::optional<std::string>>)> done) override {
        done(std::nullopt);
    }
    void release(const std::string&, const std::string&, UniqueFunction<void(Result<>)> done) override { done({}); }
    void spend(const std::string&, std::chrono::microseconds cost, std::chrono::microseconds,
               UniqueFunction<void(Result<std::chrono::microseconds>)> done) override {
        done(cost);
    }
    std::map<std::string, std::string> entries;
    bool away = false;
};

class TicketsInAForeignCache : public testing::Test {
protected:
    OpenCache cache_;
    ManualClock clock_;
    Tickets tickets_{cache_, clock_};
};

TEST_F(TicketsInAForeignCache, NeitherTokenNorTicketCanBeReadThere) {
    std::string ticket;
    tickets_.issue("the.secret.token", [&](const auto& result) { ticket = *result; });
    ASSERT_EQ(cache_.entries.size(), 1U);
    EXPECT_THAT(cache_.entries.begin()->second, Not(HasSubstr("secret")));
    EXPECT_THAT(cache_.entries.begin()->first, Not(HasSubstr(ticket.substr(2))));
}

TEST_F(TicketsInAForeignCache, AChangedEntryIsRefused) {
    for (const std::string& forged : {std::string{}, std::string{"the.forged.token"}, std::string(64, '\x01')}) {
        std::string ticket;
        tickets_.issue("a.b.c", [&](const auto& result) { ticket = *result; });
        cache_.entries.begin()->second = forged;
        tickets_.redeem(ticket, [](const auto& result) { EXPECT_EQ(result.error().code, Code::kAuthInvalid); });
    }
}

TEST_F(TicketsInAForeignCache, SaysThatTheCacheIsAway) {
    cache_.away = true;
    tickets_.issue("a.b.c", [](const auto& result) { EXPECT_EQ(result.error().code, Code::kAuthUnavailable); });
    tickets_.redeem("t." + std::string(64, 'a'),
                    [](const auto& result) { EXPECT_EQ(result.error().code, Code::kAuthUnavailable); });
}

TEST(Sealed, OpensOnlyWithItsKeyAndUnchanged) {
    const std::string key(32, 'k'), other(32, 'o');
    for (const std::string& text : {std::string{}, std::string{"text"}, std::string(10'000, 'x')}) {
        const std::string sealed = seal_once(key, text);
        EXPECT_EQ(open_sealed(key, sealed), text);
        EXPECT_EQ(open_sealed(other, sealed), std::nullopt);
        std::string changed = sealed;
        changed[changed.size() / 2] ^= 1;
        EXPECT_EQ(open_sealed(key, changed), std::nullopt);
        EXPECT_EQ(open_sealed(key, sealed.substr(0, sealed.size() - 1)), std::nullopt);
    }
    EXPECT_EQ(seal_once("short", "text"), "");
    EXPECT_EQ(open_sealed(key, ""), std::nullopt);
}

}  // namespace
}  // namespace parley::auth
