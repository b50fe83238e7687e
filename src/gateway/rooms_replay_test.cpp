#include "gateway/rooms_replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "room/room_fixture.h"

namespace parley::gateway {
namespace {

using ::testing::EndsWith;

/// Rooms of a log in memory, whose n-th message is of millisecond n.
class RoomsReplayTest : public ::testing::Test {
protected:
    void put(const std::string& room, int count = 1, const std::string& content = {}) {
        for (int i = 0; i < count; ++i) {
            Draft draft;
            draft.content = content;
            log.put(RoomId::trusted(room), std::move(draft));
        }
        rooms.insert(room);
    }
    RoomsReplay since(int time) {
        return RoomsReplay{log,
                           [this](const RoomId& after, WallTime time, std::size_t limit) {
                               std::vector<log::ListedRoom> out;
                               for (auto it = rooms.upper_bound(after.str()); it != rooms.end() && out.size() < limit;
                                    ++it) {
                                   const RoomId room = RoomId::trusted(*it);
                                   const RoomSeq head = log.at(room).head;
                                   if (WallTime{milliseconds{head.value}} >= time) out.push_back({room, head});
                               }
                               return Result<std::vector<log::ListedRoom>>{std::move(out)};
                           },
                           WallTime{milliseconds{time}}};
    }
    /// `r-1@2 r-1@3 `; what goes wrong ends it.
    static std::string places(const std::string& lines) {
        std::string out;
        for (std::size_t at = lines.find(R"("roomId":")"); at != std::string::npos;
             at = lines.find(R"("roomId":")", at + 1)) {
            const auto room = at + 10;
            const auto seq = lines.find(R"("seq":)", at) + 6;
            out += lines.substr(room, lines.find('"', room) - room) + '@' +
                   lines.substr(seq, lines.find_first_of(",}", seq) - seq) + ' ';
        }
        return out;
    }
    std::string all(RoomsReplay replay) {
        std::string lines;
        for (;;) {
            auto page = replay.read();
            if (!page) return lines + std::string{name(page.error().code)};
            lines += page->lines;
            ++pages;
            longest = std::max(longest, page->lines.size());
            if (page->is_last) return lines;
        }
    }

    room::testing::FakeLog log;
    std::set<std::string> rooms;
    std::size_t pages = 0;
    std::size_t longest = 0;
};

TEST_F(RoomsReplayTest, EachRoomComesInOrderFromTheTimeOn) {
    put("r-1", 4);
    put("r-2", 2);
    put("r-3", 3);
    EXPECT_EQ(places(all(since(3))), "r-1@3 r-1@4 r-3@3 ");
    EXPECT_EQ(places(all(since(0))), "r-1@1 r-1@2 r-1@3 r-1@4 r-2@1 r-2@2 r-3@1 r-3@2 r-3@3 ");
    EXPECT_EQ(places(all(since(5))), "");
}

TEST_F(RoomsReplayTest, LinesAreTheMessagesOfARoomsReplay) {
    put("r-1", 1, "안녕");
    EXPECT_EQ(all(since(0)), to_json(*log.read(RoomId::trusted("r-1"), {0}, 1, 1_KiB)->messages.front()) + "\n");
}

TEST_F(RoomsReplayTest, ARoomEndsWhereItStoodWhenItsTurnCame) {
    put("r-1", 600, std::string(1000, 'x'));
    RoomsReplay replay = since(0);
    EXPECT_FALSE(replay.read()->is_last);
    put("r-1", 2);
    put("r-2");
    EXPECT_THAT(places(all(std::move(replay))), EndsWith(" r-1@599 r-1@600 "));
}

TEST_F(RoomsReplayTest, PagesAreBoundedInBytesAndInRooms) {
    for (int i = 0; i < 600; ++i) put("r-" + std::to_string(1000 + i));
    put("r-9", 2000, std::string(1000, 'x'));
    const std::string got = places(all(since(0)));
    EXPECT_EQ(std::ranges::count(got, '@'), 2600);
    EXPECT_GT(pages, 15U);
    EXPECT_LT(longest, 1024U * 1024);
}

TEST_F(RoomsReplayTest, WhatIsNoLongerKeptIsLeftOut) {
    put("r-1", 5);
    log.trim(RoomId::trusted("r-1"), {4});
    EXPECT_EQ(places(all(since(0))), "r-1@4 r-1@5 ");
    log.trim(RoomId::trusted("r-1"), {6});
    EXPECT_EQ(places(all(since(0))), "");
}

TEST_F(RoomsReplayTest, ALogThatDoesNotAnswerIsSaid) {
    put("r-1");
    log.is_down = true;
    EXPECT_EQ(all(since(0)), "CHAT_STORE_UNAVAILABLE");
}

}  // namespace
}  // namespace parley::gateway
