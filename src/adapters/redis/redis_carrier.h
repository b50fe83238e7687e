#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "adapters/redis/fleet_claim.h"
#include "bus/carrier.h"

namespace parley::redis {

/// Redis Pub/Sub between the servers of a fleet: one private channel that all of them read, and for other services one
/// mirror channel `chatroom.{roomId}` for each room, which is read only where that is asked for.
///
/// Thread: as Carrier: the client's. Frames come by a second connection.
/// Order:  Redis's own: what one server publishes arrives in that order.
class RedisCarrier final : public bus::Carrier, private Link::Owner {
public:
    /// The channel is `<prefix>.fleet`. `claim` is held for as long as the carrier lives.
    RedisCarrier(std::shared_ptr<Client> client, const std::string& prefix, std::unique_ptr<FleetClaim> claim = nullptr)
        : client_(std::move(client)), claim_(std::move(claim)), channel_(prefix + ".fleet") {}
    ~RedisCarrier() override;

    void start(Receiver& receiver, bool with_mirrors) override;
    void post(Task task) override;
    void send(std::string frame) override;
    void mirror(const RoomId& room, std::string json) override;
    [[nodiscard]] std::string trouble() const override;

private:
    void on_up() override;
    void on_down(const std::string& why) override;
    void on_push(Reply reply) override;
    void set_trouble(const std::string& why);
    void publish(std::string_view channel, std::string_view text, std::string& refused);
    void note(std::string& refused, const std::string& why);

    const std::shared_ptr<Client> client_;
    const std::unique_ptr<FleetClaim> claim_;
    const std::string channel_;
    Receiver* receiver_ = nullptr;
    bool with_mirrors_ = false;
    std::unique_ptr<Link> link_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    mutable std::mutex mutex_;
    std::string trouble_ = "not connected yet";
    std::string frames_refused_;   ///< by Redis, in its words; empty: the last was taken
    std::string mirrors_refused_;  ///< the same
};

}  // namespace parley::redis
