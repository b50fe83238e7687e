#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/directory.h"

namespace parley::store {

/// What every Directory must do. A test file includes this and says
/// `INSTANTIATE_TEST_SUITE_P(Mine, DirectoryContract, testing::Values(DirectoryMaker{[] { … }}))`.
struct DirectoryMaker {
    std::function<std::unique_ptr<Directory>()> make;  ///< a new, empty one
};

class DirectoryContract : public testing::TestWithParam<DirectoryMaker> {
protected:
    void SetUp() override {
        directory_ = GetParam().make();
        ASSERT_NE(directory_, nullptr);
    }
    static MemberId member(const std::string& id) { return MemberId::trusted(id); }
    static RoomId room(const std::string& id) { return RoomId::trusted(id); }
    static WallTime at(int second) { return WallTime{seconds{1'700'000'000 + second}}; }
    static Account alice() { return {member("u-1"), "Alice", "앨리스", "$argon2id$x", at(0), {}}; }
    static RoomInfo chat(const std::string& id, Visibility visibility = Visibility::kPublic) {
        return {room(id), "방 " + id, RoomKind::kChat, visibility, member("u-1"), at(1)};
    }
    static Membership standing(const std::string& id, Standing value, std::uint64_t seq) {
        return {member(id), "nick " + id, value, RoomSeq{seq}};
    }
    Directory& directory() { return *directory_; }
    std::vector<std::string> public_rooms(const std::string& after, std::size_t limit) {
        return ids(*directory().public_rooms(room(after), limit));
    }
    std::vector<std::string> rooms_of(const std::string& id, std::size_t limit = 100) {
        return ids(*directory().rooms_of(member(id), limit));
    }
    std::vector<std::string> members_of(const std::string& id, std::size_t limit = 100, const std::string& after = "") {
        std::vector<std::string> out;
        const auto members = *directory().members(room(id), MemberId::trusted(after), limit);
        for (const auto& m : members) out.push_back(m.member.str());
        return out;
    }
    std::optional<Membership> membership(const std::string& in, const std::string& who) {
        return *directory().membership(room(in), member(who));
    }
    static ChangeInFlight change(const std::string& in, const std::string& id) {
        return {MessageId::trusted(id), room(in), RoomSeq{7}, "nick " + id};
    }
    std::vector<std::string> in_flight() {
        std::vector<std::string> out;
        const auto changes = *directory().changes_in_flight();
        for (const auto& c : changes) out.push_back(c.room.str() + " " + c.id.str());
        std::sort(out.begin(), out.end());
        return out;
    }
    static void in_threads(int count, const std::function<void(int)>& body) {
        std::vector<std::thread> threads;
        for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
        for (auto& thread : threads) thread.join();
    }

private:
    static std::vector<std::string> ids(const std::vector<RoomInfo>& rooms) {
        std::vector<std::string> out;
        for (const auto& info : rooms) out.push_back(info.id.str());
        return out;
    }
    std::unique_ptr<Directory> directory_;
};

using Names = std::vector<std::string>;

TEST_P(DirectoryContract, FindsAnAccountByIdAndByNameWhateverItsCase) {
    ASSERT_TRUE(directory().add_account(alice()));
    const auto by_id = *directory().account(member("u-1"));
    const auto by_name = *directory().account_by_name("aLICE");
    ASSERT_TRUE(by_id && by_name);
    EXPECT_EQ(by_id->name, "Alice");
    EXPECT_EQ(by_id->nickname, "앨리스");
    EXPECT_EQ(by_id->password_hash, "$argon2id$x");
    EXPECT_EQ(by_id->created_at, at(0));
    EXPECT_EQ(by_id->revoked_before, WallTime{});
    EXPECT_EQ(by_name->id, by_id->id);
    EXPECT_FALSE(*directory().account(member("u-2")));
    EXPECT_FALSE(*directory().account_by_name("Alic"));
}

TEST_P(DirectoryContract, RefusesATakenNameOrIdAndChangesNothing) {
    ASSERT_TRUE(directory().add_account(alice()));
    Account same_name = alice();
    same_name.id = member("u-2");
    same_name.name = "ALICE";
    EXPECT_EQ(directory().add_account(same_name).error().code, Code::kNameTaken);
    Account same_id = alice();
    same_id.name = "Bob";
    EXPECT_EQ(directory().add_account(same_id).error().code, Code::kNameTaken);
    EXPECT_FALSE(*directory().account(member("u-2")));
    EXPECT_FALSE(*directory().account_by_name("Bob"));
}

TEST_P(DirectoryContract, GivesANameToOneOfManyWhoAskAtOnce) {
    std::atomic<int> added{0};
    in_threads(8, [&](int i) {
        Account account = alice();
        account.id = member("u-" + std::to_string(i));
        added += directory().add_account(account) ? 1 : 0;
    });
    EXPECT_EQ(added, 1);
}

TEST_P(DirectoryContract, ChangesThePasswordOfAnAccountAlone) {
    ASSERT_TRUE(directory().add_account(alice()));
    ASSERT_TRUE(directory().set_password_hash(member("u-1"), "new"));
    EXPECT_EQ((*directory().account_by_name("alice"))->password_hash, "new");
    EXPECT_EQ((*directory().account_by_name("alice"))->nickname, "앨리스");
    EXPECT_EQ(directory().set_password_hash(member("u-2"), "new").error().code, Code::kMemberNotFound);
}

TEST_P(DirectoryContract, RemembersRevokedBeforeWithOrWithoutAnAccountAndNeverLowersIt) {
    EXPECT_FALSE(*directory().revoked_before(member("u-1")));
    ASSERT_TRUE(directory().set_revoked_before(member("u-1"), at(10)));
    ASSERT_TRUE(directory().set_revoked_before(member("u-1"), at(5)));
    EXPECT_EQ(**directory().revoked_before(member("u-1")), at(10));
    ASSERT_TRUE(directory().add_account(alice()));
    EXPECT_EQ((*directory().account(member("u-1")))->revoked_before, at(10));
}

TEST_P(DirectoryContract, ForgetsRevokedTokensOnlyAfterTheyExpire) {
    const std::string a(64, 'a'), b(64, 'b');
    ASSERT_TRUE(directory().revoke_token(a, at(10)));
    ASSERT_TRUE(directory().revoke_token(b, at(10)));
    ASSERT_TRUE(directory().revoke_token(b, at(20)));
    ASSERT_TRUE(directory().revoke_token(b, at(5)));
    EXPECT_TRUE(*directory().is_token_revoked(a));
    EXPECT_FALSE(*directory().is_token_revoked(std::string(64, 'c')));
    EXPECT_EQ(*directory().forget_expired(at(10)), 0U);
    EXPECT_EQ(*directory().forget_expired(at(11)), 1U);
    EXPECT_FALSE(*directory().is_token_revoked(a));
    EXPECT_TRUE(*directory().is_token_revoked(b));
}

TEST_P(DirectoryContract, SaysOfManyTokensWhichAreRevokedByThemselvesOrWithTheirMember) {
    const auto token = [&](char c, const char* id, int issued) {
        return HeldToken{std::string(64, c), member(id), at(issued)};
    };
    const std::vector held{token('a', "u-1", 10), token('b', "u-1", 10), token('c', "u-2", 9),
                           token('d', "u-2", 10), token('e', "u,3", 1),  {std::string(64, 'f'), member("u-2"), {}}};
    EXPECT_THAT(*directory().revoked_among(held), ::testing::IsEmpty());
    EXPECT_THAT(*directory().revoked_among({}), ::testing::IsEmpty());
    ASSERT_TRUE(directory().revoke_token(held[1].sha256_hex, at(20)));
    ASSERT_TRUE(directory().revoke_token(std::string(64, '0'), at(20)));
    ASSERT_TRUE(directory().set_revoked_before(member("u-2"), at(10)));
    EXPECT_THAT(*directory().revoked_among(held),
                ::testing::UnorderedElementsAre(held[1].sha256_hex, held[2].sha256_hex, held[5].sha256_hex));
}

TEST_P(DirectoryContract, AddsARoomOnceAndItsOwnerWithIt) {
    ASSERT_TRUE(directory().add_room(chat("r-1"), "앨리스"));
    EXPECT_EQ(directory().add_room(chat("r-1"), "other").error().code, Code::kRoomExists);
    const auto info = *directory().room(room("r-1"));
    ASSERT_TRUE(info);
    EXPECT_EQ(info->name, "방 r-1");
    EXPECT_EQ(info->kind, RoomKind::kChat);
    EXPECT_EQ(info->visibility, Visibility::kPublic);
    EXPECT_EQ(info->owner, member("u-1"));
    EXPECT_EQ(info->created_at, at(1));
    EXPECT_FALSE(*directory().room(room("r-2")));
    const auto owner = membership("r-1", "u-1");
    ASSERT_TRUE(owner);
    EXPECT_EQ(owner->standing, Standing::kOwner);
    EXPECT_EQ(owner->nickname, "앨리스");
    EXPECT_EQ(rooms_of("u-1"), Names{"r-1"});
}

TEST_P(DirectoryContract, AnAutoCreatedRoomHasNoMembers) {
    RoomInfo info = chat("r-1");
    info.owner = MemberId{};
    ASSERT_TRUE(directory().add_room(info, ""));
    EXPECT_TRUE(members_of("r-1").empty());
    EXPECT_TRUE((*directory().room(room("r-1")))->owner.empty());
}

TEST_P(DirectoryContract, OneOfManyWhoAddARoomAtOnceSucceeds) {
    std::atomic<int> added{0};
    in_threads(8, [&](int i) {
        RoomInfo info = chat("r-1");
        info.owner = member("u-" + std::to_string(i));
        added += directory().add_room(info, "") ? 1 : 0;
    });
    EXPECT_EQ(added, 1);
    EXPECT_EQ(members_of("r-1").size(), 1U);
}

TEST_P(DirectoryContract, ListsPublicChatRoomsInIdOrderByPages) {
    for (const char* id : {"b", "a-long-one", "c", "aa"}) ASSERT_TRUE(directory().add_room(chat(id), ""));
    ASSERT_TRUE(directory().add_room(chat("b-private", Visibility::kPrivate), ""));
    RoomInfo pair = chat("~dm:1");
    pair.kind = RoomKind::kPair;
    ASSERT_TRUE(directory().add_room(pair, ""));
    EXPECT_EQ(public_rooms("", 10), (Names{"a-long-one", "aa", "b", "c"}));
    EXPECT_EQ(public_rooms("", 2), (Names{"a-long-one", "aa"}));
    EXPECT_EQ(public_rooms("aa", 10), (Names{"b", "c"}));
    EXPECT_EQ(public_rooms("ab", 1), Names{"b"}) << "after a room that is not there";
    EXPECT_TRUE(public_rooms("c", 10).empty());
}

TEST_P(DirectoryContract, ChangesVisibilityBySeqAndTheListWithIt) {
    ASSERT_TRUE(directory().add_room(chat("r-1"), ""));
    ASSERT_TRUE(directory().set_visibility(room("r-1"), Visibility::kPrivate, RoomSeq{5}));
    EXPECT_TRUE(public_rooms("", 10).empty());
    ASSERT_TRUE(directory().set_visibility(room("r-1"), Visibility::kPublic, RoomSeq{4}));
    EXPECT_EQ((*directory().room(room("r-1")))->visibility, Visibility::kPrivate);
    ASSERT_TRUE(directory().set_visibility(room("r-1"), Visibility::kPublic, RoomSeq{6}));
    EXPECT_EQ(public_rooms("", 10), Names{"r-1"});
    EXPECT_EQ(directory().set_visibility(room("none"), Visibility::kPublic, RoomSeq{1}).error().code,
              Code::kRoomNotFound);
}

TEST_P(DirectoryContract, AnOlderMembershipChangeNeverOverwritesALaterOne) {
    ASSERT_TRUE(directory().put_membership(room("r"), standing("u-2", Standing::kMember, 7)));
    ASSERT_TRUE(directory().put_membership(room("r"), standing("u-2", Standing::kInvited, 6)));
    ASSERT_TRUE(directory().put_membership(room("r"), standing("u-2", Standing::kInvited, 7)));
    ASSERT_TRUE(directory().drop_membership(room("r"), member("u-2"), RoomSeq{5}));
    const auto found = membership("r", "u-2");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->standing, Standing::kMember);
    EXPECT_EQ(found->since, RoomSeq{7});
    EXPECT_EQ(found->nickname, "nick u-2");
}

TEST_P(DirectoryContract, ADroppedMembershipStaysDroppedAgainstOlderChanges) {
    ASSERT_TRUE(directory().drop_membership(room("r"), member("u-2"), RoomSeq{9}));
    ASSERT_TRUE(directory().put_membership(room("r"), standing("u-2", Standing::kMember, 8)));
    EXPECT_FALSE(membership("r", "u-2"));
    EXPECT_TRUE(members_of("r").empty());
    ASSERT_TRUE(directory().put_membership(room("r"), standing("u-2", Standing::kMember, 10)));
    EXPECT_TRUE(membership("r", "u-2"));
}

TEST_P(DirectoryContract, ListsMembersAndRoomsWithoutThoseKickedOrGone) {
    for (const char* id : {"r-1", "r-2", "r-3"}) ASSERT_TRUE(directory().add_room(chat(id), ""));
    ASSERT_TRUE(directory().put_membership(room("r-1"), standing("u-2", Standing::kMember, 1)));
    ASSERT_TRUE(directory().put_membership(room("r-2"), standing("u-2", Standing::kInvited, 1)));
    ASSERT_TRUE(directory().put_membership(room("r-3"), standing("u-2", Standing::kKicked, 1)));
    EXPECT_EQ(rooms_of("u-2"), (Names{"r-1", "r-2"}));
    EXPECT_EQ(rooms_of("u-2", 1), Names{"r-1"});
    EXPECT_EQ(members_of("r-1"), (Names{"u-1", "u-2"}));
    EXPECT_EQ(members_of("r-1", 1), Names{"u-1"});
    EXPECT_EQ(members_of("r-1", 1, "u-1"), Names{"u-2"});
    EXPECT_EQ(members_of("r-1", 1, "u-10"), Names{"u-2"});
    EXPECT_TRUE(members_of("r-1", 1, "u-2").empty());
    EXPECT_EQ(members_of("r-3"), Names{"u-1"});
    EXPECT_EQ(membership("r-3", "u-2")->standing, Standing::kKicked);
    ASSERT_TRUE(directory().drop_membership(room("r-1"), member("u-2"), RoomSeq{2}));
    EXPECT_EQ(rooms_of("u-2"), Names{"r-2"});
}

TEST_P(DirectoryContract, KeepsIdsApartThatRunIntoEachOther) {
    ASSERT_TRUE(directory().put_membership(room("r"), standing("1u", Standing::kMember, 1)));
    ASSERT_TRUE(directory().raise_read_mark(room("r"), member("1u"), RoomSeq{5}));
    EXPECT_FALSE(membership("r1", "u"));
    EXPECT_TRUE(members_of("r1").empty());
    EXPECT_EQ(*directory().read_mark(room("r1"), member("u")), RoomSeq{0});
}

TEST_P(DirectoryContract, AChangeIsInFlightFromItsNoteUntilItIsDone) {
    EXPECT_TRUE(in_flight().empty());
    ASSERT_TRUE(directory().note_change(change("r", "m-1")));
    const auto noted = *directory().changes_in_flight();
    ASSERT_EQ(noted.size(), 1U);
    EXPECT_EQ(noted[0].id, MessageId::trusted("m-1"));
    EXPECT_EQ(noted[0].room, room("r"));
    EXPECT_EQ(noted[0].above, RoomSeq{7});
    EXPECT_EQ(noted[0].nickname, "nick m-1");
    ASSERT_TRUE(directory().change_done(room("r"), MessageId::trusted("m-1")));
    EXPECT_TRUE(in_flight().empty());
    EXPECT_TRUE(directory().change_done(room("r"), MessageId::trusted("m-1"))) << "done twice";
}

TEST_P(DirectoryContract, ChangesInFlightAtOnceDoNotEndEachOther) {
    for (const char* id : {"m-1", "m-2", "m-3"}) ASSERT_TRUE(directory().note_change(change("r", id)));
    ASSERT_TRUE(directory().note_change(change("rm", "-2")));
    ASSERT_TRUE(directory().change_done(room("r"), MessageId::trusted("m-2")));
    EXPECT_EQ(in_flight(), (Names{"r m-1", "r m-3", "rm -2"}));
}

TEST_P(DirectoryContract, ReadMarksOnlyRise) {
    EXPECT_EQ(*directory().read_mark(room("r"), member("u")), RoomSeq{0});
    EXPECT_EQ(*directory().raise_read_mark(room("r"), member("u"), RoomSeq{7}), RoomSeq{7});
    EXPECT_EQ(*directory().raise_read_mark(room("r"), member("u"), RoomSeq{3}), RoomSeq{7});
    EXPECT_EQ(*directory().read_mark(room("r"), member("u")), RoomSeq{7});
    EXPECT_EQ(*directory().read_mark(room("r"), member("v")), RoomSeq{0});
}

TEST_P(DirectoryContract, ReadMarksRaisedAtOnceEndAtTheHighest) {
    in_threads(8, [&](int i) {
        for (int n = 1; n <= 10; ++n) {
            const RoomSeq mine{static_cast<std::uint64_t>(n * 8 + i)};
            EXPECT_GE(*directory().raise_read_mark(room("r"), member("u"), mine), mine);
        }
    });
    EXPECT_EQ(*directory().read_mark(room("r"), member("u")), RoomSeq{87});
}

}  // namespace parley::store
