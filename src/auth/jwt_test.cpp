#include "auth/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

#include "auth/encoding.h"
#include "auth/test_keys.h"

namespace parley::auth {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kSecret = "0123456789abcdef0123456789abcdef";
const std::string kOtherSecret = "another-secret-another-secret-32";
constexpr WallTime kNow{milliseconds{1'700'000'000'000}};

std::string hmac_sha256(const std::string& key, const std::string& text) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), mac, &length);
    return {reinterpret_cast<const char*>(mac), length};
}

std::string token(const std::string& payload, const std::string& header = R"({"alg":"HS256","typ":"JWT"})",
                  const std::string& secret = kSecret) {
    const std::string text = base64url(header) + "." + base64url(payload);
    return text + "." + base64url(hmac_sha256(secret, text));
}

TokenKeys hs256(const std::string& secret = kSecret, const std::string& second = "") {
    return std::move(*TokenKeys::load({.algorithm = "HS256", .secret = secret, .secret_previous = second}));
}

TokenKeys pem(const std::string& algorithm, const std::string& file) {
    auto keys = TokenKeys::load({.algorithm = algorithm, .public_key = file});
    EXPECT_TRUE(keys) << keys.error().message;
    return std::move(*keys);
}

/// The refusal's code, or nullopt when the token is accepted. No refusal may quote the token.
std::optional<Code> refusal(const TokenKeys& keys, const std::string& text, WallTime now = kNow) {
    const auto result = keys.verify(text, now);
    if (result) return std::nullopt;
    if (text.size() > 20) {
        EXPECT_THAT(result.error().message, Not(HasSubstr(text.substr(text.size() - 20))));
    }
    EXPECT_THAT(result.error().message, Not(HasSubstr(kSecret)));
    return result.error().code;
}

std::optional<Code> refusal_of_claims(const std::string& payload) { return refusal(hs256(), token(payload)); }

Claims claims_of(const std::string& payload) {
    auto verified = hs256().verify(token(payload), kNow);
    EXPECT_TRUE(verified) << verified.error().message;
    return verified ? verified->claims : Claims{};
}

TEST(TokenKeys, AcceptsWhatTheLoginServiceWrites) {
    const std::string text = token(R"({"id":"u-7","sub":"u-7","nickName":"앨리스","iat":1699999990,"exp":1700000060})");
    const auto verified = hs256().verify(text, kNow);
    ASSERT_TRUE(verified) << verified.error().message;
    EXPECT_EQ(verified->claims.member.str(), "u-7");
    EXPECT_EQ(verified->claims.nickname, "앨리스");
    EXPECT_EQ(verified->claims.expires, kNow + seconds{60});
    EXPECT_EQ(verified->claims.issued_at, kNow - seconds{10});
    EXPECT_EQ(verified->sha256_hex, sha256_hex(text));
    EXPECT_FALSE(verified->claims.guest);
}

TEST(TokenKeys, TakesBackWhatItSigned) {
    const TestKeyPair rsa{"RSA"}, ec{"EC"};
    std::vector<TokenKeys> all;
    for (const char* algorithm : {"HS256", "HS384", "HS512"}) {
        all.push_back(std::move(*TokenKeys::load({.algorithm = algorithm, .secret = kSecret})));
    }
    all.push_back(pem("RS256", rsa.private_file()));
    all.push_back(pem("ES256", ec.private_file()));
    for (const auto& keys : all) {
        const auto text = keys.sign({.member = MemberId::trusted("u-7"), .nickname = "a\"b"}, kNow, seconds{60});
        ASSERT_TRUE(text);
        const auto verified = keys.verify(*text, kNow);
        ASSERT_TRUE(verified) << verified.error().message;
        EXPECT_EQ(verified->claims.nickname, "a\"b");
        EXPECT_EQ(verified->claims.expires, kNow + seconds{60});
        EXPECT_EQ(verified->claims.issued_at, kNow);
        EXPECT_NE(*text, *keys.sign(verified->claims, kNow, seconds{60})) << "each token has its own jti";
    }
}

TEST(TokenKeys, KeepsMillisecondsOfIssueTime) {
    const auto keys = hs256();
    const auto text = keys.sign({.member = MemberId::trusted("u-7")}, kNow + milliseconds{7}, seconds{60});
    EXPECT_EQ(keys.verify(*text, kNow)->claims.issued_at, kNow + milliseconds{7});
}

