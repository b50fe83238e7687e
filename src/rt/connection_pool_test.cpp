#include "rt/connection_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

struct FakeConnection {
    bool broken = false;
    bool open = true;
    [[nodiscard]] bool is_broken() const { return broken; }
    [[nodiscard]] bool is_open() const { return open; }
};

class ConnectionPoolTest : public testing::Test {
protected:
    using Pool = ConnectionPool<FakeConnection>;
    Pool make(std::size_t limit, milliseconds answer_limit = 10s) {
        return Pool{"Server", limit, answer_limit, [this](Deadline) -> Result<std::unique_ptr<FakeConnection>> {
                        ++opened_;
                        if (refuses_) return fail(Code::kStoreUnavailable, "refused");
                        return std::make_unique<FakeConnection>();
                    }};
    }
    static Result<int> answer(FakeConnection&, Deadline, bool) { return 7; }

    std::atomic<int> opened_{0};
    std::atomic<bool> refuses_{false};
};

TEST_F(ConnectionPoolTest, KeepsAConnectionForTheNextQuestion) {
    Pool pool = make(2);
    EXPECT_EQ(pool.with(answer), 7);
    EXPECT_EQ(pool.with(answer), 7);
    EXPECT_EQ(opened_, 1);
}

TEST_F(ConnectionPoolTest, AsksOnceMoreOverANewOneWhenItBroke) {
    Pool pool = make(1);
    const auto asked = pool.with([](FakeConnection& connection, Deadline, bool again) -> Result<int> {
        if (again) return 8;
        connection.broken = true;
        return fail(Code::kStoreUnavailable, "broke");
    });
    EXPECT_EQ(asked, 8);
    EXPECT_EQ(opened_, 2);
}

TEST_F(ConnectionPoolTest, AnErrorOverAGoodConnectionIsTheAnswer) {
    Pool pool = make(1);
    int asked = 0;
    const auto refused = pool.with([&](FakeConnection&, Deadline, bool) -> Result<int> {
        ++asked;
        return fail(Code::kStoreUnavailable, "no");
    });
    EXPECT_FALSE(refused);
    EXPECT_EQ(asked, 1);
}

TEST_F(ConnectionPoolTest, GivesUpOneThatTheServerHasClosed) {
    Pool pool = make(1);
    (void)pool.with([](FakeConnection& connection, Deadline, bool) -> Result<int> {
        connection.open = false;
        return 0;
    });
    EXPECT_EQ(pool.with(answer), 7);
    EXPECT_EQ(opened_, 2);
}

TEST_F(ConnectionPoolTest, TellsTheReasonAtOnceWhileTheServerRefuses) {
    Pool pool = make(1);
    refuses_ = true;
    EXPECT_EQ(pool.with(answer).error().message, "refused");
    EXPECT_EQ(pool.with(answer).error().message, "refused");
    EXPECT_EQ(opened_, 1) << "one caller in half a second tries";
}

TEST_F(ConnectionPoolTest, NobodyWaitsForAConnectionLongerThanForAnAnswer) {
    Pool pool = make(1, 1ms);
    (void)pool.with([&](FakeConnection&, Deadline, bool) -> Result<int> {
        EXPECT_EQ(pool.with(answer).error().message, "Server: all 1 connections are busy");
        return 0;
    });
}

}  // namespace
}  // namespace parley::rt
