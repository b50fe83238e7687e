#include "adapters/redis/fleet_claim.h"

#include <fmt/format.h>

namespace parley::redis {
namespace {

const std::string kHoldsText = std::to_string(milliseconds{FleetClaim::kHolds}.count());

}  // namespace

Result<std::unique_ptr<FleetClaim>> FleetClaim::make(std::shared_ptr<Client> client, const std::string& prefix,
                                                     std::string log) {
    const std::string key = prefix + ":log";
    const auto claimed = client->ask({"SET", key, log, "NX", "PX", kHoldsText});
    if (!claimed) return fail(claimed.error());
    const auto holder = client->ask({"GET", key});
    if (!holder) return fail(holder.error());
    if (holder->text != log) {
        return fail(Code::kStoreUnavailable,
                    fmt::format("the servers that already use this Redis keep their messages in another log ({}; here "
                                "{}): servers of one fleet share one log, other fleets have another redis.prefix. "
                                "What the last server claimed holds for {} s",
                                holder->text, log, kHolds.count()));
    }
    return std::unique_ptr<FleetClaim>{new FleetClaim{std::move(client), key, std::move(log)}};
}

FleetClaim::FleetClaim(std::shared_ptr<Client> client, std::string key, std::string log)
    : client_(std::move(client)),
      key_(std::move(key)),
      log_(std::move(log)),
      timer_(rt::Timer::of<&FleetClaim::renew>(this)) {
    client_->run_on_loop([this] { renew(); });
}

FleetClaim::~FleetClaim() {
    client_->run_on_loop([this] { timer_.cancel(); });
}

void FleetClaim::renew() {
    client_->command({"SET", key_, log_, "PX", kHoldsText}, {});
    client_->loop().arm(timer_, kHolds / 3);
}

}  // namespace parley::redis
