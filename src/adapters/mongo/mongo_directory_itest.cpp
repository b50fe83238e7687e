#include "adapters/mongo/commands.h"
#include "adapters/mongo/database_fixture.h"
#include "adapters/mongo/mongo_directory.h"
#include "adapters/mongo/schema.h"
#include "store/directory_contract.h"

namespace parley::store {

INSTANTIATE_TEST_SUITE_P(Mongo, DirectoryContract, testing::Values(DirectoryMaker{[]() -> std::unique_ptr<Directory> {
                             return std::make_unique<mongo::MongoDirectory>(mongo::open_pool(mongo::fresh_settings()));
                         }}));

}  // namespace parley::store

namespace parley::mongo {
namespace {

/// What a server leaves that stops between the room and its owner's membership.
class UnfinishedRoom : public testing::Test {
protected:
    UnfinishedRoom() {
        Document room = Document{}.text("_id", "r-1").number("v", kFormat);
        room.text("name", "a room").number("kind", 1).number("visibility", 1).number("visibility_at", 0);
        room.text("owner", "u-1").time("created_at", {});
        room.document("unfinished", Document{}.text("member", "u-1").text("nickname", "앨리스"));
        shell(settings_, insert(collection::kRooms, {room}));
    }
    bool is_marked() {
        return shell_find(settings_, find(collection::kRooms, Document{}.text("_id", "r-1"))).at(0).has("unfinished");
    }
    const Settings settings_ = fresh_settings();
    MongoDirectory directory_{open_pool(settings_)};
    const RoomId room_ = RoomId::trusted("r-1");
    const MemberId owner_ = MemberId::trusted("u-1");
};

TEST_F(UnfinishedRoom, HasItsOwnerForWhoAsksForTheMembership) {
    const auto found = *directory_.membership(room_, owner_);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->standing, store::Standing::kOwner);
    EXPECT_EQ(found->nickname, "앨리스");
    EXPECT_FALSE(is_marked());
}

TEST_F(UnfinishedRoom, HasItsOwnerForWhoAsksForItsMembers) {
    EXPECT_EQ(directory_.members(room_, {}, 10)->size(), 1u);
    EXPECT_FALSE(is_marked());
}

TEST_F(UnfinishedRoom, IsAmongItsOwnersRooms) {
    EXPECT_EQ(directory_.rooms_of(owner_, 10)->size(), 1u);
    EXPECT_FALSE(is_marked());
}

TEST_F(UnfinishedRoom, TakesNoLaterChangeBack) {
    ASSERT_TRUE(directory_.drop_membership(room_, owner_, RoomSeq{5}));
    EXPECT_TRUE(directory_.members(room_, {}, 10)->empty());
    EXPECT_FALSE(*directory_.membership(room_, owner_));
    EXPECT_FALSE(is_marked());
}

}  // namespace
}  // namespace parley::mongo
