#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "base/clock.h"
#include "log/listed_room.h"
#include "log/room_log.h"

namespace parley::log::contract {

/// What every log::ListRooms must do. `clock` is the log's, which is empty.
inline void check_listed_rooms(RoomLog& log, const ListRooms& list, ManualClock& clock) {
    const auto put = [&log](const std::string& room) {
        Draft draft;
        draft.sender = MemberId::trusted("u-1");
        draft.id = MessageId::trusted("m");
        draft.content = "hello";
        std::vector<Draft> drafts;
        drafts.push_back(std::move(draft));
        std::promise<bool> stored;
        log.append({RoomId::trusted(room), std::move(drafts)},
                   [&stored](const auto& answer) { stored.set_value(answer.has_value()); });
        EXPECT_TRUE(stored.get_future().get());
    };
    const auto rooms = [&list](const std::string& after, WallTime since, std::size_t limit) {
        std::vector<std::string> out;
        const auto listed = list(RoomId::trusted(after), since, limit);
        EXPECT_TRUE(listed.has_value()) << (listed ? "" : listed.error().message);
        if (!listed) return out;
        for (const ListedRoom& room : *listed) {
            EXPECT_EQ(room.head, RoomSeq{1});
            out.push_back(room.room.str());
        }
        return out;
    };
    using testing::ElementsAre;
    for (const char* room : {"b", "B", "~own", "b.1"}) put(room);
    clock.advance(seconds{10});
    const WallTime later = clock.wall();
    for (const char* room : {"a", "c"}) put(room);
    EXPECT_THAT(rooms("", {}, 100), ElementsAre("B", "a", "b", "b.1", "c"));
    EXPECT_THAT(rooms("a", {}, 2), ElementsAre("b", "b.1"));
    EXPECT_THAT(rooms("", later, 100), ElementsAre("a", "c"));
    EXPECT_THAT(rooms("a", later, 100), ElementsAre("c"));
    EXPECT_THAT(rooms("c", {}, 100), ElementsAre());
}

}  // namespace parley::log::contract
