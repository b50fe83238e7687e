#include "bus/fleet_bus.h"

#include <gmock/gmock.h>

#include "../tests/contract/bus_contract.h"

namespace parley::bus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What the servers of a test are connected by: everybody hears every frame, the sender too.
struct Wire {
    std::vector<Carrier::Receiver*> receivers;
    std::vector<Carrier::Receiver*> mirror_readers;
    std::vector<std::string> frames;
    std::vector<std::string> mirrored;
    bool is_cut = false;
    bool is_deaf = false;
    bool is_busy = false;
    std::vector<Task> later;  ///< what the carrier's thread has not come to

    void publish(const RoomId& room, std::string_view text) {
        for (Carrier::Receiver* reader : mirror_readers) reader->on_mirror(room, text);
    }
    void carry(const std::string& frame) {
        if (is_cut) return;
        for (Carrier::Receiver* receiver : receivers) receiver->on_frame(frame);
    }
};

class FakeCarrier final : public Carrier {
public:
    explicit FakeCarrier(Wire& wire) : wire_(wire) {}
    void start(Receiver& receiver, bool with_mirrors) override {
        wire_.receivers.push_back(&receiver);
        if (with_mirrors) wire_.mirror_readers.push_back(&receiver);
    }
    void post(Task task) override {
        if (wire_.is_busy) {
            wire_.later.push_back(std::move(task));
        } else {
            task();
        }
    }
    void send(std::string frame) override {
        wire_.frames.push_back(frame);
        if (!wire_.is_deaf) wire_.carry(frame);
    }
    void mirror(const RoomId& room, std::string json) override {
        wire_.mirrored.push_back(room.str() + ' ' + json);
        wire_.publish(room, json);
    }
    [[nodiscard]] std::string trouble() const override { return wire_.is_cut ? "the wire is cut" : ""; }

private:
    Wire& wire_;
};

std::unique_ptr<Node> server(Wire& wire, const Clock& clock, metrics::Registry& metrics, const std::string& key = "key",
                             FleetBus::Options options = {}) {
    auto node = std::make_unique<Node>(clock);
    node->fleet = std::make_unique<FleetBus>(node->local, std::make_unique<FakeCarrier>(wire), FrameCodec{{key}}, clock,
                                             metrics, options);
    return node;
}

struct TwoServers {
    std::vector<std::unique_ptr<Node>> nodes() {
        std::vector<std::unique_ptr<Node>> out;
        out.push_back(server(wire, clock, metrics));
        out.push_back(server(wire, clock, metrics));
        return out;
    }
    SystemClock clock;
    metrics::Registry metrics;
    Wire wire;
};

class FleetBusTest : public testing::Test {
protected:
    void type(Node& node, const std::string& json) { node.bus().event({RoomId::trusted("r-1"), json}); }
    FleetBus& fleet(Node& node) { return static_cast<FleetBus&>(*node.fleet); }
    /// Until the cores have heard what was handed to them.
    void settle() {
        here->runtime.for_each([](rt::Loop&) {});
        there->runtime.for_each([](rt::Loop&) {});
    }
    std::string heard_there() {
        settle();
        return there->ears[0].heard(0);
    }
    std::size_t missed_there() {
        settle();
        return there->ears[0].missed();
    }

    ManualClock clock;
    metrics::Registry metrics;
    Wire wire;
    std::unique_ptr<Node> here = server(wire, clock, metrics);
    std::unique_ptr<Node> there = server(wire, clock, metrics);
};

TEST_F(FleetBusTest, AFrameThatIsPlayedBackIsHeardOnce) {
    type(*here, "typing");
    const std::string frame = wire.frames.back();
    wire.carry(frame);
    type(*here, "more");
    wire.carry(frame);
    EXPECT_EQ(heard_there(), "r-1:typing r-1:more ");
}

TEST_F(FleetBusTest, WhatHasAnotherSecretOrNoneIsNotHeard) {
    const auto stranger = server(wire, clock, metrics, "another");
    type(*stranger, "forged");
    wire.carry("garbage");
    wire.carry("");
    EXPECT_EQ(heard_there(), "");
    EXPECT_THAT(metrics.render(), HasSubstr("parley_bus_frames_refused_total 8"));
}

TEST_F(FleetBusTest, AnOldFrameIsNotHeardFromAServerThatIsNoLongerKnown) {
    type(*here, "typing");
    const std::string frame = wire.frames.back();
    wire.receivers.clear();
    auto later = server(wire, clock, metrics);
    clock.advance(FleetBus::kMaxAge + seconds{1});
    wire.carry(frame);
    later->runtime.for_each([](rt::Loop&) {});
    EXPECT_EQ(later->ears[0].heard(0), "");
}

