#pragma once
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bus/inproc_bus.h"

namespace parley::bus {

/// Writes down what one core hears, `room:json `, `subject=body `, and the seqs of messages.
class Ear final : public Bus::Listener {
public:
    void on_messages(const MessageBatch& batch) override {
        for (const MessageRef& message : *batch) note([&] { seqs_.push_back(message->seq.value); });
    }
    void on_room_event(const RoomEvent& event) override {
        note([&] { heard_ += event.room.str() + ':' + event.json + ' '; });
    }
    void on_notice(const Notice& notice) override {
        note([&] { heard_ += notice.subject + '=' + notice.body + ' '; });
    }
    void on_missed() override {
        note([&] { ++missed_; });
    }

    /// Waits until it has heard that much, and gives everything it has heard.
    std::string heard(std::size_t size) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, seconds{10}, [&] { return heard_.size() >= size; });
        return heard_;
    }
    std::vector<std::uint64_t> seqs(std::size_t count) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, seconds{10}, [&] { return seqs_.size() >= count; });
        return seqs_;
    }
    std::size_t missed(std::size_t at_least = 0) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, seconds{10}, [&] { return missed_ >= at_least; });
        return missed_;
    }

private:
    template <class Body>
    void note(Body body) {
        const std::lock_guard lock{mutex_};
        body();
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string heard_;
    std::vector<std::uint64_t> seqs_;
    std::size_t missed_ = 0;
};

/// A server as the bus knows it: two cores, each with an ear.
struct Node {
    explicit Node(const Clock& clock) : runtime(2, clock) {
        runtime.for_each([this](rt::Loop& loop) { local.attach(loop, ears[loop.index()]); });
    }
    ~Node() {
        fleet.reset();
        runtime.for_each([this](rt::Loop& loop) { local.detach(loop); });
    }
    [[nodiscard]] Bus& bus() { return fleet != nullptr ? *fleet : static_cast<Bus&>(local); }

    rt::Runtime runtime;
    Ear ears[2];
    InprocBus local{runtime};
    std::unique_ptr<Bus> fleet{};  ///< none: the server is alone
};

inline MessageRef message(const std::string& room, std::uint64_t seq) {
    auto out = std::make_shared<Message>();
    out->room = RoomId::trusted(room);
    out->seq = {seq};
    out->id = MessageId::trusted("m-" + std::to_string(seq));
    out->sender = MemberId::trusted("u-1");
    out->content = "hello";
    return out;
}

/// What every Bus must do. A Backend is default-constructible and makes `nodes()`: one server, or several that are
/// connected when it returns.
template <class Backend>
class BusContract : public testing::Test {
protected:
    void SetUp() override {
        nodes_ = backend_.nodes();
        ASSERT_FALSE(nodes_.empty());
    }
    [[nodiscard]] Node& node(std::size_t i) { return *nodes_[i % nodes_.size()]; }
    template <class Body>
    void at_every_ear(Body body) {
        for (auto& node : nodes_) {
            for (Ear& ear : node->ears) body(ear);
        }
    }

private:
    Backend backend_;
    std::vector<std::unique_ptr<Node>> nodes_;
};

TYPED_TEST_SUITE_P(BusContract);

TYPED_TEST_P(BusContract, EveryCoreOfEveryServerHearsEventsAndNoticesOnce) {
    this->node(0).bus().event({RoomId::trusted("r-1"), "typing"});
    this->node(0).bus().notify({Notice::Kind::kNotification, "u-1", "hello", {}});
    const std::string all = "r-1:typing u-1=hello ";
    this->at_every_ear([&](Ear& ear) { EXPECT_EQ(ear.heard(all.size()), all); });
    // What comes after shows that nothing came twice.
    this->node(0).bus().event({RoomId::trusted("r-2"), "end"});
    this->at_every_ear([&](Ear& ear) { EXPECT_EQ(ear.heard(all.size() + 1), all + "r-2:end "); });
}

TYPED_TEST_P(BusContract, WhatOneServerAnnouncesArrivesInThatOrderEverywhere) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t seq = 1; seq <= 2000; seq += 2) {
        const std::vector<MessageRef> batch{message("r-1", seq), message("r-1", seq + 1)};
        this->node(1).bus().announce(batch);
        all.push_back(seq);
        all.push_back(seq + 1);
    }
    this->at_every_ear([&](Ear& ear) { EXPECT_EQ(ear.seqs(all.size()), all); });
}

TYPED_TEST_P(BusContract, ALargeBatchArrivesWhole) {
    std::vector<MessageRef> batch;
    std::vector<std::uint64_t> all;
    for (std::uint64_t seq = 1; seq <= 500; ++seq) {
        auto large = std::make_shared<Message>(*message("r-1", seq));
        large->content.assign(4000, 'x');
        batch.push_back(std::move(large));
        all.push_back(seq);
    }
    this->node(0).bus().announce(batch);
    this->at_every_ear([&](Ear& ear) { EXPECT_EQ(ear.seqs(all.size()), all); });
}

REGISTER_TYPED_TEST_SUITE_P(BusContract, EveryCoreOfEveryServerHearsEventsAndNoticesOnce,
                            WhatOneServerAnnouncesArrivesInThatOrderEverywhere, ALargeBatchArrivesWhole);

}  // namespace parley::bus