TEST(TokenKeys, RefusesWrongKeyAndTampering) {
    const std::string good = token(R"({"id":"u-7","exp":1700000060})");
    EXPECT_EQ(refusal(hs256(kOtherSecret), good), Code::kAuthInvalid);
    const auto parts_end = good.rfind('.');
    const std::string other_payload = base64url(R"({"id":"u-1","exp":1700000060})");
    EXPECT_EQ(refusal(hs256(), good.substr(0, good.find('.') + 1) + other_payload + good.substr(parts_end)),
              Code::kAuthInvalid);
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        EXPECT_EQ(refusal(hs256(), bad), Code::kAuthInvalid) << "at " << i;
    }
}

TEST(TokenKeys, RefusesEveryAlgorithmButThePinnedOne) {
    const std::string payload = R"({"id":"u-7","exp":1700000060})";
    for (const char* header :
         {R"({"alg":"HS512"})", R"({"alg":"hs256"})", R"({"alg":"none"})", R"({"alg":""})", R"({"alg":null})",
          R"({"typ":"JWT"})", R"({"alg":["HS256"]})", R"([])", R"("HS256")", R"({"alg":"HS256","alg":"none"})"}) {
        EXPECT_EQ(refusal(hs256(), token(payload, header)), Code::kAuthInvalid) << header;
    }
    EXPECT_EQ(refusal(hs256(), base64url(R"({"alg":"none"})") + "." + base64url(payload) + "."), Code::kAuthInvalid);
    EXPECT_EQ(refusal(hs256(), base64url(R"({"alg":"HS256"})") + "." + base64url(payload) + "."), Code::kAuthInvalid);
}

TEST(TokenKeys, RefusesAnHmacMadeWithThePublicKey) {
    const TestKeyPair rsa{"RSA"};
    const std::string payload = R"({"id":"u-7","exp":1700000060})";
    for (const char* header : {R"({"alg":"HS256"})", R"({"alg":"RS256"})"}) {
        EXPECT_EQ(refusal(pem("RS256", rsa.public_file()), token(payload, header, rsa.public_pem())),
                  Code::kAuthInvalid);
    }
}

TEST(TokenKeys, RefusesACritHeader) {
    EXPECT_EQ(refusal(hs256(), token(R"({"id":"u-7","exp":1700000060})", R"({"alg":"HS256","crit":["b64"]})")),
              Code::kAuthInvalid);
}

TEST(TokenKeys, WantsANumericExpInTheFuture) {
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7"})"), Code::kAuthInvalid);
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7","exp":"1700000060"})"), Code::kAuthInvalid);
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7","exp":null})"), Code::kAuthInvalid);
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7","exp":1700000000})"), Code::kAuthExpired);
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7","exp":-5})"), Code::kAuthExpired);
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7","exp":1700000000.001})"), std::nullopt);
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7","exp":1e300})"), std::nullopt);
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7","exp":18446744073709551615})"), std::nullopt);
}

TEST(TokenKeys, HonoursNbfAndWantsNumericIat) {
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7","exp":1700000060,"nbf":1700000001})"), Code::kAuthInvalid);
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7","exp":1700000060,"nbf":1700000000})"), std::nullopt);
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7","exp":1700000060,"nbf":"soon"})"), Code::kAuthInvalid);
    EXPECT_EQ(refusal_of_claims(R"({"id":"u-7","exp":1700000060,"iat":"then"})"), Code::kAuthInvalid);
}

TEST(TokenKeys, ReadsTheMemberFromTheFirstClaimThatIsThere) {
    EXPECT_EQ(claims_of(R"({"sub":"s","id":"i","memberId":"m","exp":1700000060})").member.str(), "m");
    EXPECT_EQ(claims_of(R"({"sub":"s","id":"i","exp":1700000060})").member.str(), "i");
    EXPECT_EQ(claims_of(R"({"sub":"s","memberId":null,"exp":1700000060})").member.str(), "s");
    EXPECT_EQ(claims_of(R"({"memberId":42,"sub":"s","exp":1700000060})").member.str(), "42");
    EXPECT_EQ(claims_of(R"({"memberId":18446744073709551615,"exp":1700000060})").member.str(), "18446744073709551615");
}

