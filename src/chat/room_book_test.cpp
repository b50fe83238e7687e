#include "chat/room_book.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "rt/loop.h"
#include "rt/work_pool.h"
#include "store/empty_directory.h"

namespace parley::chat {
namespace {

/// Knows every room.
class AnyRoom final : public store::EmptyDirectory {
public:
    Result<std::optional<store::RoomInfo>> room(const RoomId& id) override {
        store::RoomInfo info;
        info.id = id;
        return info;
    }
};

class RoomBookTest : public ::testing::Test {
protected:
    void ask(const RoomId& about) {
        book.learn(about, member, [this](const Result<RoomView>& view) { answers += view && view->room ? 1 : 0; });
    }
    void answer() {
        while (pool.run_one()) loop.run_once();
        loop.run_once();
    }

    ManualClock clock;
    rt::Loop loop{0, clock};
    rt::WorkPool pool{"test", 0, 1000};
    rt::Asker asker{loop, pool};
    AnyRoom directory;
    RoomBook book{directory, asker};
    RoomId room = RoomId::trusted("r-1");
    MemberId member = MemberId::trusted("u-1");
    int answers = 0;
};

TEST_F(RoomBookTest, RemembersWhatItAsked) {
    EXPECT_EQ(book.find(room, member), nullptr);
    ask(room);
    answer();
    EXPECT_EQ(answers, 1);
    EXPECT_NE(book.find(room, member), nullptr);
}

TEST_F(RoomBookTest, AnAnswerAskedForBeforeAChangeIsHandedOnButNotRemembered) {
    ask(room);
    book.forget(room);
    answer();
    EXPECT_EQ(answers, 1);
    EXPECT_EQ(book.find(room, member), nullptr);
    ask(room);
    book.forget_all();
    answer();
    EXPECT_EQ(answers, 2);
    EXPECT_EQ(book.find(room, member), nullptr);
}

TEST_F(RoomBookTest, ChangesOfOtherRoomsDoNotKeepItFromRemembering) {
    constexpr int kRooms = 50;
    int remembered = 0;
    for (int i = 0; i < kRooms; ++i) {
        const RoomId quiet = RoomId::trusted("quiet-" + std::to_string(i));
        ask(quiet);
        book.forget(room);
        answer();
        remembered += book.find(quiet, member) != nullptr ? 1 : 0;
    }
    EXPECT_GT(remembered, kRooms / 2);
}

}  // namespace
}  // namespace parley::chat
