#include "base/config_keys.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ip.h"

namespace parley {
namespace keys {
namespace {

constexpr std::string_view kBase64 = "base64:";
constexpr std::size_t kMinSecret = 32;
constexpr std::string_view kTopicLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
constexpr std::string_view kSchemaLetters = "abcdefghijklmnopqrstuvwxyz0123456789_";

std::optional<std::int64_t> number(std::string_view text, std::int64_t max) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > max) return std::nullopt;
    return value;
}

/// Bytes a base64 text stands for; nothing where it is no base64.
std::optional<std::size_t> base64_size(std::string_view text) {
    if (text.empty() || text.size() % 4 != 0) return std::nullopt;
    std::vector<unsigned char> out(text.size());
    const int written =
        EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (written < 0) return std::nullopt;
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    return static_cast<std::size_t>(written) - padding;
}

}  // namespace

namespace detail {

const char* check_listen(std::string_view text) {
    static constexpr const char* kExpected =
        "expected HOST:PORT, http://HOST:PORT, https://HOST:PORT or unix:/path, then proxy_protocol or, of a Unix "
        "socket, mode=0660";
    return parse_listen(text) ? nullptr : kExpected;
}

const char* check_role(std::string_view text) {
    if (text == "notification" || text == "analytics" || text == "db-writer" || text == "none") return nullptr;
    return "expected notification, analytics, db-writer or none";
}

const char* check_plain_listen(std::string_view text) {
    if (text.empty()) return nullptr;
    const auto spec = parse_listen(text);
    const bool is_plain = spec && !spec->tls && !spec->proxy_protocol;
    return is_plain ? nullptr : "expected HOST:PORT, http://HOST:PORT or unix:/path";
}

const char* check_optional_listen(std::string_view text) { return text.empty() ? nullptr : check_listen(text); }

const char* check_fleet_listen(std::string_view text) {
    if (text.empty()) return nullptr;
    const auto address = parse_address(text);
    const auto ip = address ? IpAddress::parse(address->host) : std::nullopt;
    const bool is_any = ip && (ip->text() == "0.0.0.0" || ip->text() == "::");
    return ip && !is_any ? nullptr : "expected the IP address of this machine that the others reach, 10.0.0.7:7400";
}

const char* check_trusted_proxy(std::string_view text) {
    if (text == "unix:" || IpRange::parse(text)) return nullptr;
    return "expected a network such as 10.0.0.0/8 or 2001:db8::/32, an address, or unix:";
}

const char* check_secret(std::string_view text) {
    if (text.empty()) return nullptr;
    if (text.starts_with(kBase64)) {
        const auto size = base64_size(text.substr(kBase64.size()));
        if (!size) return "what follows base64: is no base64";
        return *size < kMinSecret ? "a secret needs 32 bytes or more" : nullptr;
    }
    return text.size() < kMinSecret ? "a secret needs 32 bytes or more" : nullptr;
}

const char* check_heartbeat(std::string_view text) {
    static constexpr const char* kExpected = "expected two numbers of milliseconds, such as 30000,30000";
    const auto comma = text.find(',');
    if (comma == std::string_view::npos) return kExpected;
    const bool ok = number(text.substr(0, comma), 86'400'000) && number(text.substr(comma + 1), 86'400'000);
    return ok ? nullptr : kExpected;
}

const char* check_origin(std::string_view text) {
    if (text == "*") return nullptr;
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos || scheme == 0)
        return "expected * or scheme://host, such as https://*.example.org";
    const auto host = text.substr(scheme + 3);
    if (host.empty() || host.find_first_of("/?# @") != std::string_view::npos)
        return "an origin ends after host and port";
    return nullptr;
}

const char* check_not_empty(std::string_view text) { return text.empty() ? "may not be empty" : nullptr; }

