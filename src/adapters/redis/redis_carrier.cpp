#include "adapters/redis/redis_carrier.h"

#include "base/logger.h"

namespace parley::redis {
namespace {

constexpr std::string_view kMirror = "chatroom.";

}  // namespace

RedisCarrier::~RedisCarrier() {
    client_->run_on_loop([this] {
        alive_.reset();
        link_.reset();
    });
}

void RedisCarrier::start(Receiver& receiver, bool with_mirrors) {
    receiver_ = &receiver;
    with_mirrors_ = with_mirrors;
    client_->run_on_loop([this] {
        link_ = std::make_unique<Link>(client_->loop(), client_->resolver(), client_->settings(),
                                       Link::Use::kSubscriptions, static_cast<Link::Owner&>(*this));
        link_->start();
    });
}

void RedisCarrier::post(Task task) {
    client_->loop().post([alive = std::weak_ptr<bool>{alive_}, task = std::move(task)]() mutable {
        if (!alive.expired()) task();
    });
}

void RedisCarrier::send(std::string frame) { publish(channel_, frame, frames_refused_); }

void RedisCarrier::mirror(const RoomId& room, std::string json) {
    publish(std::string{kMirror} + room.str(), json, mirrors_refused_);
}

/// A right that is missing is answered, not told by the link.
void RedisCarrier::publish(std::string_view channel, std::string_view text, std::string& refused) {
    client_->command_here({"PUBLISH", channel, text},
                          [this, alive = std::weak_ptr<bool>{alive_}, &refused](const Result<Reply>& reply) {
                              if (alive.expired() || (reply && refused.empty())) return;
                              const std::string why = reply ? "" : reply.error().message;
                              if (!is_of_link(why)) note(refused, why);
                          });
}

void RedisCarrier::note(std::string& refused, const std::string& why) {
    const std::string what = &refused == &frames_refused_ ? channel_ : std::string{kMirror} + '*';
    if (why.empty()) {
        logger::info("redis", "Redis takes again what is published", {{"channel", what}});
    } else if (refused.empty()) {
        logger::error("redis", "Redis refuses what is published", {{"channel", what}, {"why", why}});
    }
    const std::lock_guard lock{mutex_};
    refused = why.empty() ? "" : "it refuses PUBLISH: " + why;
}

std::string RedisCarrier::trouble() const {
    if (auto commands = client_->trouble(); !commands.empty()) return commands;
    const std::lock_guard lock{mutex_};
    return trouble_.empty() ? frames_refused_ : trouble_;
}

void RedisCarrier::set_trouble(const std::string& why) {
    const std::lock_guard lock{mutex_};
    trouble_ = why;
}

void RedisCarrier::on_up() {
    const std::string_view fleet[] = {"SUBSCRIBE", channel_};
    link_->command(encode(fleet), {});
    if (!with_mirrors_) return;
    const std::string pattern = std::string{kMirror} + '*';
    const std::string_view mirrors[] = {"PSUBSCRIBE", pattern};
    link_->command(encode(mirrors), {});
}

void RedisCarrier::on_down(const std::string& why) { set_trouble(why); }

void RedisCarrier::on_push(Reply reply) {
    if (reply.kind == Reply::Kind::kError) {
        logger::error("redis", "Redis refuses a subscription", {{"channel", channel_}, {"why", reply.text}});
        set_trouble(reply.text);
        return;
    }
    if (reply.items.empty()) return;
    const std::string& what = reply.items.front().text;
    if (what == "message" && reply.items.size() == 3) {
        receiver_->on_frame(reply.items[2].text);
    } else if (what == "pmessage" && reply.items.size() == 4) {
        const auto room = RoomId::parse(std::string_view{reply.items[2].text}.substr(kMirror.size()));
        if (room && !room->is_server_own()) receiver_->on_mirror(*room, reply.items[3].text);
    } else if (what == "subscribe") {
        set_trouble("");
        receiver_->on_link();
    }
}

}  // namespace parley::redis
