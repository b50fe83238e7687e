#include "auth/token_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <set>

#include "auth/tickets.h"
#include "cache/memory_cache.h"

namespace parley::auth {
namespace {

using store::Account;
using testing::_;
using testing::NiceMock;

/// Holds revocations and accounts in memory; everything else is not asked for.
class FakeDirectory : public store::Directory {
public:
    FakeDirectory() {
        ON_CALL(*this, is_token_revoked(_)).WillByDefault([this](const std::string& hash) -> Result<bool> {
            ++reads;
            if (away) return fail(Code::kStoreUnavailable, "away");
            return tokens.contains(hash);
        });
        ON_CALL(*this, revoke_token(_, _)).WillByDefault([this](const std::string& hash, WallTime) -> Result<> {
            if (away) return fail(Code::kStoreUnavailable, "away");
            tokens.insert(hash);
            return {};
        });
        ON_CALL(*this, revoked_before(_)).WillByDefault([this](const MemberId& id) -> Result<std::optional<WallTime>> {
            return before.contains(id) ? std::optional{before[id]} : std::nullopt;
        });
        ON_CALL(*this, set_revoked_before(_, _)).WillByDefault([this](const MemberId& id, WallTime time) -> Result<> {
            if (away) return fail(Code::kStoreUnavailable, "away");
            before[id] = time;
            return {};
        });
        ON_CALL(*this, account(_)).WillByDefault([this](const MemberId& id) -> Result<std::optional<Account>> {
            return registered.contains(id) ? std::optional{Account{id, "", "", "", {}, {}}} : std::nullopt;
        });
    }
    std::atomic<bool> away{false};
    std::atomic<int> reads{0};
    std::set<std::string> tokens;
    std::map<MemberId, WallTime> before;
    std::set<MemberId> registered;

    using Id = const MemberId&;
    using Room = const RoomId&;
    template <class T>
    using Maybe = Result<std::optional<T>>;
    template <class T>
    using List = Result<std::vector<T>>;
    MOCK_METHOD(Result<>, add_account, (const Account&), (override));
    MOCK_METHOD(Maybe<Account>, account, (Id), (override));
    MOCK_METHOD(Maybe<Account>, account_by_name, (const std::string&), (override));
    MOCK_METHOD(Result<>, set_password_hash, (Id, const std::string&), (override));
    MOCK_METHOD(Result<>, set_revoked_before, (Id, WallTime), (override));
    MOCK_METHOD(Maybe<WallTime>, revoked_before, (Id), (override));
    MOCK_METHOD(Result<>, revoke_token, (const std::string&, WallTime), (override));
    MOCK_METHOD(Result<bool>, is_token_revoked, (const std::string&), (override));
    MOCK_METHOD(Result<std::size_t>, forget_expired, (WallTime), (override));
    MOCK_METHOD(Result<>, add_room, (const store::RoomInfo&, const std::string&), (override));
    MOCK_METHOD(Maybe<store::RoomInfo>, room, (Room), (override));
    MOCK_METHOD(Result<>, set_visibility, (Room, store::Visibility, RoomSeq), (override));
    MOCK_METHOD(List<store::RoomInfo>, public_rooms, (Room, std::size_t), (override));
    MOCK_METHOD(List<store::RoomInfo>, rooms_of, (Id, std::size_t), (override));
    MOCK_METHOD(Result<>, put_membership, (Room, const store::Membership&), (override));
    MOCK_METHOD(Result<>, drop_membership, (Room, Id, RoomSeq), (override));
    MOCK_METHOD(Maybe<store::Membership>, membership, (Room, Id), (override));
    MOCK_METHOD(List<store::Membership>, members, (Room, Id, std::size_t), (override));
    MOCK_METHOD(Result<>, note_change, (const store::ChangeInFlight&), (override));
    MOCK_METHOD(Result<>, change_done, (Room, const MessageId&), (override));
    MOCK_METHOD(Result<std::vector<store::ChangeInFlight>>, changes_in_flight, (), (override));
    MOCK_METHOD(Result<RoomSeq>, raise_read_mark, (Room, Id, RoomSeq), (override));
    MOCK_METHOD(Result<RoomSeq>, read_mark, (Room, Id), (override));
};

/// A memory cache that can be taken away and given back.
class FlakyCache final : public cache::SessionCache {
public:
    explicit FlakyCache(const Clock& clock) : inner_(clock) {}
    std::atomic<bool> away{false};
    std::atomic<int> asked_at_once{0};