const char* check_script_url(std::string_view text) {
    static constexpr const char* kExpected = "expected an address that begins with /, http:// or https://";
    if (text.empty()) return nullptr;
    if (!text.starts_with('/') && !text.starts_with("http://") && !text.starts_with("https://")) return kExpected;
    const bool clean = std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < 0x7F && std::string_view{"\"'<>\\`{}"}.find(c) == std::string_view::npos;
    });
    return clean ? nullptr : kExpected;
}

const char* check_schema(std::string_view text) {
    const bool plain =
        !text.empty() && text.size() <= 63 && text.find_first_not_of(kSchemaLetters) == std::string_view::npos;
    return plain && (text[0] < '0' || text[0] > '9') ? nullptr : "expected a name of a-z, 0-9 and _, such as parley";
}

const char* check_prefix(std::string_view text) {
    static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const bool plain = !text.empty() && text.size() <= 64 && text.find_first_not_of(kLetters) == std::string_view::npos;
    return plain ? nullptr : "expected a name of letters, digits, _ and -, such as parley";
}

const char* check_topic_part(std::string_view text) {
    return text.size() <= 200 && text.find_first_not_of(kTopicLetters) == std::string_view::npos
               ? nullptr
               : "expected a name of A-Z, a-z, 0-9 and . _ -";
}

const char* check_topic(std::string_view text) {
    return text.empty() || text == "." || text == ".." ? "expected a topic's name" : check_topic_part(text);
}

}  // namespace detail

Heartbeat parse_heartbeat(std::string_view text) {
    const auto comma = std::min(text.find(','), text.size());
    const auto part = [](std::string_view digits) { return milliseconds{number(digits, 86'400'000).value_or(0)}; };
    return {part(text.substr(0, comma)), part(text.substr(std::min(comma + 1, text.size())))};
}

namespace {

std::string_view take_word(std::string_view& text) {
    const auto begin = std::min(text.find_first_not_of(' '), text.size());
    const auto end = std::min(text.find(' ', begin), text.size());
    const auto word = text.substr(begin, end - begin);
    text.remove_prefix(end);
    return word;
}

}  // namespace

Result<ListenSpec> parse_listen(std::string_view text) {
    static constexpr std::string_view kUnix = "unix:";
    static constexpr std::string_view kHttp = "http://";
    static constexpr std::string_view kHttps = "https://";
    ListenSpec out;
    std::string_view where = take_word(text);
    const bool is_unix = where.starts_with(kUnix);
    if (is_unix) {
        out.path = where.substr(kUnix.size());
        if (!out.path.starts_with('/')) return fail(Code::kBadRequest, "the path of a Unix socket begins with /");
    } else {
        out.tls = where.starts_with(kHttps);
        if (out.tls) {
            where.remove_prefix(kHttps.size());
        } else if (where.starts_with(kHttp)) {
            where.remove_prefix(kHttp.size());
        }
        if (where.ends_with('/')) where.remove_suffix(1);
        auto address = parse_address(where);
        if (!address) return fail(address.error());
        out.address = std::move(*address);
    }
    for (auto option = take_word(text); !option.empty(); option = take_word(text)) {
        if (option == "proxy_protocol") {
            out.proxy_protocol = true;
        } else if (is_unix && option.starts_with("mode=")) {
            const auto digits = option.substr(5);
            const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.mode, 8);
            if (error != std::errc{} || end != digits.data() + digits.size() || out.mode > 0777)
                return fail(Code::kBadRequest, "a mode is octal, such as 0660");
        } else {
            return fail(Code::kBadRequest, "an option is proxy_protocol or, of a Unix socket, mode=");
        }
    }
    return out;
}

Result<HostPort> parse_address(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return fail(Code::kBadRequest, "expected HOST:PORT");
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (host.empty() || host.find_first_of("[]/ \t") != std::string_view::npos)
        return fail(Code::kBadRequest, "not a host");
    if (!bracketed && host.find(':') != std::string_view::npos)
        return fail(Code::kBadRequest, "an IPv6 address needs [ ]");
    const auto port = number(text.substr(colon + 1), 65535);
    if (!port) return fail(Code::kBadRequest, "a port is a number from 0 to 65535");
    return HostPort{std::string{host}, static_cast<std::uint16_t>(*port)};
}

}  // namespace keys