TEST(TokenKeys, RefusesAMemberThatIsNoMemberIdEvenWithAGoodSub) {
    for (const char* member : {R"("")", R"("~guest:1")", R"("a b")", R"("한")", "1.5", "true", "{}", "[\"u\"]"}) {
        EXPECT_EQ(refusal_of_claims(std::string{R"({"sub":"u-7","exp":1700000060,"memberId":)"} + member + "}"),
                  Code::kAuthInvalid)
            << member;
    }
    EXPECT_EQ(refusal_of_claims(R"({"exp":1700000060})"), Code::kAuthInvalid);
    EXPECT_EQ(refusal_of_claims(R"({"exp":1700000060,"id":")" + std::string(65, 'u') + R"("})"), Code::kAuthInvalid);
}

TEST(TokenKeys, ReadsTheNicknameFromTheFirstClaimThatHoldsOne) {
    EXPECT_EQ(claims_of(R"({"id":"u","name":"c","nickname":"b","nickName":"a","exp":1700000060})").nickname, "a");
    EXPECT_EQ(claims_of(R"({"id":"u","name":"c","nickname":"b","exp":1700000060})").nickname, "b");
    EXPECT_EQ(claims_of(R"({"id":"u","name":"c","nickName":" \u0007 ","exp":1700000060})").nickname, "c");
    EXPECT_EQ(claims_of(R"({"id":"u","name":7,"exp":1700000060})").nickname, "u");
}

TEST(TokenKeys, TakesTheSecondKeyToo) {
    const std::string old = token(R"({"id":"u-7","exp":1700000060})", R"({"alg":"HS256"})", kOtherSecret);
    EXPECT_EQ(refusal(hs256(kSecret, kOtherSecret), old), std::nullopt);
    EXPECT_EQ(refusal(hs256(kSecret, kOtherSecret), token(R"({"id":"u-7","exp":1700000060})")), std::nullopt);
    EXPECT_EQ(refusal(hs256(kSecret, "a third secret with 32 bytes or so"), old), Code::kAuthInvalid);
    EXPECT_TRUE(
        hs256().verify(*hs256(kSecret, kOtherSecret).sign({.member = MemberId::trusted("u")}, kNow, seconds{9}), kNow))
        << "the primary key signs";
}

TEST(TokenKeys, RefusesWhatIsNoTokenAtAll) {
    const std::string good = token(R"({"id":"u-7","exp":1700000060})");
    for (const std::string& text : {std::string{}, std::string{"."}, std::string{".."}, std::string{"a.b"}, good + ".",
                                    good + ".x", good + "=", " " + good, good + "\n", std::string(8193, 'a'),
                                    std::string("a\0b.c.d", 7), std::string{"t.0123456789abcdef"}}) {
        EXPECT_EQ(refusal(hs256(), text), Code::kAuthInvalid) << text.substr(0, 40);
    }
    EXPECT_EQ(refusal(hs256(), token(R"({"id":"u-7","exp":1700000060,"x":")" + std::string(8000, 'x') + R"("})")),
              Code::kAuthInvalid);
    EXPECT_EQ(refusal(hs256(), token("{\"id\":\"u-7\",\"exp\":1700000060,\"name\":\"\xff\"}")), Code::kAuthInvalid);
    EXPECT_EQ(refusal(hs256(), token(R"([{"id":"u-7","exp":1700000060}])")), Code::kAuthInvalid);
    EXPECT_EQ(refusal(hs256(), token(R"({"id":"u-7","exp":1700000060} x)")), Code::kAuthInvalid);
}

