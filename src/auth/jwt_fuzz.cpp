#include <cstdlib>

#include "auth/encoding.h"
#include "auth/jwt.h"
#include "auth/jwt_keys.h"
#include "auth/nickname.h"
#include "auth/test_keys.h"

// Four readings of the input: as a token as it comes; as `header\npayload`, signed rightly, so that the claims are
// reached; as the signature of an ES256 token; and as a nickname.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace parley;
    static const std::string secret = "0123456789abcdef0123456789abcdef";
    static const auth::TokenKeys keys = std::move(*auth::TokenKeys::load({.secret = secret}));
    static const auto signer = std::move(*auth::make_hmac_key("HS256", secret, "auth.secret"));
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const WallTime now{seconds{1'700'000'000}};

    const auto check = [&](std::string_view token) {
        const auto verified = keys.verify(token, now);
        if (!verified) {
            if (verified.error().code != Code::kAuthInvalid && verified.error().code != Code::kAuthExpired)
                std::abort();
            return;
        }
        const auth::Claims& claims = verified->claims;
        if (!MemberId::parse(claims.member.str()) || claims.expires <= now || claims.nickname.empty()) std::abort();
        if (auth::clean_nickname(claims.nickname) != claims.nickname) std::abort();
    };
    check(text);
    const auto line = text.find('\n');
    if (line != std::string_view::npos) {
        const std::string body = auth::base64url(text.substr(0, line)) + "." + auth::base64url(text.substr(line + 1));
        check(body + "." + auth::base64url(signer->sign(body)));
    }
    static const auth::TestKeyPair pair{"EC"};
    static const auth::TokenKeys ec_keys =
        std::move(*auth::TokenKeys::load({.algorithm = "ES256", .public_key = pair.public_file()}));
    static const std::string ec_body =
        auth::base64url(R"({"alg":"ES256"})") + "." + auth::base64url(R"({"id":"u"})") + ".";
    if (ec_keys.verify(ec_body + auth::base64url(text), now)) std::abort();

    const std::string once = auth::clean_nickname(text);
    if (auth::clean_nickname(once) != once) std::abort();
    return 0;
}
