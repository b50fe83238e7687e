#pragma once
#include "base/config.h"

/// Every key this version acts on, and those of docs/protocol.md that a script may set for every version. A key is
/// added together with the code that reads it, and to the table in config_keys.cpp.
namespace parley::keys {

namespace detail {
inline constexpr std::string_view kAlgorithms[] = {"HS256", "HS384", "HS512", "RS256", "ES256"};
inline constexpr std::string_view kCacheDown[] = {"refuse", "allow"};
inline constexpr std::string_view kFlushKinds[] = {"auto", "io_uring", "writev"};
inline constexpr std::string_view kTlsVersions[] = {"1.2", "1.3"};
inline constexpr std::string_view kAutoOnOff[] = {"auto", "on", "off"};
inline constexpr std::string_view kLogKinds[] = {"embedded", "store", "kafka"};
inline constexpr std::string_view kBusKinds[] = {"inproc", "redis"};
inline constexpr std::string_view kStoreKinds[] = {"embedded", "postgres", "mongodb"};
inline constexpr std::string_view kCacheKinds[] = {"memory", "redis"};
inline constexpr std::string_view kCompressions[] = {"snappy", "lz4", "zstd", "gzip", "none"};
inline constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error"};
inline constexpr std::string_view kFormats[] = {"auto", "human", "json"};
const char* check_listen(std::string_view text);
const char* check_optional_listen(std::string_view text);
const char* check_fleet_listen(std::string_view text);
const char* check_trusted_proxy(std::string_view text);
const char* check_secret(std::string_view text);
const char* check_heartbeat(std::string_view text);
const char* check_origin(std::string_view text);
const char* check_not_empty(std::string_view text);
const char* check_script_url(std::string_view text);
const char* check_schema(std::string_view text);
const char* check_prefix(std::string_view text);
const char* check_topic(std::string_view text);
const char* check_topic_part(std::string_view text);
const char* check_role(std::string_view text);
const char* check_plain_listen(std::string_view text);
inline constexpr std::int64_t kDay = 86'400'000;
}  // namespace detail

// clang-format off
inline constexpr Key<std::string> listen{{.name = "listen", .default_text = "127.0.0.1:8080",
    .help = "Where clients connect, as below. Port 0 takes a free one.", .check = detail::check_listen}};
inline constexpr Key<ConfigList> listeners{{.name = "listeners", .default_text = "",
    .help = "Where else they connect: `https://HOST:PORT`, `unix:/path`, as below.", .check = detail::check_listen}};
inline constexpr Key<ConfigList> proxies_trusted{{.name = "proxies.trusted", .default_text = "",
    .help = "Whose PROXY headers and X-Forwarded-For are believed: networks (`10.0.0.0/8`), addresses, `unix:` for whoever connects by a Unix socket.",
    .check = detail::check_trusted_proxy}};
inline constexpr Key<std::string> data_dir{{.name = "data_dir", .default_text = "./parley-data",
    .help = "Where messages, accounts and the generated secret are kept.", .check = detail::check_not_empty}};
inline constexpr Key<std::int64_t> threads{{.name = "threads", .default_text = "0",
    .help = "Event loops; 0 is one for each core.", .max = 1024}};
inline constexpr Key<std::string> flush_kind{{.name = "flush.kind", .default_text = "auto",
    .help = "How a turn's bytes reach the kernel: `io_uring` in one call, `writev` in one for each connection, `auto` as the system allows.",
    .choices = detail::kFlushKinds}};

inline constexpr Key<ConfigList> tls_certificate{{.name = "tls.certificate", .default_text = "",
    .help = "PEM file of what `https://` listeners show, the chain behind it. Two files: one ECDSA, one RSA.", .check = detail::check_not_empty}};
inline constexpr Key<ConfigList> tls_key{{.name = "tls.key", .default_text = "",
    .help = "PEM file of its key, without pass phrase; one for each certificate.", .check = detail::check_not_empty}};
inline constexpr Key<bool> tls_self_signed{{.name = "tls.self_signed", .default_text = "false",
    .help = "For trying out: make a certificate for localhost, 127.0.0.1 and ::1 once and keep it in `data_dir`."}};
inline constexpr Key<std::string> tls_min_version{{.name = "tls.min_version", .default_text = "1.2",
    .help = "The oldest TLS that is spoken.", .choices = detail::kTlsVersions}};
inline constexpr Key<milliseconds> tls_hsts{{.name = "tls.hsts", .default_text = "0",
    .help = "Answers over https tell browsers to come by https alone for so long (Strict-Transport-Security); 0: they do not.", .max = 1000 * detail::kDay}};

inline constexpr Key<std::string> auth_secret{{.name = "auth.secret", .default_text = "",
    .help = "Signs HS256/384/512 tokens: 32 bytes or more, raw or `base64:…`. Empty: generated once and kept in `data_dir`.",
    .check = detail::check_secret, .secrecy = Secrecy::kSecret}};
inline constexpr Key<std::string> auth_secret_previous{{.name = "auth.secret_previous", .default_text = "",
    .help = "The secret before a rotation: still accepted, never used to sign.",
    .check = detail::check_secret, .secrecy = Secrecy::kSecret}};
inline constexpr Key<std::string> auth_algorithm{{.name = "auth.algorithm", .default_text = "HS256",
    .help = "The one algorithm tokens may have.", .choices = detail::kAlgorithms}};
inline constexpr Key<std::string> auth_public_key{{.name = "auth.public_key", .default_text = "",
    .help = "PEM file that checks RS256 and ES256 tokens."}};
inline constexpr Key<std::string> auth_public_key_previous{{.name = "auth.public_key_previous", .default_text = "",
    .help = "PEM file of the key before a rotation: still accepted."}};
inline constexpr Key<std::string> auth_cache_down{{.name = "auth.cache_down", .default_text = "refuse",
    .help = "New handshakes while the session cache is away: `refuse` answers 503, `allow` trusts the token.",
    .choices = detail::kCacheDown}};

inline constexpr Key<std::int64_t> limits_max_sessions{{.name = "limits.max_sessions", .default_text = "10000",
    .help = "Sessions this server takes; more get 503.", .min = 1, .max = 100'000'000}};
inline constexpr Key<Bytes> limits_message{{.name = "limits.message", .default_text = "128KiB",
    .help = "Largest message from a client, after inflating.", .min = 1024, .max = 64 << 20}};
inline constexpr Key<Bytes> limits_send_buffer{{.name = "limits.send_buffer", .default_text = "512KiB",
    .help = "Unsent bytes of a connection before its subscriptions are set back.", .min = 16 << 10, .max = 1 << 30}};
inline constexpr Key<milliseconds> limits_send_time{{.name = "limits.send_time", .default_text = "20s",
    .help = "A socket that takes nothing for so long is closed (4408).", .min = 100, .max = 3'600'000}};
inline constexpr Key<Bytes> limits_handshake_header{{.name = "limits.handshake_header", .default_text = "16KiB",
    .help = "Largest request line and headers of an HTTP request.", .min = 1024, .max = 1 << 20}};
inline constexpr Key<milliseconds> limits_handshake_time{{.name = "limits.handshake_time", .default_text = "10s",
    .help = "Time to finish a handshake, and then CONNECT.", .min = 100, .max = 600'000}};
inline constexpr Key<milliseconds> limits_body_time{{.name = "limits.body_time", .default_text = "30s",
    .help = "Time for the body of a request to arrive after its head.", .min = 100, .max = 3'600'000}};
inline constexpr Key<milliseconds> limits_idle_time{{.name = "limits.idle_time", .default_text = "75s",
    .help = "Time between two requests on a connection that is kept alive.", .min = 100, .max = 3'600'000}};
inline constexpr Key<milliseconds> limits_message_time{{.name = "limits.message_time", .default_text = "60s",
    .help = "Time for one WebSocket message or STOMP frame to arrive, from its first byte; then the session is closed (4408).", .min = 1'000, .max = 3'600'000}};
inline constexpr Key<std::int64_t> limits_subscriptions{{.name = "limits.subscriptions", .default_text = "256",
    .help = "Subscriptions of one connection.", .min = 1, .max = 1'000'000}};
inline constexpr Key<Bytes> limits_memory{{.name = "limits.memory", .default_text = "0",
    .help = "Memory of the whole process; 0 is half of the machine's, or of what its control group allows. Near it new connections get 503 and senders wait.",
    .max = std::int64_t{1} << 50}};

inline constexpr Key<bool> rate_enabled{{.name = "rate.enabled", .default_text = "true",
    .help = "Whether the `rate.*` limits hold."}};
inline constexpr Key<Rate> rate_send{{.name = "rate.send", .default_text = "100/5s",
    .help = "SENDs of a session, and of a member over all sessions.", .min = 1, .max = 1'000'000'000}};
inline constexpr Key<Rate> rate_handshake{{.name = "rate.handshake", .default_text = "600/10s",
    .help = "Handshakes from one address.", .min = 1, .max = 1'000'000'000}};
inline constexpr Key<Rate> rate_login{{.name = "rate.login", .default_text = "60/1m",
    .help = "Logins and registrations from one address.", .min = 1, .max = 1'000'000'000}};
inline constexpr Key<Rate> rate_room_create{{.name = "rate.room_create", .default_text = "100/1m",
    .help = "Rooms that come to be by one member.", .min = 1, .max = 1'000'000'000}};

inline constexpr Key<std::string> stomp_heartbeat{{.name = "stomp.heartbeat", .default_text = "30000,30000",
    .help = "Heart-beats offered in CONNECTED: sent every, expected every; milliseconds, 0 is none.",
    .check = detail::check_heartbeat}};
inline constexpr Key<milliseconds> websocket_ping{{.name = "websocket.ping", .default_text = "30s",
    .help = "A WebSocket that has sent nothing for so long is pinged, and closed (4408) after twice that; 0: never.", .max = 3'600'000}};
inline constexpr Key<std::string> sockjs_client_url{{.name = "sockjs.client_url", .default_text = "",
    .help = "Where SockJS's iframe page loads sockjs-client from, in the version the pages use. Empty: this server's copy of 1.6.1.",
    .check = detail::check_script_url}};
inline constexpr Key<milliseconds> sockjs_heartbeat{{.name = "sockjs.heartbeat", .default_text = "30s",
    .help = "SockJS sends a heart-beat frame after so long.", .min = 100, .max = 3'600'000}};
inline constexpr Key<bool> sockjs_cookie_needed{{.name = "sockjs.cookie_needed", .default_text = "false",
    .help = "SockJS sets the cookie `JSESSIONID`, for load balancers that keep sessions together by it."}};
inline constexpr Key<milliseconds> presence_grace{{.name = "presence.grace", .default_text = "15s",
    .help = "After a lost connection a member stays present for so long.", .max = 3'600'000}};
inline constexpr Key<milliseconds> chat_session_ttl{{.name = "chat.session_ttl", .default_text = "30m",
    .help = "A chat session in a room ends after so long without TALK, PRESENCE or heart-beat.", .min = 1000, .max = 30 * detail::kDay}};
inline constexpr Key<bool> rooms_auto_create{{.name = "rooms.auto_create", .default_text = "true",
    .help = "An unknown room comes to be at its first JOIN, SEND or POST."}};
inline constexpr Key<bool> members_require_registered{{.name = "members.require_registered", .default_text = "false",
    .help = "A token's member must be registered here."}};
inline constexpr Key<ConfigList> origins_allowed{{.name = "origins.allowed", .default_text = "",
    .help = "Origins besides the own host that may connect: `https://*.example.org`, or `*` for all.",
    .check = detail::check_origin}};
inline constexpr Key<std::string> public_enabled{{.name = "public.enabled", .default_text = "auto",
    .help = "The public profile and plain broadcast; `auto` is on where only this machine connects.", .choices = detail::kAutoOnOff}};

inline constexpr Key<milliseconds> drain_limit{{.name = "drain.limit", .default_text = "10s",
    .help = "SIGTERM to exit takes no longer, and a second more.", .max = 3'600'000}};
inline constexpr Key<milliseconds> drain_notice{{.name = "drain.notice", .default_text = "5s",
    .help = "`/ready` answers 503 for so long before connections are refused. Unless set, 0 where only this machine connects.", .max = 3'600'000}};
inline constexpr Key<milliseconds> drain_spread{{.name = "drain.spread", .default_text = "3s",
    .help = "Open connections are closed one after the other over this time.", .max = 3'600'000}};

inline constexpr Key<std::string> log_kind{{.name = "log.kind", .default_text = "embedded",
    .help = "What sequences messages: `store` is the database of `store.kind`, `kafka` a topic.", .choices = detail::kLogKinds}};
inline constexpr Key<milliseconds> log_keep_age{{.name = "log.keep_age", .default_text = "0",
    .help = "Messages older than this are removed; 0 keeps them for ever.", .max = 36'500 * detail::kDay}};
inline constexpr Key<Bytes> log_keep_bytes{{.name = "log.keep_bytes", .default_text = "0",
    .help = "The oldest messages are removed above this size; 0 is no limit."}};
inline constexpr Key<std::int64_t> log_dedup_window{{.name = "log.dedup_window", .default_text = "100000",
    .help = "Over Kafka: offsets of a partition within which a repeat is recognised. Fixed with the first start on a topic.", .min = 1, .max = 1'000'000}};
inline constexpr Key<std::string> bus_kind{{.name = "bus.kind", .default_text = "inproc",
    .help = "How servers tell each other of new messages.", .choices = detail::kBusKinds}};
inline constexpr Key<bool> bus_mirror{{.name = "bus.mirror", .default_text = "true",
    .help = "Stored messages are also published on `chatroom.{roomId}` for other services."}};
inline constexpr Key<bool> bus_accept_foreign{{.name = "bus.accept_foreign", .default_text = "false",
    .help = "What other services publish on `chatroom.{roomId}` is shown to the room's readers as an EXTERNAL event."}};
inline constexpr Key<std::string> fleet_secret{{.name = "fleet.secret", .default_text = "",
    .help = "Signs what servers tell each other: 32 bytes or more, the same on all. Empty: made from `auth.secret`.",
    .check = detail::check_secret, .secrecy = Secrecy::kSecret}};
inline constexpr Key<std::string> fleet_listen{{.name = "fleet.listen", .default_text = "",
    .help = "With `cache.kind=redis`: where the other servers reach this one, `10.0.0.7:7400`. Empty: a free loopback port.",
    .check = detail::check_fleet_listen}};
inline constexpr Key<std::string> store_kind{{.name = "store.kind", .default_text = "embedded",
    .help = "Where members, rooms and read marks are kept.", .choices = detail::kStoreKinds}};
inline constexpr Key<std::string> postgres_url{{.name = "postgres.url", .default_text = "",
    .help = "`postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with libpq's options after `?`.", .secrecy = Secrecy::kSecret}};
inline constexpr Key<std::string> postgres_schema{{.name = "postgres.schema", .default_text = "parley",
    .help = "Where the tables are; made when missing.", .check = detail::check_schema}};
inline constexpr Key<std::int64_t> postgres_connections{{.name = "postgres.connections", .default_text = "8",
    .help = "The most connections of this server, beside the one that stores messages.", .min = 1, .max = 1000}};
inline constexpr Key<std::string> mysql_url{{.name = "mysql.url", .default_text = "",
    .help = "For `store.kind=mysql`, which is not built in this version.", .secrecy = Secrecy::kSecret}};
inline constexpr Key<std::string> mongo_url{{.name = "mongodb.url", .default_text = "",
    .help = "`mongodb://USER:PASSWORD@HOST:PORT/?replicaSet=NAME`, with libmongoc's options after `?`.", .secrecy = Secrecy::kSecret}};
inline constexpr Key<std::string> mongo_database{{.name = "mongodb.database", .default_text = "parley",
    .help = "The database; made when missing.", .check = detail::check_schema}};
inline constexpr Key<std::int64_t> mongo_connections{{.name = "mongodb.connections", .default_text = "8",
    .help = "The most connections of this server, beside the one that stores messages.", .min = 1, .max = 1000}};
inline constexpr Key<std::string> kafka_brokers{{.name = "kafka.brokers", .default_text = "",
    .help = "`HOST:PORT,HOST:PORT`: some brokers of the cluster; needed with `log.kind=kafka`."}};
inline constexpr Key<std::string> kafka_topic{{.name = "kafka.topics.chat", .default_text = "chat-messages",
    .help = "The topic of the messages; made when missing, with the three keys below.", .check = detail::check_topic}};
inline constexpr Key<std::int64_t> kafka_partitions{{.name = "kafka.partitions", .default_text = "30",
    .help = "Partitions of a topic that is made here: about one for 333 users. They cannot change later.", .min = 1, .max = 10'000}};
inline constexpr Key<std::int64_t> kafka_replication{{.name = "kafka.replication", .default_text = "3",
    .help = "Its replicas, or as many as there are brokers; from 3 on two have to be in sync.", .min = 1, .max = 100}};
inline constexpr Key<milliseconds> kafka_retention{{.name = "kafka.retention", .default_text = "7d",
    .help = "How long the topic keeps a message; history is in the store for ever.", .min = 60'000, .max = 36'500 * detail::kDay}};
inline constexpr Key<std::string> kafka_compression{{.name = "kafka.compression", .default_text = "snappy",
    .help = "Of the batches this server sends.", .choices = detail::kCompressions}};
inline constexpr Key<milliseconds> kafka_linger{{.name = "kafka.linger", .default_text = "10ms",
    .help = "A batch waits so long for more.", .max = 1'000}};
inline constexpr Key<Bytes> kafka_batch{{.name = "kafka.batch", .default_text = "16KiB",
    .help = "A batch of this size is sent at once.", .min = 1024, .max = 1 << 20}};
inline constexpr Key<std::string> kafka_group_prefix{{.name = "kafka.group_prefix", .default_text = "",
    .help = "Before the names of consumer groups (`db-writer`, `notification`, `analytics`).", .check = detail::check_topic_part}};
inline constexpr Key<std::string> kafka_dead_letters{{.name = "kafka.topics.dead_letters", .default_text = "chat-dead-letters",
    .help = "The topic of messages that a worker role gave up; made when there is one.", .check = detail::check_topic}};
inline constexpr Key<std::int64_t> kafka_workers{{.name = "kafka.workers", .default_text = "5",
    .help = "Threads of each worker role; a partition is worked on by one.", .min = 1, .max = 100}};
inline constexpr Key<std::string> kafka_properties{{.name = "kafka.properties", .default_text = "",
    .help = "A file of librdkafka's properties, one `name=value` a line: SASL, TLS and the like."}};
inline constexpr Key<milliseconds> kafka_lag_interval{{.name = "kafka.lag_interval", .default_text = "60s",
    .help = "How often the lag of the topic's readers is looked up.", .min = 100, .max = 3'600'000}};
inline constexpr Key<std::int64_t> kafka_lag_warn{{.name = "kafka.lag_warn", .default_text = "10000",
    .help = "Records that a reader may be behind before the log says so; 0: it never does.", .max = 1'000'000'000'000}};
inline constexpr Key<std::string> rabbitmq_url{{.name = "rabbitmq.url", .default_text = "",
    .help = "For `bus.kind=rabbitmq`, which is not built in this version.", .secrecy = Secrecy::kSecret}};
inline constexpr Key<std::string> nats_url{{.name = "nats.url", .default_text = "",
    .help = "For `bus.kind=nats` and `log.kind=jetstream`, which are not built in this version.", .secrecy = Secrecy::kSecret}};
inline constexpr Key<std::string> cache_kind{{.name = "cache.kind", .default_text = "memory",
    .help = "Where revoked tokens and tickets are shared.", .choices = detail::kCacheKinds}};
inline constexpr Key<std::string> redis_url{{.name = "redis.url", .default_text = "",
    .help = "`redis://USER:PASSWORD@HOST:PORT/DATABASE`; all but the host may be left out.", .secrecy = Secrecy::kSecret}};
inline constexpr Key<std::string> redis_prefix{{.name = "redis.prefix", .default_text = "parley",
    .help = "Keys and the servers' channel begin with it: two fleets on one Redis have two.", .check = detail::check_prefix}};
inline constexpr Key<bool> ready_strict{{.name = "ready.strict", .default_text = "false",
    .help = "`/ready` is 503 also for a fault that all servers share, such as a database that is away."}};

inline constexpr Key<ConfigList> worker_roles{{.name = "worker.roles", .default_text = "notification, analytics, db-writer",
    .help = "What this server does with messages beside delivering them: `notification` tells who is mentioned, `analytics` counts, `db-writer` brings them from Kafka into the store (over another log nothing); `none`: nothing.",
    .check = detail::check_role}};
inline constexpr Key<std::string> worker_listen{{.name = "worker.listen", .default_text = "",
    .help = "Where `parley worker` answers `/health`, `/ready` and `/metrics`, `HOST:PORT` or `unix:/path`; empty: nowhere.",
    .check = detail::check_plain_listen}};

inline constexpr Key<std::string> admin_listen{{.name = "admin.listen", .default_text = "",
    .help = "The operators' listener, as below; empty: none.", .check = detail::check_optional_listen}};
inline constexpr Key<std::string> admin_token{{.name = "admin.token", .default_text = "",
    .help = "What operators send as `Authorization: Bearer …`; needed with `admin.listen`.", .secrecy = Secrecy::kSecret}};
inline constexpr Key<std::string> logging_level{{.name = "logging.level", .default_text = "info",
    .help = "The least important line that is written.", .choices = detail::kLevels}};
inline constexpr Key<std::string> logging_format{{.name = "logging.format", .default_text = "auto",
    .help = "`auto` is human on a terminal and JSON otherwise.", .choices = detail::kFormats}};
// clang-format on

/// The two numbers of stomp.heartbeat: what the server can send, what it wants to get.
struct Heartbeat {
    milliseconds send{};
    milliseconds receive{};
};
/// `text` has passed the key's check.
[[nodiscard]] Heartbeat parse_heartbeat(std::string_view text);

struct HostPort {
    std::string host;  ///< without the brackets of an IPv6 address
    std::uint16_t port = 0;
};
/// `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`. Error: kBadRequest, saying what is wrong.
[[nodiscard]] Result<HostPort> parse_address(std::string_view text);

/// One way in: an address and, after spaces, its options.
struct ListenSpec {
    HostPort address;
    std::string path{};  ///< of a Unix socket; empty: there is an address
    bool tls = false;
    bool proxy_protocol = false;  ///< each connection begins with a PROXY header
    unsigned mode = 0660;         ///< of the Unix socket's file
};
/// `127.0.0.1:8080`, `https://[::1]:443 proxy_protocol`, `unix:/run/parley.sock mode=0600`. Error: kBadRequest, saying
/// what is wrong.
[[nodiscard]] Result<ListenSpec> parse_listen(std::string_view text);

}  // namespace parley::keys
