#include "chat/pair_room.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/temp_dir.h"
#include "store/embedded_directory.h"

namespace parley::chat {
namespace {

MemberId id(const char* text) { return MemberId::trusted(text); }

TEST(PairRoom, IsTheSameWhoeverAsks) {
    EXPECT_EQ(pair_room(id("a"), id("b")), pair_room(id("b"), id("a")));
    EXPECT_NE(pair_room(id("a"), id("b")), pair_room(id("a"), id("c")));
    EXPECT_NE(pair_room(id("ab"), id("c")), pair_room(id("a"), id("bc")));
    EXPECT_NE(pair_room(id("a"), id("a")), pair_room(id("a"), id("b")));
}

TEST(PairRoom, HasANameNoClientMaySay) {
    const RoomId room = pair_room(id("a"), id("b"));
    EXPECT_TRUE(room.is_server_own());
    EXPECT_TRUE(room.str().starts_with("~dm:"));
    EXPECT_LE(room.str().size(), 120U);
    EXPECT_FALSE(RoomId::parse(room.str()));
}

class PairRoomMaking : public ::testing::Test {
protected:
    store::Standing standing(const char* member) {
        const auto found = directory->membership(pair_room(id("a"), id("b")), id(member));
        return found && *found ? (*found)->standing : store::Standing::kKicked;
    }

    TempDir dir;
    ManualClock clock;
    std::unique_ptr<store::EmbeddedDirectory> directory =
        std::move(*store::EmbeddedDirectory::open(dir.path() + "/directory", clock));
};

TEST_F(PairRoomMaking, MakesItOnceWithBothAsMembers) {
    EXPECT_TRUE(*make_pair_room(*directory, {id("a"), "Alice"}, id("b"), clock.wall()));
    const auto room = directory->room(pair_room(id("a"), id("b")));
    ASSERT_TRUE(*room);
    EXPECT_EQ((*room)->kind, store::RoomKind::kPair);
    EXPECT_EQ(standing("a"), store::Standing::kMember);
    EXPECT_EQ(standing("b"), store::Standing::kMember);
    EXPECT_FALSE(*make_pair_room(*directory, {id("b"), "Bob"}, id("a"), clock.wall()));
}

TEST_F(PairRoomMaking, CompletesWhatWasBegun) {
    store::RoomInfo begun;
    begun.id = pair_room(id("a"), id("b"));
    begun.kind = store::RoomKind::kPair;
    ASSERT_TRUE(directory->add_room(begun, {}));
    EXPECT_TRUE(*make_pair_room(*directory, {id("a"), "Alice"}, id("b"), clock.wall()));
    EXPECT_EQ(standing("b"), store::Standing::kMember);
}

}  // namespace
}  // namespace parley::chat
