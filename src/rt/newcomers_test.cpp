#include "rt/newcomers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "rt/connection.h"
#include "rt/fake_kernel.h"
#include "rt/loop.h"

namespace parley::rt {
namespace {

using testing::FakeKernel;
using Busy = Newcomers::Busy;

/// Time passes as a step takes it.
struct Guest final : Watcher {
    Guest(ManualClock& clock, milliseconds step, std::vector<const Guest*>& served)
        : clock_(clock), step_(step), served_(served) {}
    void on_events(std::uint32_t) override {}
    void on_welcome() override {
        clock_.advance(step_);
        served_.push_back(this);
    }

private:
    ManualClock& clock_;
    milliseconds step_;
    std::vector<const Guest*>& served_;
};

class NewcomersTest : public ::testing::Test {
protected:
    void come(std::size_t count, milliseconds step = milliseconds{0}) {
        for (std::size_t i = 0; i < count; ++i) {
            newcomers.ask(*guests.emplace_back(std::make_unique<Guest>(clock, step, served)));
        }
    }
    void serve(Busy busy) { newcomers.serve(clock.steady(), busy); }

    ManualClock clock;
    Newcomers newcomers{clock};
    std::vector<const Guest*> served;
    std::vector<std::unique_ptr<Guest>> guests;
};

TEST_F(NewcomersTest, NobodyWaitsWhereFewCome) {
    come(3);
    serve({});
    ASSERT_EQ(served.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(served[i], guests[i].get());
    EXPECT_FALSE(newcomers.next({}));
}

TEST_F(NewcomersTest, ABatchIsSixteenStepsAndTheNextComesAfterARest) {
    come(40);
    serve({});
    EXPECT_EQ(served.size(), 16U);
    const SteadyTime begun = clock.steady();
    const Busy busy = milliseconds{2};  // what those sixteen led to
    EXPECT_EQ(newcomers.next(busy), begun + milliseconds{3});
    clock.advance(milliseconds{2});
    serve(busy);
    EXPECT_EQ(served.size(), 16U);
    clock.advance(milliseconds{1});
    serve(busy);
    EXPECT_EQ(served.size(), 32U);
}

TEST_F(NewcomersTest, ABatchOfLongStepsIsShort) {
    come(5, milliseconds{1});
    serve({});
    EXPECT_EQ(served.size(), 1U);
}

TEST_F(NewcomersTest, TheyGetInWhereTheLoopNeverRests) {
    come(100);
    serve({});
    Busy busy{0};
    for (int i = 0; i < 100 && served.size() < 100; ++i) {
        clock.advance(milliseconds{4});
        busy += milliseconds{4};
        serve(busy);
    }
    EXPECT_EQ(served.size(), 100U);
}

TEST_F(NewcomersTest, WhoHasGoneIsNotServed) {
    come(3);
    newcomers.forget(*guests[1]);
    serve({});
    EXPECT_EQ(served, (std::vector<const Guest*>{guests[0].get(), guests[2].get()}));
}

/// What each connection heard, in order.
struct Ear final : Connection::Handler {
    explicit Ear(std::string& to) : heard(to) {}
    std::string& heard;
    std::size_t on_data(Connection&, std::span<char> bytes) override {
        heard.append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_closed(Connection&) override { heard += '.'; }
};

class StormTest : public ::testing::Test {
protected:
    StormTest() {
        auto fake = std::make_unique<FakeKernel>();
        kernel = fake.get();
        loop = std::make_unique<Loop>(0, clock, std::move(fake));
        set = std::make_unique<ConnectionSet>(*loop, ConnectionSet::Limits{});
    }
    int open() {
        const int fd = kernel->open();
        set->open(fd, std::make_unique<Ear>(heard));
        return fd;
    }
    void storm(int count) {
        for (int i = 0; i < count; ++i) kernel->arrive(fds.emplace_back(open()), "n");
    }

    ManualClock clock;
    FakeKernel* kernel;
    std::unique_ptr<Loop> loop;
    std::string heard;
    std::unique_ptr<ConnectionSet> set;
    std::vector<int> fds;
};

TEST_F(StormTest, WhoIsConnectedIsServedInTheTurnInWhichTheySpeak) {
    const int before = open();
    kernel->arrive(before, "B");
    loop->run_once();
    heard.clear();
    storm(1000);
    for (int turn = 0; turn < 20; ++turn) {
        kernel->arrive(before, "B");
        loop->run_once();
        loop->post([this] { heard += 'P'; });
    }
    // Each turn: what was posted, whoever is connected, and at most one batch of newcomers.
    std::size_t batch = 0;
    for (const char c : heard) {
        batch = c == 'n' ? batch + 1 : 0;
        ASSERT_LE(batch, Newcomers::kSteps);
    }
    EXPECT_EQ(std::count(heard.begin(), heard.end(), 'B'), 20);
    EXPECT_EQ(std::count(heard.begin(), heard.end(), 'P'), 19);
}

TEST_F(StormTest, EveryNewcomerIsServed) {
    storm(1000);
    for (int turn = 0; turn < 1000 / 16 + 2; ++turn) loop->run_once();
    EXPECT_EQ(heard, std::string(1000, 'n'));
}

TEST_F(StormTest, WhatAConnectionSaysLaterWaitsForNobody) {
    storm(16);
    loop->run_once();
    storm(100);
    heard.clear();
    kernel->arrive(fds[0], "x");
    loop->run_once();
    EXPECT_EQ(heard, "x" + std::string(16, 'n'));
}

TEST_F(StormTest, ANewcomerThatGoesWhileItWaitsIsForgotten) {
    storm(40);
    loop->run_once();
    heard.clear();
    for (std::size_t i = 16; i < 40; ++i) kernel->reset(fds[i]);
    loop->run_once();
    EXPECT_EQ(heard, std::string(24, '.'));
    loop->run_once();
    EXPECT_EQ(heard, std::string(24, '.'));
}

TEST_F(StormTest, AnEndWithoutAWordIsHeardToo) {
    kernel->end_input(open());
    loop->run_once();
    EXPECT_EQ(heard, ".");
}

TEST_F(StormTest, AConnectionOfAnotherLoopIsNoNewcomer) {
    storm(100);
    const int fd = kernel->open();
    set->open({.fd = fd, .is_new = false}, std::make_unique<Ear>(heard));
    kernel->arrive(fd, "x");
    loop->run_once();
    EXPECT_EQ(heard, "x" + std::string(16, 'n'));
}

}  // namespace
}  // namespace parley::rt
