#include <gmock/gmock.h>

#include <csignal>

#include "../tests/contract/bus_contract.h"
#include "adapters/redis/redis_carrier.h"
#include "adapters/redis/redis_fixture.h"
#include "bus/fleet_bus.h"

namespace parley::redis {
namespace {

using testing::HasSubstr;

/// A server of a fleet on the real Redis.
std::unique_ptr<bus::Node> node(const std::string& prefix, metrics::Registry& metrics,
                                std::shared_ptr<Client> by = client()) {
    auto out = std::make_unique<bus::Node>(kClock);
    auto carrier = std::make_unique<RedisCarrier>(std::move(by), prefix);
    out->fleet = std::make_unique<bus::FleetBus>(out->local, std::move(carrier), bus::FrameCodec{{"key"}}, kClock,
                                                 metrics, bus::FleetBus::Options{});
    EXPECT_EQ(out->ears[0].missed(1), 1U) << "the link stands";
    return out;
}

std::string trouble(const bus::Node& node) { return static_cast<bus::FleetBus&>(*node.fleet).trouble(); }

struct ThreeServers {
    std::vector<std::unique_ptr<bus::Node>> nodes() {
        std::vector<std::unique_ptr<bus::Node>> out;
        const std::string prefix = fresh_prefix();
        for (int i = 0; i < 3; ++i) out.push_back(node(prefix, metrics));
        return out;
    }
    metrics::Registry metrics;
};

/// What one connection to Redis says, as another service would see it.
class Listener final : private Link::Owner {
public:
    explicit Listener(std::string channel) : client_(client()), channel_(std::move(channel)) {
        client_->run_on_loop([this] {
            link_ = std::make_unique<Link>(client_->loop(), client_->resolver(), client_->settings(),
                                           Link::Use::kSubscriptions, static_cast<Link::Owner&>(*this));
            link_->start();
        });
        (void)heard_.wait(1);
    }
    ~Listener() override {
        client_->run_on_loop([this] { link_.reset(); });
    }
    std::string heard(std::size_t size) { return heard_.wait(size); }

private:
    struct Text {
        std::string wait(std::size_t size) {
            std::unique_lock lock{mutex};
            changed.wait_for(lock, seconds{10}, [&] { return text.size() >= size; });
            return text;
        }
        std::mutex mutex;
        std::condition_variable changed;
        std::string text;
    };
    void on_up() override {
        const std::string_view words[] = {"SUBSCRIBE", channel_};
        link_->command(encode(words), {});
    }
    void on_down(const std::string&) override {}
    void on_push(Reply reply) override {
        const std::lock_guard lock{heard_.mutex};
        heard_.text += reply.items.front().text == "message" ? reply.items[2].text : "*";
        heard_.changed.notify_all();
    }
    Text heard_;
    const std::shared_ptr<Client> client_;
    const std::string channel_;
    std::unique_ptr<Link> link_;
};

TEST(RedisCarrier, AnotherServiceSeesStoredMessagesOnTheRoomsChannel) {
    Listener other{"chatroom.r-mirror"};
    metrics::Registry metrics;
    const auto server = node(fresh_prefix(), metrics);
    const std::vector<MessageRef> batch{bus::message("r-mirror", 7)};
    server->bus().announce(batch);
    const std::string json = to_json(*batch[0]);
    EXPECT_EQ(other.heard(json.size() + 1), '*' + json);
}

TEST(RedisCarrier, WhatOthersPublishReachesNobody) {
    metrics::Registry metrics;
    const std::string prefix = fresh_prefix();
    const auto server = node(prefix, metrics);
    const auto stranger = client();
    ASSERT_TRUE(stranger->ask({"PUBLISH", "chatroom.r-1", R"({"content":"forged"})"}));
    ASSERT_EQ(stranger->ask({"PUBLISH", prefix + ".fleet", "forged"})->integer, 1);
    const auto is_refused = [&] {
        return metrics.render().find("parley_bus_frames_refused_total 1") != std::string::npos;
    };
    const auto deadline = kClock.steady() + seconds{30};
    while (!is_refused() && kClock.steady() < deadline) std::this_thread::yield();
    EXPECT_TRUE(is_refused());
    server->bus().event({RoomId::trusted("r-1"), "end"});
    EXPECT_EQ(server->ears[0].heard(1), "r-1:end ");
    EXPECT_EQ(server->ears[0].seqs(0).size(), 0U);
}

TEST(RedisCarrier, TwoFleetsOnOneRedisDoNotHearEachOther) {
    metrics::Registry metrics;
    const auto ours = node(fresh_prefix(), metrics);
    const auto theirs = node(fresh_prefix(), metrics);
    theirs->bus().event({RoomId::trusted("r-1"), "theirs"});
    ours->bus().event({RoomId::trusted("r-1"), "ours"});
    theirs->bus().event({RoomId::trusted("r-1"), "end"});
    EXPECT_THAT(theirs->ears[0].heard(std::string{"r-1:theirs r-1:end "}.size()), HasSubstr("r-1:end"));
    EXPECT_EQ(ours->ears[0].heard(1), "r-1:ours ");
}

TEST(RedisCarrier, ARightThatIsTakenIsToldUntilItIsGivenBack) {
    const auto admin = client();
    ASSERT_TRUE(admin->ask({"ACL", "SETUSER", "bus", "on", ">s3cret", "~*", "&*", "+@all"}));
    metrics::Registry metrics;
    Settings limited = settings();
    limited.user = "bus";
    limited.password = "s3cret";
    const auto here = node(fresh_prefix(), metrics, client(limited));
    const auto is_now = [&](const auto& wanted) {
        here->bus().event({RoomId::trusted("r-1"), "."});
        return testing::Matches(wanted)(trouble(*here));
    };
    const auto becomes = [&](const auto& wanted) {
        const auto deadline = kClock.steady() + seconds{30};
        while (!is_now(wanted) && kClock.steady() < deadline) std::this_thread::yield();
        EXPECT_THAT(trouble(*here), wanted);
    };
    becomes(testing::IsEmpty());
    ASSERT_TRUE(admin->ask({"ACL", "SETUSER", "bus", "-publish"}));
    becomes(HasSubstr("it refuses PUBLISH: NOPERM"));
    ASSERT_TRUE(admin->ask({"ACL", "SETUSER", "bus", "+publish"}));
    becomes(testing::IsEmpty());
    ASSERT_TRUE(admin->ask({"ACL", "DELUSER", "bus"}));
}

TEST(RedisCarrier, AfterARestartItHearsAgainAndSaysThatSomethingMayBeMissing) {
    metrics::Registry metrics;
    const std::string prefix = fresh_prefix();
    const auto here = node(prefix, metrics);
    const auto there = node(prefix, metrics);
    server().stop();
    const auto deadline = kClock.steady() + seconds{30};
    while (trouble(*here).empty() && kClock.steady() < deadline) std::this_thread::yield();
    EXPECT_NE(trouble(*here), "");
    here->bus().event({RoomId::trusted("r-1"), "lost"});
    server().start();
    EXPECT_EQ(there->ears[0].missed(2), 2U);
    EXPECT_EQ(here->ears[0].missed(2), 2U);
    while (!trouble(*here).empty() && kClock.steady() < deadline + seconds{10}) std::this_thread::yield();
    EXPECT_EQ(trouble(*here), "");
    here->bus().event({RoomId::trusted("r-1"), "again"});
    EXPECT_THAT(there->ears[0].heard(std::string{"r-1:again "}.size()), HasSubstr("r-1:again"));
}

}  // namespace
}  // namespace parley::redis

namespace parley::bus {
INSTANTIATE_TYPED_TEST_SUITE_P(Redis, BusContract, redis::ThreeServers);
}