TEST_F(FleetBusTest, AFrameThatDidNotArriveShowsWithTheNextOne) {
    type(*here, "1");
    EXPECT_EQ(missed_there(), 0U);
    wire.is_cut = true;
    type(*here, "2");
    type(*here, "3");
    wire.is_cut = false;
    EXPECT_EQ(missed_there(), 0U);
    type(*here, "4");
    EXPECT_EQ(missed_there(), 1U);
    EXPECT_EQ(heard_there(), "r-1:1 r-1:4 ");
    EXPECT_THAT(metrics.render(), HasSubstr("parley_bus_frames_missed_total 2"));
}

TEST_F(FleetBusTest, WhatGathersWhileTheCarrierIsBusyGoesInOneFrameInOrder) {
    wire.is_busy = true;
    for (std::uint64_t seq = 1; seq <= 5; ++seq) here->bus().announce(std::vector{message("r-1", seq)});
    type(*here, "typing");
    here->bus().announce(std::vector{message("r-1", 6)});
    ASSERT_EQ(wire.later.size(), 1U);
    wire.later.front()();
    EXPECT_EQ(wire.frames.size(), 3U);
    EXPECT_EQ(heard_there(), "r-1:typing ");
    EXPECT_THAT(there->ears[0].seqs(6), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(FleetBusTest, ALinkThatComesBackMayHaveMissedSomething) {
    wire.receivers[1]->on_link();
    EXPECT_EQ(missed_there(), 1U);
}

TEST_F(FleetBusTest, OrdinaryRoomsAreMirroredAndTheServersOwnAreNot) {
    const std::vector<MessageRef> batch{message("r-1", 7), message("~probe", 1)};
    here->bus().announce(batch);
    EXPECT_THAT(wire.mirrored, ElementsAre("r-1 " + to_json(*batch[0])));
}

class ForeignTest : public FleetBusTest {
protected:
    static std::optional<std::string> shown(const RoomId&, std::string_view text) {
        return text == "unfit" ? std::nullopt : std::optional<std::string>{text};
    }
    const RoomId room = RoomId::trusted("r-1");
    const FleetBus::Options hears{.foreign = shown};
    std::unique_ptr<Node> one = server(wire, clock, metrics, "key", hears);
    std::unique_ptr<Node> other = server(wire, clock, metrics, "key", hears);
    std::string heard(Node& node) {
        node.runtime.for_each([](rt::Loop&) {});
        return node.ears[0].heard(0);
    }
};

TEST_F(ForeignTest, WhatAnotherServicePublishesIsShownOnceAtEachServerThatWantsIt) {
    clock.advance(FleetBus::kSettle);
    wire.publish(room, "weather");
    wire.publish(room, "unfit");
    EXPECT_EQ(heard(*one), "r-1:weather ");
    EXPECT_EQ(heard(*other), "r-1:weather ");
    EXPECT_EQ(heard(*here), "");
    EXPECT_THAT(metrics.render(), HasSubstr("parley_bus_foreign_total 2"));
}

TEST_F(ForeignTest, TheFleetsOwnMirrorsAreNotForeign) {
    clock.advance(FleetBus::kSettle);
    one->bus().announce(std::vector{message("r-1", 7)});
    fleet(*other).mirror(std::vector{message("r-1", 8)});
    here->bus().announce(std::vector{message("r-1", 9)});
    EXPECT_EQ(wire.mirrored.size(), 3U);
    EXPECT_EQ(heard(*one), "");
    EXPECT_EQ(heard(*other), "");
}

TEST_F(ForeignTest, NothingIsTakenForForeignJustAfterALinkBegan) {
    wire.receivers.back()->on_link();
    wire.publish(room, "too early");
    EXPECT_EQ(heard(*other), "");
}

TEST_F(FleetBusTest, ABusThatCarriesNothingBackIsInTrouble) {
    EXPECT_EQ(fleet(*here).trouble(), "");
    wire.is_deaf = true;
    type(*here, "1");
    clock.advance(FleetBus::kEcho);
    EXPECT_EQ(fleet(*here).trouble(), "");
    clock.advance(seconds{1});
    EXPECT_THAT(fleet(*here).trouble(), HasSubstr("does not come back"));
    wire.is_deaf = false;
    type(*here, "2");
    EXPECT_EQ(fleet(*here).trouble(), "");
    wire.is_cut = true;
    EXPECT_EQ(fleet(*here).trouble(), "the wire is cut");
}

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Fleet, BusContract, TwoServers);

}  // namespace parley::bus