std::span<const KeySpec* const> all_keys() noexcept {
    using namespace keys;
    static constexpr std::array kAll{&listen.spec,
                                     &listeners.spec,
                                     &proxies_trusted.spec,
                                     &data_dir.spec,
                                     &threads.spec,
                                     &flush_kind.spec,
                                     &tls_certificate.spec,
                                     &tls_key.spec,
                                     &tls_self_signed.spec,
                                     &tls_min_version.spec,
                                     &tls_hsts.spec,
                                     &auth_secret.spec,
                                     &auth_secret_previous.spec,
                                     &auth_algorithm.spec,
                                     &auth_public_key.spec,
                                     &auth_public_key_previous.spec,
                                     &auth_cache_down.spec,
                                     &limits_max_sessions.spec,
                                     &limits_message.spec,
                                     &limits_send_buffer.spec,
                                     &limits_send_time.spec,
                                     &limits_handshake_header.spec,
                                     &limits_handshake_time.spec,
                                     &limits_body_time.spec,
                                     &limits_idle_time.spec,
                                     &limits_message_time.spec,
                                     &limits_subscriptions.spec,
                                     &limits_memory.spec,
                                     &rate_enabled.spec,
                                     &rate_send.spec,
                                     &rate_handshake.spec,
                                     &rate_login.spec,
                                     &rate_room_create.spec,
                                     &stomp_heartbeat.spec,
                                     &websocket_ping.spec,
                                     &sockjs_client_url.spec,
                                     &sockjs_heartbeat.spec,
                                     &sockjs_cookie_needed.spec,
                                     &presence_grace.spec,
                                     &chat_session_ttl.spec,
                                     &rooms_auto_create.spec,
                                     &members_require_registered.spec,
                                     &origins_allowed.spec,
                                     &public_enabled.spec,
                                     &drain_limit.spec,
                                     &drain_notice.spec,
                                     &drain_spread.spec,
                                     &log_kind.spec,
                                     &log_keep_age.spec,
                                     &log_keep_bytes.spec,
                                     &log_dedup_window.spec,
                                     &bus_kind.spec,
                                     &bus_mirror.spec,
                                     &bus_accept_foreign.spec,
                                     &fleet_secret.spec,
                                     &fleet_listen.spec,
                                     &store_kind.spec,
                                     &postgres_url.spec,
                                     &postgres_schema.spec,
                                     &postgres_connections.spec,
                                     &mysql_url.spec,
                                     &mongo_url.spec,
                                     &mongo_database.spec,
                                     &mongo_connections.spec,
                                     &kafka_brokers.spec,
                                     &kafka_topic.spec,
                                     &kafka_partitions.spec,
                                     &kafka_replication.spec,
                                     &kafka_retention.spec,
                                     &kafka_compression.spec,
                                     &kafka_linger.spec,
                                     &kafka_batch.spec,
                                     &kafka_group_prefix.spec,
                                     &kafka_dead_letters.spec,
                                     &kafka_workers.spec,
                                     &kafka_properties.spec,
                                     &kafka_lag_interval.spec,
                                     &kafka_lag_warn.spec,
                                     &rabbitmq_url.spec,
                                     &nats_url.spec,
                                     &cache_kind.spec,
                                     &redis_url.spec,
                                     &redis_prefix.spec,
                                     &ready_strict.spec,
                                     &worker_roles.spec,
                                     &worker_listen.spec,
                                     &admin_listen.spec,
                                     &admin_token.spec,
                                     &logging_level.spec,
                                     &logging_format.spec};
    return kAll;
}

}  // namespace parley
