#include "auth/jwt.h"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>

#include "auth/encoding.h"
#include "auth/jwt_keys.h"
#include "auth/nickname.h"
#include "base/uuid.h"

namespace parley::auth {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxToken = 8192;

struct Parts {
    std::string_view header;
    std::string_view payload;
    std::string_view signature;
    std::string_view signed_text;
};

std::optional<Parts> split(std::string_view token) {
    const auto first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const auto second = token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
                 token.substr(0, second)};
}

/// The base64url text as a JSON object; null when it is not one.
json::value decode_object(std::string_view text) {
    const auto bytes = from_base64url(text);
    if (!bytes) return nullptr;
    json::error_code error;
    json::value value = json::parse(*bytes, error);
    return !error && value.is_object() ? value : json::value{nullptr};
}

/// RFC 7519 NumericDate, fractions included; beyond the calendar it is cut to what a WallTime holds.
std::optional<WallTime> numeric_date(const json::value* value) {
    if (value == nullptr || !value->is_number()) return std::nullopt;
    constexpr double kYear9999 = 253402300799.0;
    const double seconds = value->is_double()  ? value->get_double()
                           : value->is_int64() ? static_cast<double>(value->get_int64())
                                               : static_cast<double>(value->get_uint64());
    if (std::isnan(seconds)) return std::nullopt;
    return WallTime{milliseconds{std::llround(std::clamp(seconds, 0.0, kYear9999) * 1000.0)}};
}

/// The first of memberId, id, sub that is there and not null decides; it is not passed over when it is bad.
Result<MemberId> member_of(const json::object& claims) {
    for (const char* name : {"memberId", "id", "sub"}) {
        const json::value* value = claims.if_contains(name);
        if (value == nullptr || value->is_null()) continue;
        std::string text;
        if (value->is_string()) text = std::string_view{value->get_string()};
        if (value->is_int64()) text = std::to_string(value->get_int64());
        if (value->is_uint64()) text = std::to_string(value->get_uint64());
        auto id = MemberId::parse(text);
        if (!id) return fail(Code::kAuthInvalid, std::string{"the token's "} + name + " is no member id");
        return *id;
    }
    return fail(Code::kAuthInvalid, "the token names no member");
}

std::string nickname_of(const json::object& claims, const MemberId& member) {
    for (const char* name : {"nickName", "nickname", "name"}) {
        const json::value* value = claims.if_contains(name);
        if (value == nullptr || !value->is_string()) continue;
        std::string clean = clean_nickname(value->get_string());
        if (!clean.empty()) return clean;
    }
    return member.str();
}

Result<Claims> read_claims(const json::object& object, WallTime now) {
    Claims claims;
    const auto expires = numeric_date(object.if_contains("exp"));
    if (!expires) return fail(Code::kAuthInvalid, "the token has no numeric exp");
    claims.expires = *expires;

    if (const json::value* value = object.if_contains("iat")) {
        claims.issued_at = numeric_date(value);
        if (!claims.issued_at) return fail(Code::kAuthInvalid, "the token's iat is not numeric");
    }
    if (const json::value* value = object.if_contains("nbf")) {
        const auto from = numeric_date(value);
        if (!from) return fail(Code::kAuthInvalid, "the token's nbf is not numeric");
        if (*from > now) return fail(Code::kAuthInvalid, "the token is not valid yet");
    }
    auto member = member_of(object);
    if (!member) return fail(member.error());
    claims.member = std::move(*member);
    claims.nickname = nickname_of(object, claims.member);
    if (claims.expires <= now) return fail(Code::kAuthExpired, "the token has expired");
    return claims;
}

std::string numeric_date_text(WallTime time) {
    const auto ms = time.time_since_epoch().count();
    std::string fraction = std::to_string(ms % 1000);
    fraction.insert(0, 3 - fraction.size(), '0');
    return std::to_string(ms / 1000) + "." + fraction;
}

}  // namespace

TokenKeys::TokenKeys() = default;
TokenKeys::~TokenKeys() = default;
TokenKeys::TokenKeys(TokenKeys&&) noexcept = default;
TokenKeys& TokenKeys::operator=(TokenKeys&&) noexcept = default;

