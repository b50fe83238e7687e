#include "gateway/session_owners.h"

#include <fmt/format.h>

#include <charconv>

#include "auth/encoding.h"
#include "base/ip.h"

namespace parley::gateway {
namespace {

constexpr std::string_view kVersion = "1 ";

/// Who reads the cache learns no name of a session: that would be enough to write to it.
std::string cache_key(const std::string& session) { return "sockjs:" + auth::sha256_hex(session); }

template <class Number>
bool read_number(std::string_view text, Number& out, int base) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string owner_text(const Owner& owner) {
    return fmt::format("{}{:016x} {}", kVersion, owner.server, owner.at.text());
}

std::optional<Owner> parse_owner(std::string_view text) {
    if (!text.starts_with(kVersion)) return std::nullopt;
    text.remove_prefix(kVersion.size());
    const auto space = text.find(' ');
    const auto colon = text.rfind(':');
    if (space == std::string_view::npos || colon == std::string_view::npos || colon < space) return std::nullopt;
    Owner out;
    auto host = text.substr(space + 1, colon - space - 1);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (!read_number(text.substr(0, space), out.server, 16) || !read_number(text.substr(colon + 1), out.at.port, 10) ||
        !IpAddress::parse(host)) {
        return std::nullopt;
    }
    out.at.host = host;
    return out;
}

SessionOwners::SessionOwners(rt::Loop& loop, const FleetPlace* place)
    : loop_(loop), place_(place), mine_(place == nullptr ? std::string{} : owner_text(place->self)) {}

SessionOwners::~SessionOwners() {
    for (const auto& [key, again_at] : held_) place_->cache.release(key, mine_, [](const Result<>&) {});
}

/// A callback for the cache, from any thread, that has `use(answer)` run on this loop.
template <class Answer, class Use>
auto SessionOwners::here(Use use) {
    return [&loop = loop_, alive = std::weak_ptr<bool>{alive_}, use = std::move(use)](Answer answer) mutable {
        // Moved, not copied: what `use` holds is destroyed on the loop.
        loop.post([alive = std::move(alive), use = std::move(use), answer = std::move(answer)]() mutable {
            if (!alive.expired()) use(std::move(answer));
        });
    };
}

Result<std::optional<Owner>> SessionOwners::other_in(Result<std::optional<std::string>> value) const {
    if (!value) return fail(std::move(value.error()));
    if (!*value || **value == mine_) return std::nullopt;
    auto owner = parse_owner(**value);
    if (!owner) return fail(Code::kAuthUnavailable, "the session cache has an owner of a session that is none");
    return owner;
}

void SessionOwners::find(const std::string& session, Then then) {
    if (is_alone()) {
        then(std::nullopt);
        return;
    }
    using Answer = Result<std::optional<std::string>>;
    place_->cache.get(cache_key(session), here<Answer>([this, then = std::move(then)](Answer value) mutable {
                          then(other_in(std::move(value)));
                      }));
}

void SessionOwners::claim(const std::string& session, Then then) {
    if (is_alone()) {
        then(std::nullopt);
        return;
    }
    using Answer = Result<std::string>;
    auto key = cache_key(session);
    place_->cache.claim(key, mine_, expiry(), here<Answer>([this, key, then = std::move(then)](Answer holder) mutable {
                            if (holder && *holder == mine_) held_[key] = loop_.now() + kRenew;
                            then(holder ? other_in(std::move(*holder)) : fail(std::move(holder.error())));
                        }));
}

void SessionOwners::release(const std::string& session) {
    if (is_alone()) return;
    const auto key = cache_key(session);
    if (held_.erase(key) != 0) place_->cache.release(key, mine_, [](const Result<>&) {});
}

void SessionOwners::let_go(const std::string& session, const Owner& owner) {
    place_->cache.release(cache_key(session), owner_text(owner), [](const Result<>&) {});
}

void SessionOwners::on_second() {
    for (auto& [key, again_at] : held_) {
        if (again_at > loop_.now()) continue;
        again_at = loop_.now() + kRenew;
        // Whoever has claimed it meanwhile, while the cache was empty, has another session of that name.
        place_->cache.claim(key, mine_, expiry(), [](const Result<std::string>&) {});
    }
}

}  // namespace parley::gateway
