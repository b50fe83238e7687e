#include "settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "auth/derived_key.h"
#include "base/config_keys.h"
#include "base/logger.h"
#include "base/uuid.h"
#include "private_file.h"

namespace parley::app {
namespace {

constexpr Bytes kLeastMemory{64_MiB};
const std::string kFreePort = "127.0.0.1:0";

auto at_data_dir(const Config& config, const std::string& why) {
    return fail(Code::kInternal, fmt::format("data_dir ({}): {}", config.origin(keys::data_dir), why));
}

Result<std::string> read_or_make_secret(const Config& config) {
    const auto data_dir = make_data_dir(config);
    if (!data_dir) return fail(data_dir.error());
    const auto path = *data_dir / "secret";
    if (std::filesystem::exists(path)) {
        std::ifstream file{path};
        std::string secret;
        std::getline(file, secret);
        if (secret.size() < 32) {
            return at_data_dir(config, path.string() + " holds no secret of 32 bytes or more; restore or remove it");
        }
        return secret;
    }
    const std::string secret = random_hex(32);
    if (auto kept = write_private_file(path, secret + '\n'); !kept) return at_data_dir(config, kept.error().message);
    return secret;
}

Result<auth::TokenOptions> token_options(const Config& config) {
    auth::TokenOptions options;
    options.algorithm = config.get(keys::auth_algorithm);
    options.secret = config.get(keys::auth_secret);
    options.secret_previous = config.get(keys::auth_secret_previous);
    options.public_key = config.get(keys::auth_public_key);
    options.public_key_previous = config.get(keys::auth_public_key_previous);
    if (options.algorithm.starts_with("HS") && options.secret.empty()) {
        auto secret = read_or_make_secret(config);
        if (!secret) return fail(secret.error());
        options.secret = std::move(*secret);
    }
    return options;
}

template <class Key>
auto refuse_door(const Config& config, const Key& key, const std::string& why) {
    return fail(Code::kBadRequest, fmt::format("{} ({}): {}", key.spec.name, config.origin(key), why));
}

template <class Key>
Result<gateway::Door> claim_door(const Config& config, const Key& key, const std::string& text, gateway::Door door) {
    auto spec = keys::parse_listen(text);
    if (!spec) return refuse_door(config, key, spec.error().message);
    door.tls = spec->tls;
    door.proxy_protocol = spec->proxy_protocol;
    if (spec->path.empty()) {
        auto at = rt::Endpoint::of(std::move(spec->address.host), spec->address.port);
        if (!at) return refuse_door(config, key, at.error().message);
        door.at = std::move(*at);
    } else {
        door.at = {.path = std::move(spec->path), .mode = spec->mode};
    }
    // Bound once without SO_REUSEPORT: a port somebody has is an error, not half the users.
    auto claimed = rt::claim(door.at);
    if (!claimed) return refuse_door(config, key, claimed.error().message);
    door.at = std::move(*claimed);
    return door;
}

}  // namespace

Result<std::filesystem::path> make_data_dir(const Config& config) {
    const std::filesystem::path folder = config.get(keys::data_dir);
    std::error_code error;
    const bool is_new = std::filesystem::create_directories(folder, error);
    // Private rooms and the hashes of passwords: for nobody else's eyes.
    if (is_new) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
    if (error) return at_data_dir(config, fmt::format("{} cannot be made: {}", folder.string(), error.message()));
    return folder;
}

Result<std::vector<gateway::Door>> doors(const Config& config) {
    std::vector<gateway::Door> out;
    const auto add = [&](const auto& key, const std::string& text, const gateway::Door& kind = {}) -> Result<> {
        auto door = claim_door(config, key, text, kind);
        if (!door) return fail(door.error());
        const auto same = [&](const gateway::Door& other) { return other.at.text() == door->at.text(); };
        if (std::any_of(out.begin(), out.end(), same))
            return refuse_door(config, key, door->at.text() + " is listened at already");
        out.push_back(std::move(*door));
        return {};
    };
    if (auto added = add(keys::listen, config.get(keys::listen)); !added) return fail(added.error());
    for (const std::string& text : config.get(keys::listeners)) {
        if (auto added = add(keys::listeners, text); !added) return fail(added.error());
    }
    const std::string& admin = config.get(keys::admin_listen);
    if (!admin.empty()) {
        if (auto added = add(keys::admin_listen, admin, {.for_operators = true}); !added) return fail(added.error());
    }
    if (!shares_sessions(config)) return out;
    const std::string& fleet = config.get(keys::fleet_listen);
    const auto added = add(keys::fleet_listen, fleet.empty() ? kFreePort : fleet, {.for_servers = true});
    if (!added) return fail(added.error());
    return out;
}

Result<std::optional<gateway::Door>> worker_door(const Config& config) {
    const std::string& text = config.get(keys::worker_listen);
    if (text.empty()) return std::optional<gateway::Door>{};
    auto door = claim_door(config, keys::worker_listen, text, {});
    if (!door) return fail(door.error());
    return std::optional{std::move(*door)};
}

std::vector<std::string> fleet_keys(const Config& config, std::string_view purpose) {
    std::vector<std::string> secrets{config.get(keys::fleet_secret)};
    if (secrets.front().empty()) secrets = {config.get(keys::auth_secret), config.get(keys::auth_secret_previous)};
    std::vector<std::string> out;
    for (const std::string& secret : secrets) {
        if (!secret.empty()) out.push_back(auth::derive_key(secret, purpose));
    }
    return out;
}

bool shares_sessions(const Config& config) {
    return config.get(keys::cache_kind) == "redis" && !fleet_keys(config, kRelays).empty();
}

void warn_of_unused(const Config& config) {
    const auto warn = [&config](const Key<std::string>& key) {
        if (config.get(key).empty()) return;
        logger::warn("parley", "an address is not used: what speaks to it is not built in this version",
                     {{"key", key.spec.name}, {"from", config.origin(key)}});
    };
    warn(keys::mysql_url);
    warn(keys::rabbitmq_url);
    warn(keys::nats_url);
}

std::string url(const gateway::Door& door) {
    if (door.at.is_unix()) return door.at.text();
    return (door.tls ? "https://" : "http://") + door.at.text();
}

Result<gateway::Options> gateway_options(const Config& config, std::vector<gateway::Door> doors, bool test_endpoints) {
    gateway::Options options;
    auto proxies = wire::TrustedProxies::parse(config.get(keys::proxies_trusted));
    if (!proxies) return fail(proxies.error());
    options.proxies = std::move(*proxies);
    bool all_local = true;
    for (const gateway::Door& door : doors) {
        if (door.for_operators || door.for_servers || door.at.is_unix() || door.at.is_loopback()) continue;
        all_local = false;
        if (!test_endpoints) continue;
        return fail(Code::kBadRequest,
                    "--enable-test-endpoints works on loopback listeners only; one is " + door.at.text());
    }
    options.loopback = all_local && options.proxies.empty();
    options.doors = std::move(doors);
    options.hsts = std::chrono::floor<seconds>(config.get(keys::tls_hsts));
    const std::string& enabled = config.get(keys::public_enabled);
    options.public_profile = enabled == "on" || (enabled == "auto" && options.loopback);
    options.test_endpoints = test_endpoints;
    options.auto_create = config.get(keys::rooms_auto_create);
    options.require_registered = config.get(keys::members_require_registered);
    options.ready_strict = config.get(keys::ready_strict);
    options.log_is_shared = config.get(keys::log_kind) != "embedded";
    options.max_sessions = static_cast<std::size_t>(config.get(keys::limits_max_sessions));
    options.message = config.get(keys::limits_message);
    options.send_buffer = config.get(keys::limits_send_buffer);
    options.send_time = config.get(keys::limits_send_time);
    options.handshake_header = config.get(keys::limits_handshake_header);
    options.handshake_time = config.get(keys::limits_handshake_time);
    options.body_time = config.get(keys::limits_body_time);
    options.idle_time = config.get(keys::limits_idle_time);
    options.patience = {config.get(keys::websocket_ping), config.get(keys::limits_message_time)};
    options.subscriptions = static_cast<std::size_t>(config.get(keys::limits_subscriptions));
    options.origins = config.get(keys::origins_allowed);
    options.sockjs_client_url = config.get(keys::sockjs_client_url);
    options.sockjs_heartbeat = config.get(keys::sockjs_heartbeat);
    options.sockjs_cookie_needed = config.get(keys::sockjs_cookie_needed);
    const auto beat = keys::parse_heartbeat(config.get(keys::stomp_heartbeat));
    options.heart_beat = {static_cast<std::uint32_t>(beat.send.count()),
                          static_cast<std::uint32_t>(beat.receive.count())};
    options.admin_token = config.get(keys::admin_token);
    options.session_ttl = config.get(keys::chat_session_ttl);
    return options;
}

Result<Bytes> memory_limit(const Config& config) {
    const Bytes configured = config.get(keys::limits_memory);
    if (configured.count == 0) return std::max(default_memory_budget(), kLeastMemory);
    if (configured < kLeastMemory) {
        return fail(Code::kBadRequest, fmt::format("limits.memory ({}): the server needs {} MiB or more",
                                                   config.origin(keys::limits_memory), kLeastMemory.count >> 20));
    }
    return configured;
}

auth::RateOptions rate_options(const Config& config) {
    auth::RateOptions options;
    options.enabled = config.get(keys::rate_enabled);
    options.send_session = config.get(keys::rate_send);
    options.send_member = config.get(keys::rate_send);
    options.handshake_address = config.get(keys::rate_handshake);
    options.login_address = config.get(keys::rate_login);
    options.room_member = config.get(keys::rate_room_create);
    return options;
}

Result<auth::TokenKeys> token_keys(const Config& config) {
    const auto options = token_options(config);
    if (!options) return fail(options.error());
    auto loaded = auth::TokenKeys::load(*options);
    if (loaded) return loaded;
    std::string why = loaded.error().message;
    const auto add_place = [&](const auto& key) {
        const std::string name{key.spec.name};
        if (why.starts_with(name + ':')) why.insert(name.size(), fmt::format(" ({})", config.origin(key)));
    };
    add_place(keys::auth_secret);
    add_place(keys::auth_secret_previous);
    add_place(keys::auth_public_key);
    add_place(keys::auth_public_key_previous);
    return fail(loaded.error().code, std::move(why));
}

Result<std::vector<std::string>> cursor_keys(const Config& config) {
    auto tokens = token_options(config);
    if (!tokens) return fail(tokens.error());
    if (tokens->secret.empty()) tokens->secret = config.get(keys::fleet_secret);
    if (tokens->secret.empty()) {
        auto secret = read_or_make_secret(config);
        if (!secret) return fail(secret.error());
        tokens->secret = std::move(*secret);
    }
    std::vector<std::string> keys;
    for (const std::string& secret : {tokens->secret, tokens->secret_previous}) {
        if (!secret.empty()) keys.push_back(auth::derive_key(secret, "parley cursor"));
    }
    return keys;
}

}  // namespace parley::app
