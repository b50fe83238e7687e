#include "adapters/redis/redis_carrier.h"

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

void RedisCarrier::send(std::string frame) { client_->command_here({"PUBLISH", channel_, frame}, {}); }

void RedisCarrier::mirror(const RoomId& room, std::string json) {
    client_->command_here({"PUBLISH", std::string{kMirror} + room.str(), json}, {});
}

std::string RedisCarrier::trouble() const {
    if (auto commands = client_->trouble(); !commands.empty()) return commands;
    const std::lock_guard lock{mutex_};
    return trouble_;
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