TEST(TokenKeys, AgreesWithLibjwt) {
    const TestKeyPair rsa{"RSA"}, ec{"EC"};
    struct Case {
        jwt_alg_t algorithm;
        std::string sign_key, verify_key;
        TokenKeys keys;
    };
    std::vector<Case> cases;
    cases.push_back({JWT_ALG_HS256, kSecret, kSecret, hs256()});
    cases.push_back({JWT_ALG_RS256, rsa.private_pem(), rsa.public_pem(), pem("RS256", rsa.private_file())});
    cases.push_back({JWT_ALG_ES256, ec.private_pem(), ec.public_pem(), pem("ES256", ec.private_file())});
    for (const auto& c : cases) {
        const auto* sign_key = reinterpret_cast<const unsigned char*>(c.sign_key.data());
        const auto* verify_key = reinterpret_cast<const unsigned char*>(c.verify_key.data());
        jwt_t* jwt = nullptr;
        ASSERT_EQ(jwt_new(&jwt), 0);
        jwt_add_grant(jwt, "sub", "u-7");
        jwt_add_grant_int(jwt, "exp", 1'700'000'060);
        ASSERT_EQ(jwt_set_alg(jwt, c.algorithm, sign_key, static_cast<int>(c.sign_key.size())), 0);
        char* theirs = jwt_encode_str(jwt);
        ASSERT_NE(theirs, nullptr);
        EXPECT_EQ(refusal(c.keys, theirs), std::nullopt) << jwt_alg_str(c.algorithm);
        std::free(theirs);
        jwt_free(jwt);

        const auto ours = c.keys.sign({.member = MemberId::trusted("u-7")}, kNow, seconds{60});
        ASSERT_TRUE(ours);
        ASSERT_EQ(jwt_decode(&jwt, ours->c_str(), verify_key, static_cast<int>(c.verify_key.size())), 0);
        EXPECT_STREQ(jwt_get_grant(jwt, "id"), "u-7");
        EXPECT_EQ(jwt_get_alg(jwt), c.algorithm);
        jwt_free(jwt);
    }
}

TEST(TokenKeys, APublicKeyVerifiesAndDoesNotSign) {
    const TestKeyPair ec{"EC"};
    const auto text = pem("ES256", ec.private_file()).sign({.member = MemberId::trusted("u")}, kNow, seconds{60});
    const auto keys = pem("ES256", ec.public_file());
    EXPECT_EQ(refusal(keys, *text), std::nullopt);
    EXPECT_FALSE(keys.sign({.member = MemberId::trusted("u")}, kNow, seconds{60}));
    const std::string zero = text->substr(0, text->rfind('.') + 1) + base64url(std::string(64, '\0'));
    EXPECT_EQ(refusal(keys, zero), Code::kAuthInvalid) << "CVE-2022-21449: r = s = 0";
}

TEST(TokenKeys, LoadingSaysWhichSettingIsWrong) {
    const auto message = [](const TokenOptions& options) {
        const auto keys = TokenKeys::load(options);
        return keys ? std::string{"accepted"} : keys.error().message;
    };
    const TestKeyPair ec{"EC"}, rsa{"RSA"}, small{"RSA", 1024};
    EXPECT_THAT(message({.algorithm = "none", .secret = kSecret}), HasSubstr("auth.algorithm"));
    EXPECT_THAT(message({.secret = "short-and-secret"}), HasSubstr("auth.secret: at least 32 bytes"));
    EXPECT_THAT(message({.secret = "short-and-secret"}), Not(HasSubstr("short-and-secret")));
    EXPECT_THAT(message({.secret = kSecret, .secret_previous = "x"}), HasSubstr("auth.secret_previous"));
    EXPECT_THAT(message({.secret = "base64:!!!"}), HasSubstr("not base64"));
    EXPECT_THAT(message({.secret = "base64:" + base64url(kSecret)}), HasSubstr("accepted"));
    EXPECT_THAT(message({.secret = "base64:" + base64url("too short")}), HasSubstr("has 9"));
    EXPECT_THAT(message({.algorithm = "RS256"}), HasSubstr("auth.public_key"));
    EXPECT_THAT(message({.algorithm = "RS256", .public_key = ec.public_file()}), HasSubstr("needs an RSA key"));
    EXPECT_THAT(message({.algorithm = "RS256", .public_key = small.public_file()}), HasSubstr("2048"));
    EXPECT_THAT(message({.algorithm = "ES256", .public_key = rsa.public_file()}), HasSubstr("needs a P-256 key"));
    EXPECT_THAT(message({.algorithm = "ES256", .public_key = ec.public_file(), .public_key_previous = "/nowhere"}),
                HasSubstr("auth.public_key_previous"));
}

TEST(TokenKeys, ReadsABase64Secret) {
    const auto keys = hs256("base64:" + base64url(kSecret) + "=");
    EXPECT_EQ(refusal(keys, token(R"({"id":"u-7","exp":1700000060})")), std::nullopt);
}

}  // namespace
}  // namespace parley::auth
