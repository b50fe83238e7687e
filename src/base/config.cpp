#include "base/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/config_keys.h"
#include "base/config_value.h"

namespace parley {
namespace {

using config_detail::format_value;
using config_detail::nearest;
using config_detail::parse_value;
using config_detail::TomlKind;
using config_detail::TomlSetting;

constexpr std::string_view kPrefix = "PARLEY_";
/// Names that documents of later versions use: said to be missing rather than unknown.
constexpr std::array<std::string_view, 3> kLaterPrefixes{"rabbitmq.", "nats.", "mysql."};

std::size_t index_of(const KeySpec& spec) {
    const auto all = all_keys();
    const auto at = std::find(all.begin(), all.end(), &spec);
    if (at == all.end()) {
        std::fputs("a configuration key is missing from the table in config_keys.cpp\n", stderr);
        std::abort();
    }
    return static_cast<std::size_t>(at - all.begin());
}

const KeySpec* find_key(std::string_view name) {
    for (const KeySpec* spec : all_keys()) {
        if (spec->name == name) return spec;
    }
    return nullptr;
}

std::string printable(std::string_view text) {
    std::string out{text.substr(0, 80)};
    std::replace_if(
        out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    return out;
}

std::vector<std::string> key_names() {
    std::vector<std::string> out;
    for (const KeySpec* spec : all_keys()) out.emplace_back(spec->name);
    return out;
}

Error unknown(std::string_view where, std::string_view name, const std::vector<std::string>& candidates) {
    const bool later = std::any_of(kLaterPrefixes.begin(), kLaterPrefixes.end(),
                                   [&](std::string_view prefix) { return name.starts_with(prefix); });
    if (later) return {Code::kBadRequest, fmt::format("{}: {}: not built in this version", where, printable(name))};
    const auto meant = nearest(name, candidates);
    return {Code::kBadRequest, fmt::format("{}: {}: unknown key{}", where, printable(name),
                                           meant.empty() ? "" : fmt::format("; did you mean {}?", meant))};
}

/// What a file must write for this type; empty where `kind` fits.
std::string_view wanted_kind(const KeySpec& spec, TomlKind kind) {
    if (spec.type == kConfigType<std::int64_t> && kind != TomlKind::kNumber) return "a whole number without quotes";
    if (spec.type == kConfigType<bool> && kind != TomlKind::kBool) return "true or false without quotes";
    if (spec.type == kConfigType<std::string> && kind != TomlKind::kText) return "a text in quotes";
    if (spec.type == kConfigType<ConfigList> && kind != TomlKind::kList && kind != TomlKind::kText)
        return "a list of texts";
    if (kind == TomlKind::kBool && spec.type != kConfigType<bool>)
        return config_detail::type_name(spec) == "size" ? "a size" : "a duration";
    if (kind == TomlKind::kList && spec.type != kConfigType<ConfigList>) return "one value";
    return {};
}

std::string toml_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string toml_value(const KeySpec& spec, const ConfigValue& value) {
    if (spec.secrecy == Secrecy::kSecret) return std::get<std::string>(value).empty() ? "\"\"" : "\"********\"";
    if (spec.type == kConfigType<std::int64_t> || spec.type == kConfigType<bool>) return format_value(value);
    if (const auto* list = std::get_if<ConfigList>(&value)) {
        std::string out = "[";
        for (const auto& element : *list) out += (out.size() > 1 ? ", " : "") + toml_text(element);
        return out + ']';
    }
    return toml_text(format_value(value));
}

/// Variables of the scripts around the server: whoever sets them for `make test` or a benchmark may also start it.
bool belongs_to_tools(std::string_view entry) {
    static constexpr std::array<std::string_view, 6> kNames{"BIN", "JOBS", "LOGS", "PYTHON", "TIER", "URL"};
    static constexpr std::array<std::string_view, 4> kFamilies{"BARE_", "BENCH_", "E2E_", "TEST_"};
    entry.remove_prefix(kPrefix.size());
    const auto name = entry.substr(0, entry.find('='));
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
           std::any_of(kFamilies.begin(), kFamilies.end(), [&](auto family) { return name.starts_with(family); });
}

/// Every listener is this machine's own, and no proxy speaks for others.
bool is_for_this_machine(const Config& config) {
    const auto is_own = [](const std::string& text) {
        const auto spec = keys::parse_listen(text);
        const std::string& host = spec->address.host;
        return !spec->path.empty() || host == "localhost" || host == "::1" || host.starts_with("127.");
    };
    return config.get(keys::proxies_trusted).empty() && is_own(config.get(keys::listen)) &&
           std::ranges::all_of(config.get(keys::listeners), is_own);
}

}  // namespace

Result<ConfigFlag> parse_set_flag(std::string_view argument) {
    const auto equals = argument.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        return fail(Code::kBadRequest, fmt::format("--set {}: expected --set key=value", printable(argument)));
    }
    return ConfigFlag{std::string{argument.substr(0, equals)}, std::string{argument.substr(equals + 1)}, "--set"};
}

std::vector<std::string> parley_environment(const char* const* environ) {
    std::vector<std::string> out;
    for (; *environ != nullptr; ++environ) {
        const std::string_view entry{*environ};
        if (entry.starts_with(kPrefix) && !belongs_to_tools(entry)) out.emplace_back(entry);
    }
    return out;
}

std::string environment_name(std::string_view key) {
    std::string out{kPrefix};
    for (const char c : key) {
        out += c == '.' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return out;
}

Config::Config() {
    for (const KeySpec* spec : all_keys()) {
        auto value = parse_value(*spec, spec->default_text);
        if (!value) {
            std::fprintf(stderr, "the default of %s is refused: %s\n", std::string{spec->name}.c_str(),
                         value.error().message.c_str());
            std::abort();
        }
        settings_.push_back({std::move(*value), "default", true});
    }
}

const Config::Setting& Config::setting(const KeySpec& spec) const { return settings_[index_of(spec)]; }

Result<void> Config::set(std::string_view name, const std::string& origin, std::string_view text) {
    const KeySpec* spec = find_key(name);
    if (spec == nullptr) return fail(unknown(origin, name, key_names()));
    auto value = parse_value(*spec, text);
    if (!value) return fail(Code::kBadRequest, fmt::format("{}: {}: {}", origin, name, value.error().message));
    settings_[index_of(*spec)] = {std::move(*value), origin, false};
    return {};
}

Result<Config> Config::load(const ConfigSources& sources) {
    if (!sources.file) return load_text("", "", sources);
    const std::string name = sources.file->string();
    std::error_code error;
    std::ifstream in{*sources.file, std::ios::binary};
    if (!in || std::filesystem::is_directory(*sources.file, error)) {
        return fail(Code::kBadRequest, fmt::format("{}: cannot be read", name));
    }
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    return load_text(text, name, sources);
}

Result<Config> Config::load_text(std::string_view toml, std::string_view file_name, const ConfigSources& rest) {
    Config config;
    auto settings = config_detail::read_toml(toml, file_name);
    if (!settings) return fail(settings.error());
    for (const TomlSetting& entry : *settings) {
        const std::string origin = fmt::format("{}:{}", file_name, entry.line);
        if (const KeySpec* spec = find_key(entry.name)) {
            const auto wanted = wanted_kind(*spec, entry.kind);
            if (!wanted.empty()) {
                return fail(Code::kBadRequest, fmt::format("{}: {}: expected {}", origin, entry.name, wanted));
            }
        }
        if (auto done = config.set(entry.name, origin, entry.text); !done) return fail(done.error());
    }
    if (auto done = config.apply(rest); !done) return fail(done.error());
    if (auto done = config.check_together(); !done) return fail(done.error());
    return config;
}

Result<void> Config::apply(const ConfigSources& sources) {
    std::vector<std::string> known;
    for (const KeySpec* spec : all_keys()) known.push_back(environment_name(spec->name));
    for (const std::string& entry : sources.environment) {
        const std::string_view name = std::string_view{entry}.substr(0, entry.find('='));
        if (!name.starts_with(kPrefix)) continue;
        const auto at = std::find(known.begin(), known.end(), name);
        if (at == known.end()) return fail(unknown("environment", name, known));
        const KeySpec& spec = *all_keys()[static_cast<std::size_t>(at - known.begin())];
        const auto text = std::string_view{entry}.substr(std::min(name.size() + 1, entry.size()));
        if (auto done = set(spec.name, fmt::format("environment {}", name), text); !done) return done;
    }
    for (const ConfigFlag& flag : sources.flags) {
        if (auto done = set(flag.name, flag.flag, flag.value); !done) return done;
    }
    if (is_default(keys::drain_notice) && is_for_this_machine(*this)) {
        settings_[index_of(keys::drain_notice.spec)] = {milliseconds{0}, "default where only this machine connects"};
    }
    return {};
}

namespace {

Result<void> needs(const std::string& where, std::string_view what, std::string_view needed) {
    return fail(Code::kBadRequest, fmt::format("{}: {} needs {}", where, what, needed));
}

/// TLS needs a certificate, and PROXY headers somebody who is believed.
Result<void> check_listeners(const Config& config) {
    const std::size_t certificates = config.get(keys::tls_certificate).size();
    if (certificates != config.get(keys::tls_key).size()) {
        return needs(config.origin(keys::tls_certificate), "each file of tls.certificate", "one of tls.key");
    }
    const bool self_signed = config.get(keys::tls_self_signed);
    if (certificates != 0 && self_signed) {
        return fail(Code::kBadRequest, fmt::format("{}: tls.self_signed: there is a tls.certificate already",
                                                   config.origin(keys::tls_self_signed)));
    }
    const auto check = [&](const auto& key, const std::string& text) -> Result<void> {
        if (text.empty()) return {};
        const auto spec = keys::parse_listen(text);
        if (spec->tls && certificates == 0 && !self_signed)
            return needs(config.origin(key), "https://", "tls.certificate and tls.key, or tls.self_signed");
        if (spec->proxy_protocol && config.get(keys::proxies_trusted).empty())
            return needs(config.origin(key), "proxy_protocol", "proxies.trusted");
        return {};
    };
    for (const std::string& text : config.get(keys::listeners)) {
        if (auto done = check(keys::listeners, text); !done) return done;
    }
    if (auto done = check(keys::listen, config.get(keys::listen)); !done) return done;
    return check(keys::admin_listen, config.get(keys::admin_listen));
}

/// Servers that talk to each other need a place for it and a secret in common.
Result<void> check_fleet(const Config& config) {
    const bool has_bus = config.get(keys::bus_kind) == "redis";
    if (!has_bus && config.get(keys::cache_kind) != "redis") return {};
    const auto needs_here = [&](const char* what) {
        return has_bus ? needs(config.origin(keys::bus_kind), "bus.kind=redis", what)
                       : needs(config.origin(keys::cache_kind), "cache.kind=redis", what);
    };
    if (config.get(keys::redis_url).empty()) return needs_here("redis.url");
    if (config.get(keys::auth_algorithm).starts_with("HS")) {
        if (config.get(keys::auth_secret).empty()) return needs_here("auth.secret, the same on every server");
    } else if (has_bus && config.get(keys::fleet_secret).empty()) {
        return needs_here("fleet.secret, the same on every server");
    }
    return {};
}

}  // namespace

Result<void> Config::check_together() const {
    const std::string& algorithm = get(keys::auth_algorithm);
    if (!algorithm.starts_with("HS") && get(keys::auth_public_key).empty()) {
        return needs(origin(keys::auth_algorithm), "auth.algorithm=" + algorithm, "auth.public_key");
    }
    if (!get(keys::admin_listen).empty() && get(keys::admin_token).empty()) {
        return needs(origin(keys::admin_listen), "admin.listen", "admin.token");
    }
    if (get(keys::store_kind) == "postgres" && get(keys::postgres_url).empty()) {
        return needs(origin(keys::store_kind), "store.kind=postgres", "postgres.url");
    }
    if (get(keys::store_kind) == "mongodb" && get(keys::mongo_url).empty()) {
        return needs(origin(keys::store_kind), "store.kind=mongodb", "mongodb.url");
    }
    if (get(keys::log_kind) == "store" && get(keys::store_kind) == "embedded") {
        return needs(origin(keys::log_kind), "log.kind=store",
                     "a database that several servers can share: store.kind=postgres or mongodb");
    }
    if (get(keys::log_kind) == "kafka") {
        if (get(keys::kafka_brokers).empty()) return needs(origin(keys::log_kind), "log.kind=kafka", "kafka.brokers");
        if (get(keys::store_kind) == "mongodb")
            return needs(origin(keys::log_kind), "log.kind=kafka", "a store with a table for it: postgres or embedded");
        const bool writes = std::ranges::find(get(keys::worker_roles), "db-writer") != get(keys::worker_roles).end();
        if (!writes && get(keys::store_kind) == "embedded") {
            return needs(origin(keys::worker_roles), "worker.roles without db-writer",
                         "store.kind=postgres: what an embedded store keeps of the topic nobody else can write");
        }
        const bool trims = get(keys::log_keep_age).count() > 0;
        if (trims || get(keys::log_keep_bytes).count > 0) {
            return needs(trims ? origin(keys::log_keep_age) : origin(keys::log_keep_bytes),
                         trims ? "log.keep_age" : "log.keep_bytes", "another log: with log.kind=kafka history stays");
        }
    }
    if (auto done = check_fleet(*this); !done) return done;
    return check_listeners(*this);
}

std::string Config::show() const {
    std::string out;
    for (const KeySpec* spec : all_keys()) {
        const Setting& now = setting(*spec);
        out +=
            fmt::format("{:<48} # {}\n", fmt::format("{} = {}", spec->name, toml_value(*spec, now.value)), now.origin);
    }
    return out;
}

std::string Config::reference() {
    std::string out = "| key | type | default | what |\n| --- | --- | --- | --- |\n";
    for (const KeySpec* spec : all_keys()) {
        const std::string standard = spec->default_text.empty() ? "" : fmt::format("`{}`", spec->default_text);
        out +=
            fmt::format("| `{}` | {} | {} | {} |\n", spec->name, config_detail::type_name(*spec), standard, spec->help);
    }
    return out;
}

}  // namespace parley
