#include "gateway/news_board.h"

#include <gtest/gtest.h>

#include <functional>

namespace parley::gateway {
namespace {

const RoomId kRoom = RoomId::trusted("r-1");

MessageRef message(std::uint64_t seq, const RoomId& room = kRoom, MessageType type = MessageType::kTalk) {
    Message one;
    one.room = room;
    one.seq = {seq};
    one.type = type;
    return std::make_shared<const Message>(std::move(one));
}

class Reader final : public NewsBoard::Reader {
public:
    bool on_news(NewsBoard::News& news) override {
        heard += news.room().str() + ':' + std::to_string(news.messages().back()->seq.value) + ' ';
        if (then) then();
        return stays;
    }
    void on_head(const RoomId& room, RoomSeq head) override {
        heard += room.str() + '@' + std::to_string(head.value) + ' ';
    }
    void on_rights_changed() override { heard += "rights "; }
    std::string heard;
    std::function<void()> then;
    bool stays = true;
};

TEST(NewsBoard, TellsAHeadToTheReadersOfTheRoomAndListsRoomsOfTheLogOnly) {
    NewsBoard board;
    Reader mine;
    Reader other;
    board.watch(kRoom, mine);
    board.watch(NewsBoard::joined_by(MemberId::trusted("u-1")), other);
    std::vector<RoomId> rooms;
    board.list_rooms(rooms);
    EXPECT_EQ(rooms, std::vector{kRoom});
    board.on_head(kRoom, {7});
    board.on_head(RoomId::trusted("r-2"), {9});
    EXPECT_EQ(mine.heard, "r-1@7 ");
    EXPECT_EQ(other.heard, "");
}

TEST(NewsBoard, TellsWhoWatchesTheRoomAndNobodyElse) {
    NewsBoard board;
    Reader mine;
    Reader other;
    board.watch(kRoom, mine);
    board.watch(RoomId::trusted("r-2"), other);
    board.on_messages(std::vector{message(1), message(2), message(1, RoomId::trusted("r-3"))});
    EXPECT_EQ(mine.heard, "r-1:2 ");
    EXPECT_EQ(other.heard, "");
}

TEST(NewsBoard, WhoGoesWithTheNewsHearsNoMore) {
    NewsBoard board;
    Reader goes;
    Reader stays;
    goes.stays = false;
    board.watch(kRoom, goes);
    board.watch(kRoom, stays);
    board.on_messages(std::vector{message(1)});
    board.on_messages(std::vector{message(2)});
    EXPECT_EQ(goes.heard, "r-1:1 ");
    EXPECT_EQ(stays.heard, "r-1:1 r-1:2 ");
}

TEST(NewsBoard, OneMaySendAnotherAwayWhileTheyAreTold) {
    NewsBoard board;
    Reader first;
    Reader second;
    board.watch(kRoom, first);
    NewsBoard::Spot& spot = board.watch(kRoom, second);
    first.then = [&] { board.unwatch(spot, second); };
    board.on_messages(std::vector{message(1)});
    board.on_messages(std::vector{message(2)});
    EXPECT_EQ(second.heard, "");
    EXPECT_EQ(first.heard, "r-1:1 r-1:2 ");
}

TEST(NewsBoard, WhoComesWhileTheyAreToldHearsTheNext) {
    NewsBoard board;
    Reader first;
    Reader late;
    board.watch(kRoom, first);
    first.stays = false;
    first.then = [&] { board.watch(kRoom, late); };
    board.on_messages(std::vector{message(1)});
    EXPECT_EQ(late.heard, "");
    board.on_messages(std::vector{message(2)});
    EXPECT_EQ(late.heard, "r-1:2 ");
}

TEST(NewsBoard, UnwatchingTheLastReaderLeavesNothing) {
    NewsBoard board;
    Reader reader;
    board.unwatch(board.watch(kRoom, reader), reader);
    board.on_messages(std::vector{message(1)});
    board.on_rights_changed(kRoom);
    EXPECT_EQ(reader.heard, "");
}

TEST(NewsBoard, ChangedRightsAreTold) {
    NewsBoard board;
    Reader reader;
    board.watch(kRoom, reader);
    board.on_rights_changed(kRoom);
    board.on_rights_changed(RoomId::trusted("r-2"));
    EXPECT_EQ(reader.heard, "rights ");
}

TEST(NewsBoard, TheJsonIsWhatIsAboveAPosition) {
    const std::vector<MessageRef> messages{message(1), message(2), message(3)};
    NewsBoard::News news{messages};
    EXPECT_EQ(news.json({1}), to_json(*messages[1]) + ',' + to_json(*messages[2]));
    EXPECT_EQ(news.json({2}), to_json(*messages[2]));
    EXPECT_FALSE(news.changes_rights());
    const std::vector<MessageRef> changing{message(1, kRoom, MessageType::kSystem)};
    EXPECT_TRUE(NewsBoard::News{changing}.changes_rights());
}

}  // namespace
}  // namespace parley::gateway
