#include "base/clock.h"
#include "base/uuid.h"
#include "gateway/handshake.h"
#include "gateway/rest.h"
#include "gateway/rest_json.h"
#include "wire/cookie.h"
#include "wire/json.h"

namespace parley::gateway {
namespace {

constexpr std::size_t kShortestPassword = 8;
constexpr std::size_t kLongestPassword = 256;

struct Application {
    std::string name;
    std::string password;
    std::string nickname;
};

/// The text of a field that has to be there.
Result<std::string> required(const wire::JsonFields& fields, std::string_view name) {
    auto text = fields.text(name);
    if (!text) return fail(text.error());
    if (!*text) return fail(Code::kInvalidPayload, std::string{name} + " is missing");
    return std::move(**text);
}

Result<Application> parse_application(std::string_view body) {
    const auto fields = wire::JsonFields::parse(body, {"name", "password", "nickName"});
    if (!fields) return fail(fields.error());
    auto name = required(*fields, "name");
    if (!name) return fail(name.error());
    name = visible_name(*name, "name");
    if (!name) return fail(name.error());
    auto password = required(*fields, "password");
    if (!password) return fail(password.error());
    if (password->size() < kShortestPassword || password->size() > kLongestPassword) {
        return fail(Code::kInvalidPayload, "password must be 8 to 256 bytes");
    }
    auto nickname = fields->text("nickName");
    if (!nickname) return fail(nickname.error());
    auto shown = visible_name(nickname->value_or(*name), "nickName");
    if (!shown) return fail(shown.error());
    return Application{std::move(*name), std::move(*password), std::move(*shown)};
}

Result<store::Account> open_account(Services& services, const Application& application, WallTime now) {
    // Asked before the hash is made, which costs; add_account() decides.
    const auto taken = services.directory.account_by_name(application.name);
    if (!taken) return fail(taken.error());
    if (taken->has_value()) return fail(Code::kNameTaken, {});
    auto hash = services.passwords.hash(application.password);
    if (!hash) return fail(hash.error());
    store::Account account{.id = MemberId::trusted("u-" + random_hex(8)),
                           .name = application.name,
                           .nickname = application.nickname,
                           .password_hash = std::move(*hash),
                           .created_at = now,
                           .revoked_before = {}};
    if (const auto added = services.directory.add_account(account); !added) return fail(added.error());
    return account;
}

Result<store::Account> check_password(Services& services, const std::string& name, const std::string& password) {
    auto account = services.directory.account_by_name(name);
    if (!account) return fail(account.error());
    if (!account->has_value()) {
        services.passwords.verify_decoy(password);
        return fail(Code::kLoginFailed, {});
    }
    if (!services.passwords.verify(password, (*account)->password_hash)) return fail(Code::kLoginFailed, {});
    return std::move(**account);
}

/// The cookie goes back over TLS alone where the page came that way.
std::string token_cookie(const RestCall& call, std::string_view token, seconds max_age) {
    const bool secure = call.exchange()->is_secure();
    return wire::set_cookie(kTokenCookie, token, {.max_age = max_age, .secure = secure}).value_or(std::string{});
}

std::string account_json(const store::Account& account) {
    return JsonObject{}
        .text("id", account.id.str())
        .text("name", account.name)
        .text("nickName", account.nickname)
        .str();
}

}  // namespace

bool Rest::keeps_accounts(const RestCallRef& call) {
    if (core_.services().keys.can_sign()) return true;
    call->refuse({Code::kNotFound, "tokens come from elsewhere: auth.public_key holds no key to sign them with"});
    return false;
}

bool Rest::login_rate_left(const RestCallRef& call) {
    const std::string address = auth::address_key(call->exchange()->peer());
    const auto wait = core_.services().rates.login(address, core_.loop().now());
    if (wait) call->refuse_rate(*wait, "too many attempts from this address");
    return !wait;
}

void Rest::register_account(const RestCallRef& call) {
    if (!keeps_accounts(call)) return;
    auto application = parse_application(call->request().body);
    if (!application) {
        call->refuse(application.error());
        return;
    }
    if (!login_rate_left(call)) return;
    core_.hashing().ask([&services = core_.services(), application = std::move(*application),
                         now = core_.loop().clock().wall()] { return open_account(services, application, now); },
                        [call](Result<store::Account> account) {
                            if (account) {
                                call->answer(201, account_json(*account));
                            } else {
                                call->refuse(account.error());
                            }
                        });
}

void Rest::login(const RestCallRef& call) {
    if (!keeps_accounts(call)) return;
    const auto fields = wire::JsonFields::parse(call->request().body, {"name", "password"});
    if (!fields) {
        call->refuse(fields.error());
        return;
    }
    auto name = required(*fields, "name");
    auto password = required(*fields, "password");
    if (!name || !password) {
        call->refuse(name ? password.error() : name.error());
        return;
    }
    if (!login_rate_left(call)) return;
    core_.hashing().ask([&services = core_.services(), name = std::move(*name),
                         password = std::move(*password)] { return check_password(services, name, password); },
                        [this, call](Result<store::Account> account) {
                            if (account) {
                                give_token(call, account->id, account->nickname);
                            } else {
                                call->refuse(account.error());
                            }
                        });
}

void Rest::give_token(const RestCallRef& call, const MemberId& member, const std::string& nickname) {
    const WallTime now = core_.loop().clock().wall();
    const milliseconds ttl = core_.options().token_ttl;
    const auto token = core_.services().keys.sign({.member = member, .nickname = nickname}, now, ttl);
    if (!token) {
        call->refuse(token.error());
        return;
    }
    const std::string cookie = token_cookie(*call, *token, std::chrono::floor<seconds>(ttl));
    call->answer(200,
                 JsonObject{}
                     .text("accessToken", *token)
                     .text("id", member.str())
                     .text("nickName", nickname)
                     .text("expiresAt", format_iso(now + ttl))
                     .str(),
                 {{"Set-Cookie", cookie}});
}

void Rest::refresh(const RestCallRef& call) {
    if (auth::Tickets::is_ticket(request_token(call->request()))) {
        call->refuse({Code::kAuthInvalid, "a ticket opens a connection, nothing more"});
        return;
    }
    if (!keeps_accounts(call)) return;
    give_token(call, call->member(), call->identity.claims.nickname);
}

void Rest::logout(const RestCallRef& call) {
    core_.services().guard.revoke(call->identity.token_sha256, call->identity.claims.expires,
                                  [call, &loop = core_.loop()](Result<> revoked) {
                                      loop.post([call, revoked = std::move(revoked)] {
                                          if (!revoked) {
                                              call->refuse(revoked.error());
                                              return;
                                          }
                                          const std::string cookie = token_cookie(*call, {}, seconds{0});
                                          call->answer(200, "null", {{"Set-Cookie", cookie}});
                                      });
                                  });
}

void Rest::ticket(const RestCallRef& call) {
    const std::string token = request_token(call->request());
    if (auth::Tickets::is_ticket(token)) {
        call->refuse({Code::kAuthInvalid, "a ticket opens a connection, nothing more"});
        return;
    }
    core_.services().tickets.issue(token, [call, &loop = core_.loop()](Result<std::string> issued) {
        loop.post([call, issued = std::move(issued)] {
            if (!issued) {
                call->refuse(issued.error());
                return;
            }
            call->answer(200, JsonObject{}
                                  .text("ticket", *issued)
                                  .number("expiresIn", static_cast<std::uint64_t>(auth::Tickets::kLifetime.count()))
                                  .str());
        });
    });
}

}  // namespace parley::gateway