    void revoke(const std::string& hash, WallTime expires, UniqueFunction<void(Result<>)> done) override {
        away ? done(gone()) : inner_.revoke(hash, expires, std::move(done));
    }
    void is_revoked(const std::string& hash, UniqueFunction<void(Result<bool>)> done) override {
        away ? done(gone()) : inner_.is_revoked(hash, std::move(done));
    }
    void is_any_revoked(const std::vector<std::string>& hashes, UniqueFunction<void(Result<bool>)> done) override {
        ++asked_at_once;
        away ? done(gone()) : inner_.is_any_revoked(hashes, std::move(done));
    }
    void put(const std::string& key, const std::string& value, WallTime expires,
             UniqueFunction<void(Result<>)> done) override {
        away ? done(gone()) : inner_.put(key, value, expires, std::move(done));
    }
    void take(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) override {
        away ? done(gone()) : inner_.take(key, std::move(done));
    }
    void claim(const std::string& key, const std::string& value, WallTime expires,
               UniqueFunction<void(Result<std::string>)> done) override {
        away ? done(gone()) : inner_.claim(key, value, expires, std::move(done));
    }
    void get(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) override {
        away ? done(gone()) : inner_.get(key, std::move(done));
    }
    void release(const std::string& key, const std::string& value, UniqueFunction<void(Result<>)> done) override {
        away ? done(gone()) : inner_.release(key, value, std::move(done));
    }
    void spend(const std::string& key, std::chrono::microseconds cost, std::chrono::microseconds age,
               UniqueFunction<void(Result<std::chrono::microseconds>)> done) override {
        away ? done(gone()) : inner_.spend(key, cost, age, std::move(done));
    }

private:
    static tl::unexpected<Error> gone() { return fail(Code::kAuthUnavailable, "the cache is away"); }
    cache::MemoryCache inner_;
};

class TokenGuardTest : public testing::Test {
protected:
    TokenGuard& guard(const TokenGuard::Options& options = {}) {
        if (!guard_) guard_ = std::make_unique<TokenGuard>(keys_, cache_, directory_, pool_, clock_, options);
        return *guard_;
    }
    std::string token(seconds ttl = seconds{3600}) { return *keys_.sign({.member = kMember}, clock_.wall(), ttl); }
    Result<VerifiedToken> check(const std::string& text) {
        return wait<Result<VerifiedToken>>([&](auto done) { guard().check(text, std::move(done)); });
    }
    Result<VerifiedToken> recheck(const VerifiedToken& checked) {
        return wait<Result<VerifiedToken>>([&](auto done) { guard().recheck(checked, std::move(done)); });
    }
    HeldToken hold(const MemberId& member) {
        const std::string text = *keys_.sign({.member = member}, clock_.wall(), seconds{3600});
        return {TokenHash::from_hex(keys_.verify(text, clock_.wall())->sha256_hex), member, clock_.wall()};
    }
    std::vector<TokenHash> revoked_among(const std::vector<HeldToken>& held) {
        return wait<std::vector<TokenHash>>([&](auto done) { guard().revoked_among(held, std::move(done)); });
    }
    Result<> revoke(const VerifiedToken& checked) {
        return wait<Result<>>(
            [&](auto done) { guard().revoke(checked.sha256_hex, checked.claims.expires, std::move(done)); });
    }
    Result<> revoke_member(WallTime before) {
        return wait<Result<>>([&](auto done) { guard().revoke_member(kMember, before, std::move(done)); });
    }
    template <class Answer, class Call>
    static Answer wait(Call call) {
        std::promise<Answer> promise;
        call(UniqueFunction<void(Answer)>([&](Answer answer) { promise.set_value(std::move(answer)); }));
        return promise.get_future().get();
    }

