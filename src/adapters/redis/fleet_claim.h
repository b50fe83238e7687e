#pragma once
#include <memory>
#include <string>

#include "adapters/redis/client.h"

namespace parley::redis {

/// Says on Redis which log the servers of this fleet keep their messages in, so that a server with another one is
/// refused: it would announce messages that the others cannot find.
///
/// Thread: made and destroyed by any but the client's; it renews itself on the client's loop.
/// Order:  of two servers that claim at once exactly one decides.
/// Limit:  what nobody renews for kHolds is forgotten, a fleet that was given a new log included.
/// Fails:  make() when the fleet has another log, or Redis does not answer.
class FleetClaim {
public:
    static constexpr seconds kHolds{30};

    /// Key `<prefix>:log`. Error: one sentence.
    [[nodiscard]] static Result<std::unique_ptr<FleetClaim>> make(std::shared_ptr<Client> client,
                                                                  const std::string& prefix, std::string log);
    ~FleetClaim();
    FleetClaim(const FleetClaim&) = delete;
    FleetClaim& operator=(const FleetClaim&) = delete;

private:
    FleetClaim(std::shared_ptr<Client> client, std::string key, std::string log);
    void renew();

    const std::shared_ptr<Client> client_;
    const std::string key_;
    const std::string log_;
    rt::Timer timer_;
};

}  // namespace parley::redis
