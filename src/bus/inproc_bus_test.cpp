#include "bus/inproc_bus.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace parley::bus {
namespace {

struct Ear final : Bus::Listener {
    std::string heard;
    std::vector<std::uint64_t> seqs;
    void on_messages(const MessageBatch& batch) override {
        for (const MessageRef& message : *batch) seqs.push_back(message->seq.value);
    }
    void on_room_event(const RoomEvent& event) override { heard += event.room.str() + ':' + event.json + ' '; }
    void on_notice(const Notice& notice) override { heard += notice.subject + '=' + notice.body + ' '; }
};

class InprocBusTest : public testing::Test {
protected:
    InprocBusTest() {
        runtime.for_each([this](rt::Loop& loop) { bus.attach(loop, ears[loop.index()]); });
    }
    /// Until every core has heard what was said so far.
    void settle() {
        runtime.for_each([](rt::Loop&) {});
    }
    static MessageRef message(std::uint64_t seq) {
        auto out = std::make_shared<Message>();
        out->seq = {seq};
        return out;
    }

    Ear ears[2];
    SystemClock clock;
    rt::Runtime runtime{2, clock};
    InprocBus bus{runtime};
};

TEST_F(InprocBusTest, EveryCoreHearsEverythingOnItsOwnLoop) {
    bus.event({RoomId::trusted("r-1"), "typing"});
    bus.notify({Notice::Kind::kNotification, "u-1", "hello", {}});
    settle();
    for (const Ear& ear : ears) EXPECT_EQ(ear.heard, "r-1:typing u-1=hello ");
}

TEST_F(InprocBusTest, WhatOneThreadAnnouncesArrivesInThatOrder) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t seq = 1; seq <= 2000; seq += 2) {
        const std::vector<MessageRef> batch{message(seq), message(seq + 1)};
        bus.announce(batch);
        all.push_back(seq);
        all.push_back(seq + 1);
    }
    settle();
    for (const Ear& ear : ears) EXPECT_EQ(ear.seqs, all);
}

TEST_F(InprocBusTest, DetachedListenerHearsNothingMore) {
    runtime.loop(1).post([this] { bus.detach(runtime.loop(1)); });
    settle();
    bus.event({RoomId::trusted("r-1"), "typing"});
    settle();
    EXPECT_EQ(ears[0].heard, "r-1:typing ");
    EXPECT_EQ(ears[1].heard, "");
}

}  // namespace
}  // namespace parley::bus
