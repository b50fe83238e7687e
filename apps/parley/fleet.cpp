#include "fleet.h"

#include <fmt/format.h>

#include "adapters/redis/cache_watch.h"
#include "adapters/redis/fleet_claim.h"
#include "adapters/redis/redis_cache.h"
#include "adapters/redis/redis_carrier.h"
#include "base/config_keys.h"
#include "base/logger.h"
#include "cache/memory_cache.h"
#include "chat/external_event.h"
#include "settings.h"

namespace parley::app {
namespace {

template <class Key>
auto at_key(const Config& config, const Key& key, const Error& error) {
    return fail(error.code, fmt::format("{} ({}): {}", key.spec.name, config.origin(key), error.message));
}

Result<std::shared_ptr<redis::Client>> open_redis(const Config& config, const Clock& clock) {
    const auto settings = redis::parse_url(config.get(keys::redis_url));
    if (!settings) return at_key(config, keys::redis_url, settings.error());
    auto client = redis::Client::open(*settings, clock);
    if (!client) return at_key(config, keys::redis_url, client.error());
    return client;
}

/// A log is told apart by the epoch it was born with.
Result<std::string> name_of(const Config& config, log::RoomLog& log) {
    const auto head = log.head(RoomId::trusted("~probe"));
    if (!head) return fail(head.error());
    return fmt::format("{} {}", config.get(keys::log_kind), head->epoch.value);
}

}  // namespace

Result<Fleet> join_fleet(const Config& config, log::RoomLog& log, const Clock& clock) {
    const bool has_bus = config.get(keys::bus_kind) == "redis";
    const bool has_cache = config.get(keys::cache_kind) == "redis";
    const std::string& prefix = config.get(keys::redis_prefix);
    Fleet out;
    std::shared_ptr<redis::Client> client;
    if (has_bus || has_cache) {
        auto opened = open_redis(config, clock);
        if (!opened) return fail(opened.error());
        client = std::move(*opened);
    }
    if (client != nullptr) {
        const auto name = name_of(config, log);
        if (!name) return fail(name.error());
        auto claim = redis::FleetClaim::make(client, prefix, *name);
        if (!claim) return at_key(config, has_bus ? keys::bus_kind : keys::cache_kind, claim.error());
        if (has_bus) {
            out.carrier = std::make_unique<redis::RedisCarrier>(client, prefix, std::move(*claim));
        } else {
            out.claim = std::move(*claim);
        }
    }
    if (has_cache) {
        out.cache = std::make_unique<redis::RedisCache>(client, prefix, clock);
        auto watch = redis::CacheWatch::open(client, prefix, clock);
        if (!watch) return at_key(config, keys::cache_kind, watch.error());
        out.cache_fault = [client, watch = std::shared_ptr{std::move(*watch)}] {
            std::string why = client->trouble();
            return why.empty() ? watch->trouble() : why;
        };
    } else {
        out.cache = std::make_unique<cache::MemoryCache>(clock);
        out.cache_fault = [] { return std::string{}; };
    }
    if (client != nullptr) {
        logger::info(
            "parley", "Redis is used",
            {{"server", redis::place(client->settings())}, {"prefix", prefix}, {"bus", has_bus}, {"cache", has_cache}});
    }
    return out;
}

std::unique_ptr<bus::FleetBus> fleet_bus(const Config& config, std::unique_ptr<bus::Carrier> carrier,
                                         bus::InprocBus& local, const Clock& clock, metrics::Registry& metrics) {
    bus::FleetBus::Options options{.mirror = config.get(keys::bus_mirror)};
    if (config.get(keys::bus_accept_foreign)) {
        options.foreign = [most = config.get(keys::limits_message).count](const RoomId& room, std::string_view text) {
            return text.size() > most ? std::nullopt : chat::external_event(room, text);
        };
    }
    return std::make_unique<bus::FleetBus>(local, std::move(carrier), bus::FrameCodec{fleet_keys(config, kFrames)},
                                           clock, metrics, options);
}

}  // namespace parley::app