Result<TokenKeys> TokenKeys::load(const TokenOptions& options) {
    TokenKeys keys;
    keys.algorithm_ = options.algorithm;
    const bool hmac = is_hmac_algorithm(options.algorithm);
    if (!hmac && options.algorithm != "RS256" && options.algorithm != "ES256") {
        return fail(Code::kBadRequest, "auth.algorithm: HS256, HS384, HS512, RS256 or ES256 is meant");
    }
    const auto add = [&](const std::string& value, const std::string& setting) -> Result<> {
        auto key =
            hmac ? make_hmac_key(options.algorithm, value, setting) : load_pem_key(options.algorithm, value, setting);
        if (!key) return fail(key.error());
        keys.keys_.push_back(std::move(*key));
        return {};
    };
    const std::string& second = hmac ? options.secret_previous : options.public_key_previous;
    if (auto added = add(hmac ? options.secret : options.public_key, hmac ? "auth.secret" : "auth.public_key");
        !added) {
        return fail(added.error());
    }
    if (!second.empty()) {
        if (auto added = add(second, hmac ? "auth.secret_previous" : "auth.public_key_previous"); !added) {
            return fail(added.error());
        }
    }
    return keys;
}

Result<VerifiedToken> TokenKeys::verify(std::string_view token, WallTime now) const {
    if (token.size() > kMaxToken) return fail(Code::kAuthInvalid, "the token is longer than 8 KiB");
    const auto parts = split(token);
    if (!parts) return fail(Code::kAuthInvalid, "the token does not have three parts");

    const json::value header = decode_object(parts->header);
    if (!header.is_object()) return fail(Code::kAuthInvalid, "the token's header is not a JSON object");
    const json::value* algorithm = header.get_object().if_contains("alg");
    if (algorithm == nullptr || !algorithm->is_string() || std::string_view{algorithm->get_string()} != algorithm_) {
        return fail(Code::kAuthInvalid, "the token's alg is not the configured " + algorithm_);
    }
    // RFC 7515 section 4.1.11: an extension that is not understood makes the token invalid.
    if (header.get_object().contains("crit")) return fail(Code::kAuthInvalid, "the token has a crit header");

    const auto signature = from_base64url(parts->signature);
    if (!signature) return fail(Code::kAuthInvalid, "the token's signature is not base64url");
    bool valid = false;
    for (const auto& key : keys_) valid = valid || key->verifies(parts->signed_text, *signature);
    if (!valid) return fail(Code::kAuthInvalid, "the token's signature is wrong");

    const json::value payload = decode_object(parts->payload);
    if (!payload.is_object()) return fail(Code::kAuthInvalid, "the token's claims are not a JSON object");
    auto claims = read_claims(payload.get_object(), now);
    if (!claims) return fail(claims.error());
    return VerifiedToken{std::move(*claims), sha256_hex(token)};
}

bool TokenKeys::can_sign() const noexcept { return keys_.front()->can_sign(); }

Result<std::string> TokenKeys::sign(const Claims& claims, WallTime now, milliseconds ttl) const {
    const SigningKey& key = *keys_.front();
    if (!key.can_sign()) return fail(Code::kAuthInvalid, "auth.public_key holds a public key, which cannot sign");
    const std::string id = json::serialize(json::string(claims.member.str()));
    const std::string payload = R"({"id":)" + id + R"(,"sub":)" + id + R"(,"nickName":)" +
                                json::serialize(json::string(claims.nickname)) + R"(,"iat":)" + numeric_date_text(now) +
                                R"(,"exp":)" +
                                std::to_string(std::chrono::ceil<seconds>(now + ttl).time_since_epoch().count()) +
                                R"(,"jti":")" + random_hex(16) + R"("})";
    const std::string text = base64url(R"({"alg":")" + algorithm_ + R"(","typ":"JWT"})") + "." + base64url(payload);
    const std::string signature = key.sign(text);
    if (signature.empty()) return fail(Code::kInternal, "the token could not be signed");
    return text + "." + base64url(signature);
}

}  // namespace parley::auth
