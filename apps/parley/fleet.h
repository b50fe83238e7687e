#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "bus/fleet_bus.h"
#include "cache/session_cache.h"
#include "log/room_log.h"

namespace parley::app {

/// What this server shares with the others of its fleet besides the stores, as bus.kind and cache.kind say.
struct Fleet {
    std::unique_ptr<cache::SessionCache> cache;
    std::unique_ptr<bus::Carrier> carrier;     ///< null: there are no others
    std::shared_ptr<void> claim;               ///< of the fleet's log, where no carrier has it
    std::function<std::string()> cache_fault;  ///< empty while the cache answers
};

/// Error: one sentence for the operator that names the key.
[[nodiscard]] Result<Fleet> join_fleet(const Config& config, log::RoomLog& log, const Clock& clock);
/// The bus of a server that has others; `carrier` is of join_fleet().
[[nodiscard]] std::unique_ptr<bus::FleetBus> fleet_bus(const Config& config, std::unique_ptr<bus::Carrier> carrier,
                                                       bus::InprocBus& local, const Clock& clock,
                                                       metrics::Registry& metrics);

}  // namespace parley::app