    const MemberId kMember = MemberId::trusted("u-7");
    ManualClock clock_;
    TokenKeys keys_ = std::move(*TokenKeys::load({.secret = "0123456789abcdef0123456789abcdef"}));
    FlakyCache cache_{clock_};
    NiceMock<FakeDirectory> directory_;
    rt::WorkPool pool_{"test", 1, 64};
    std::unique_ptr<TokenGuard> guard_;
};

TEST_F(TokenGuardTest, LetsAGoodTokenPass) {
    const auto checked = check(token());
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(checked->claims.member, kMember);
    EXPECT_EQ(check("nonsense").error().code, Code::kAuthInvalid);
}

TEST_F(TokenGuardTest, RefusesWhatTheLoginServicePutOnTheBlacklist) {
    const auto checked = check(token());
    cache_.revoke(checked->sha256_hex, checked->claims.expires, [](const auto&) {});
    EXPECT_EQ(recheck(*checked).error().code, Code::kAuthExpired);
}

TEST_F(TokenGuardTest, RefusesWhatTheDirectoryRemembersThoughTheCacheIsEmpty) {
    const std::string text = token();
    directory_.tokens.insert(keys_.verify(text, clock_.wall())->sha256_hex);
    EXPECT_EQ(check(text).error().code, Code::kAuthExpired);
}

TEST_F(TokenGuardTest, RevokingHoldsAtOnceAndIsTold) {
    std::vector<std::string> heard;
    guard().on_revoked([&](const Revocation& revocation) { heard.push_back(revocation.sha256_hex); });
    const std::string text = token(), other = token();
    const auto checked = check(text);
    ASSERT_TRUE(check(other));
    ASSERT_TRUE(revoke(*checked));
    EXPECT_EQ(heard, std::vector{checked->sha256_hex});
    EXPECT_EQ(check(text).error().code, Code::kAuthExpired);
    EXPECT_EQ(recheck(*checked).error().code, Code::kAuthExpired);
    EXPECT_TRUE(directory_.tokens.contains(checked->sha256_hex));
    EXPECT_TRUE(check(other));
}

TEST_F(TokenGuardTest, RevokingAMemberEndsOlderTokensAndNotNewerOnes) {
    std::vector<Revocation> heard;
    guard().on_revoked([&](const Revocation& revocation) { heard.push_back(revocation); });
    const auto old = check(token());
    clock_.advance(milliseconds{1});
    ASSERT_TRUE(revoke_member(clock_.wall()));
    const auto fresh = check(token());
    EXPECT_TRUE(fresh);
    EXPECT_EQ(recheck(*old).error().code, Code::kAuthExpired);
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_TRUE(heard[0].applies_to(*old));
    EXPECT_FALSE(heard[0].applies_to(*fresh));
    VerifiedToken undated = *fresh;
    undated.claims.issued_at.reset();
    undated.sha256_hex = std::string(64, 'u');
    EXPECT_TRUE(heard[0].applies_to(undated)) << "a token that does not say when counts as older";
    EXPECT_EQ(recheck(undated).error().code, Code::kAuthExpired);
    VerifiedToken of_another = *old;
    of_another.claims.member = MemberId::trusted("u-8");
    EXPECT_FALSE(heard[0].applies_to(of_another));
}

TEST_F(TokenGuardTest, NoticesThatAnOpenSessionsTokenExpires) {
    const auto checked = check(token(seconds{10}));
    clock_.advance(milliseconds{9'999});
    EXPECT_TRUE(recheck(*checked));
    clock_.advance(milliseconds{1});
    EXPECT_EQ(recheck(*checked).error().code, Code::kAuthExpired);
}

TEST_F(TokenGuardTest, FindsWhatOthersRevokedOfMany) {
    guard({.cache_is_shared = true, .directory_is_shared = true});
    EXPECT_TRUE(guard().others_revoke());
    std::vector<HeldToken> held;
    for (int i = 0; i < 100; ++i) held.push_back(hold(MemberId::trusted("u-" + std::to_string(i))));
    EXPECT_THAT(revoked_among(held), testing::IsEmpty());
    EXPECT_EQ(cache_.asked_at_once, 1) << "for a hundred that nobody revoked";
    cache_.revoke(held[3].token.hex(), clock_.wall() + seconds{60}, [](const auto&) {});
    cache_.revoke(held[77].token.hex(), clock_.wall() + seconds{60}, [](const auto&) {});
    directory_.tokens.insert(held[50].token.hex());
    directory_.before[held[9].member] = clock_.wall() + milliseconds{1};
    directory_.before[held[10].member] = clock_.wall();
    EXPECT_THAT(revoked_among(held),
                testing::UnorderedElementsAre(held[3].token, held[77].token, held[50].token, held[9].token));
    cache_.away = true;
    EXPECT_THAT(revoked_among(held), testing::UnorderedElementsAre(held[50].token, held[9].token))
        << "not knowing of the others ends nobody";
    directory_.away = true;
    EXPECT_THAT(revoked_among(held), testing::IsEmpty());
}

TEST_F(TokenGuardTest, LooksForWhatOthersRevokedOnlyWhereTheyCan) {
    EXPECT_FALSE(guard().others_revoke());
    TokenGuard of_directory{keys_, cache_, directory_, pool_, clock_, {.directory_is_shared = true}};
    EXPECT_TRUE(of_directory.others_revoke());
    TokenGuard of_cache{keys_, cache_, directory_, pool_, clock_, {.cache_is_shared = true}};
    EXPECT_TRUE(of_cache.others_revoke());
    const HeldToken one = hold(kMember);
    directory_.tokens.insert(one.token.hex());
    const auto found = [&](TokenGuard& asked) {
        return wait<std::vector<TokenHash>>([&](auto done) { asked.revoked_among({one}, std::move(done)); });
    };
    EXPECT_THAT(found(of_cache), testing::IsEmpty());
    EXPECT_EQ(directory_.reads, 0);
    EXPECT_EQ(cache_.asked_at_once, 1);
    EXPECT_THAT(found(of_directory), testing::ElementsAre(one.token));
    EXPECT_EQ(cache_.asked_at_once, 1) << "where the directory alone is shared";
}

TEST_F(TokenGuardTest, RefusesWithUnavailableWhileTheCacheIsAway) {
    cache_.away = true;
    EXPECT_EQ(check(token()).error().code, Code::kAuthUnavailable);
    cache_.away = false;
    EXPECT_TRUE(check(token()));
}

TEST_F(TokenGuardTest, AsksTheDirectoryAloneWhenTheCacheMayBeAway) {
    guard({.allow_when_cache_down = true});
    cache_.away = true;
    const std::string text = token();
    const auto checked = check(text);
    ASSERT_TRUE(checked);
    ASSERT_TRUE(revoke(*checked)) << "the directory holds it";
    EXPECT_EQ(check(text).error().code, Code::kAuthExpired);
}

TEST_F(TokenGuardTest, RefusesWithUnavailableWhileTheDirectoryIsAway) {
    directory_.away = true;
    const std::string text = token();
    EXPECT_EQ(check(text).error().code, Code::kAuthUnavailable);
    EXPECT_EQ(revoke(*keys_.verify(text, clock_.wall())).error().code, Code::kAuthUnavailable);
    EXPECT_EQ(revoke_member(clock_.wall()).error().code, Code::kAuthUnavailable);
}

TEST_F(TokenGuardTest, AsksTheDirectoryOnlyOnceInAWhile) {
    const std::string text = token();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(check(text));
    EXPECT_EQ(directory_.reads, 1);
    clock_.advance(milliseconds{2'000});
    ASSERT_TRUE(check(text));
    EXPECT_EQ(directory_.reads, 2);
}

TEST_F(TokenGuardTest, RemembersNothingOfAnAnswerThatIsTooOld) {
    const std::string one = token();
    ASSERT_TRUE(check(one));
    guard().forget_old();
    ASSERT_TRUE(check(one));
    EXPECT_EQ(directory_.reads, 1) << "an answer that still holds was forgotten";
    clock_.advance(seconds{2});
    guard().forget_old();
    ASSERT_TRUE(check(one));
    EXPECT_EQ(directory_.reads, 2);
}

TEST_F(TokenGuardTest, RemembersABoundedNumberOfAnswers) {
    guard({.max_remembered = 2});
    const std::string first = token();
    ASSERT_TRUE(check(first));
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(check(token()));
    ASSERT_TRUE(check(first));
    EXPECT_EQ(directory_.reads, 4);
}

TEST_F(TokenGuardTest, DoesNotRememberAnAnswerThatARevocationOvertook) {
    const std::string text = token();
    const auto verified = keys_.verify(text, clock_.wall());
    std::promise<void> reading, go_on;
    EXPECT_CALL(directory_, is_token_revoked(verified->sha256_hex))
        .WillOnce([&](const std::string&) -> Result<bool> {
            reading.set_value();
            go_on.get_future().wait();
            return false;
        })
        .WillRepeatedly([](const std::string&) -> Result<bool> { return true; });
    rt::WorkPool pool{"two", 2, 64};
    TokenGuard two{keys_, cache_, directory_, pool, clock_, {.allow_when_cache_down = true}};
    std::promise<void> answered;
    two.check(text, [&](const auto&) { answered.set_value(); });
    reading.get_future().wait();
    cache_.away = true;  // so that the directory alone knows
    const auto revoked =
        wait<Result<>>([&](auto done) { two.revoke(verified->sha256_hex, verified->claims.expires, std::move(done)); });
    EXPECT_TRUE(revoked);
    go_on.set_value();
    answered.get_future().wait();
    const auto again = wait<Result<VerifiedToken>>([&](auto done) { two.check(text, std::move(done)); });
    EXPECT_EQ(again.error().code, Code::kAuthExpired);
}

TEST_F(TokenGuardTest, AnswersUnavailableWhenThePoolIsFull) {
    rt::WorkPool none{"none", 1, 0};
    TokenGuard full{keys_, cache_, directory_, none, clock_, {}};
    const std::string text = token();
    const auto verified = *keys_.verify(text, clock_.wall());
    EXPECT_EQ(wait<Result<VerifiedToken>>([&](auto done) { full.check(text, std::move(done)); }).error().code,
              Code::kAuthUnavailable);
    EXPECT_EQ(
        wait<Result<>>([&](auto done) { full.revoke(verified.sha256_hex, verified.claims.expires, std::move(done)); })
            .error()
            .code,
        Code::kAuthUnavailable);
    EXPECT_EQ(
        wait<Result<>>([&](auto done) { full.revoke_member(kMember, clock_.wall(), std::move(done)); }).error().code,
        Code::kAuthUnavailable);
}

TEST_F(TokenGuardTest, ATicketStandsForItsTokenOnceAndIsRevokedWithIt) {
    Tickets tickets{cache_, clock_};
    const std::string text = token();
    const auto issue = [&] {
        return *wait<Result<std::string>>([&](auto done) { tickets.issue(text, std::move(done)); });
    };
    const std::string first = issue(), second = issue();
    const auto checked = check(first);
    ASSERT_TRUE(checked);
    EXPECT_EQ(checked->sha256_hex, check(text)->sha256_hex);
    EXPECT_EQ(check(first).error().code, Code::kAuthInvalid);
    ASSERT_TRUE(revoke(*checked));
    EXPECT_EQ(check(second).error().code, Code::kAuthExpired);
}

TEST_F(TokenGuardTest, WantsARegisteredMemberWhenToldSo) {
    guard({.require_registered = true});
    EXPECT_EQ(check(token()).error().code, Code::kAuthInvalid);
    directory_.registered.insert(kMember);
    EXPECT_TRUE(check(token()));
}

TEST_F(TokenGuardTest, WhatIsUnderWayWhenTheGuardGoesIsAnswered) {
    std::promise<void> hold;
    ASSERT_TRUE(
        pool_.try_submit([future = std::make_shared<std::future<void>>(hold.get_future())] { future->wait(); }));
    auto answer = std::make_shared<std::promise<Result<VerifiedToken>>>();
    guard().check(token(), [answer](Result<VerifiedToken> result) { answer->set_value(std::move(result)); });
    guard_.reset();
    hold.set_value();
    EXPECT_TRUE(answer->get_future().get());
}

}  // namespace
}  // namespace parley::auth
