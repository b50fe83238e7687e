#include "store/embedded_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/temp_dir.h"
#include "rocks/fault_env.h"
#include "store/database.h"
#include "store/directory_contract.h"
#include "store/directory_records.h"

namespace parley::store {
namespace {

using testing::HasSubstr;
using Fault = rocks::FaultDisk::Fault;

const SystemClock kClock;

std::unique_ptr<EmbeddedDirectory> open(const TempDir& folder, const Clock& clock = kClock,
                                        rocksdb::Env* env = nullptr) {
    auto opened = EmbeddedDirectory::open(folder.path(), clock, env);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
}

std::unique_ptr<Directory> in_new_folder() {
    static std::vector<std::unique_ptr<TempDir>> folders;
    folders.push_back(std::make_unique<TempDir>());
    return open(*folders.back());
}
INSTANTIATE_TEST_SUITE_P(Embedded, DirectoryContract, testing::Values(DirectoryMaker{in_new_folder}),
                         [](const auto&) { return "RocksDb"; });

TEST(EmbeddedDirectory, RemembersEverythingAfterReopening) {
    const TempDir folder;
    const auto member = MemberId::trusted("u-1");
    const auto room = RoomId::trusted("r-1");
    {
        const auto directory = open(folder);
        ASSERT_TRUE(directory->add_account({member, "alice", "앨리스", "hash", WallTime{seconds{5}}, {}}));
        ASSERT_TRUE(directory->revoke_token(std::string(64, 'a'), WallTime{seconds{9}}));
        ASSERT_TRUE(directory->set_revoked_before(member, WallTime{seconds{7}}));
        ASSERT_TRUE(directory->add_room(
            {room, "방", RoomKind::kChat, Visibility::kPrivate, member, WallTime{seconds{6}}}, "앨리스"));
        ASSERT_TRUE(directory->raise_read_mark(room, member, RoomSeq{3}));
        ASSERT_TRUE(directory->note_change({MessageId::trusted("m-1"), room, RoomSeq{4}, "밥"}));
    }
    const auto directory = open(folder);
    EXPECT_EQ((*directory->account_by_name("ALICE"))->revoked_before, WallTime{seconds{7}});
    EXPECT_TRUE(*directory->is_token_revoked(std::string(64, 'a')));
    EXPECT_EQ((*directory->room(room))->visibility, Visibility::kPrivate);
    EXPECT_EQ((*directory->membership(room, member))->standing, Standing::kOwner);
    EXPECT_EQ(*directory->read_mark(room, member), RoomSeq{3});
    EXPECT_EQ(directory->changes_in_flight()->size(), 1U);
}

TEST(EmbeddedDirectory, KeepsWhatItAcknowledgedThroughAPowerCut) {
    const TempDir folder;
    rocks::FaultDisk disk;
    {
        const auto directory = open(folder, kClock, disk.env());
        for (int i = 0; i < 20; ++i) {
            ASSERT_TRUE(directory->revoke_token("token" + std::to_string(i), WallTime{seconds{9}}));
        }
        disk.cut_power();
    }
    disk.restore_power();
    const auto directory = open(folder);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(*directory->is_token_revoked("token" + std::to_string(i))) << i;
}

TEST(EmbeddedDirectory, SaysThatItIsInUseWhenOpenedTwice) {
    const TempDir folder;
    const auto first = open(folder);
    const auto second = EmbeddedDirectory::open(folder.path(), kClock);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr(folder.path() + " is in use by another process"));
}

TEST(EmbeddedDirectory, CanBeReadWhileAServerHasItOpen) {
    const TempDir folder;
    const auto server = open(folder);
    ASSERT_TRUE(server->revoke_token("token", WallTime{seconds{9}}));
    const auto reader = EmbeddedDirectory::open_read_only(folder.path(), kClock);
    ASSERT_TRUE(reader) << reader.error().message;
    EXPECT_TRUE(*(*reader)->is_token_revoked("token"));
    EXPECT_EQ((*reader)->revoke_token("other", WallTime{seconds{9}}).error().code, Code::kStoreUnavailable);
    EXPECT_TRUE(server->revoke_token("other", WallTime{seconds{9}}));
    EXPECT_FALSE(EmbeddedDirectory::open_read_only(folder.path() + "/missing", kClock));
    EXPECT_FALSE(std::filesystem::exists(folder.path() + "/missing"));
}

TEST(EmbeddedDirectory, RefusesAFolderOfALaterVersion) {
    const TempDir folder;
    open(folder).reset();
    {
        auto database = Database::open(folder.path(), kClock, nullptr);
        ASSERT_TRUE((*database)->write({{records::kFormatKey, "\x02"}}));
    }
    const auto opened = EmbeddedDirectory::open(folder.path(), kClock);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr("a later version of parley"));
    EXPECT_FALSE(EmbeddedDirectory::open_read_only(folder.path(), kClock));
}

TEST(EmbeddedDirectory, TellsADamagedRecordInsteadOfSkippingIt) {
    const TempDir folder;
    const auto room = RoomId::trusted("r");
    const auto member = MemberId::trusted("u-1");
    open(folder).reset();
    {
        auto database = Database::open(folder.path(), kClock, nullptr);
        const std::string key = records::membership_key(room, member);
        const std::string good = records::encode(records::StoredStanding{{member, "n", Standing::kMember, {}}, false});
        ASSERT_TRUE((*database)->write(
            {{key, good.substr(0, good.size() - 1)}, {records::read_mark_key(room, member), "\x02 from later on"}}));
    }
    const auto directory = open(folder);
    EXPECT_EQ(directory->membership(room, member).error().code, Code::kStoreUnavailable);
    EXPECT_EQ(directory->members(room, {}, 10).error().code, Code::kStoreUnavailable);
    EXPECT_THAT(directory->read_mark(room, member).error().message, HasSubstr("damaged or of a later version"));
}

TEST(EmbeddedDirectory, SaysThatItIsDamagedWhenItsLogIs) {
    const TempDir folder;
    {
        const auto directory = open(folder);
        for (int i = 0; i < 200; ++i) {
            static_cast<void>(directory->raise_read_mark(RoomId::trusted("r"), MemberId::trusted("u-1"),
                                                         RoomSeq{static_cast<std::uint64_t>(i + 1)}));
        }
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        if (entry.path().extension() != ".log") continue;
        std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(entry.file_size() / 2));
        file << "damage";
    }
    const auto opened = EmbeddedDirectory::open(folder.path(), kClock);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr("is damaged"));
}

TEST(EmbeddedDirectory, SaysWhyAFolderCannotBeUsed) {
    const TempDir folder;
    const std::string path = folder.path() + "/directory";
    std::ofstream(path) << "a file";
    const auto opened = EmbeddedDirectory::open(path, kClock);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr(path));
}

class OverAFailingDisk : public testing::TestWithParam<Fault> {
protected:
    TempDir folder_;
    ManualClock clock_;
    rocks::FaultDisk disk_;
    const RoomId room_ = RoomId::trusted("r");
    const MemberId member_ = MemberId::trusted("u-1");
};
INSTANTIATE_TEST_SUITE_P(EmbeddedDirectory, OverAFailingDisk,
                         testing::Values(Fault::kFull, Fault::kReadOnly, Fault::kIo), [](const auto& chosen) {
                             const bool full = chosen.param == Fault::kFull;
                             return full ? "Full" : chosen.param == Fault::kIo ? "Broken" : "ReadOnly";
                         });

TEST_P(OverAFailingDisk, RefusesChangesGoesOnReadingAndServesAgainWhenTheFaultGoes) {
    const auto directory = open(folder_, clock_, disk_.env());
    ASSERT_TRUE(directory->raise_read_mark(room_, member_, RoomSeq{1}));
    disk_.fail_appends(GetParam());
    for (int i = 0; i < 3; ++i) {
        const auto raised = directory->raise_read_mark(room_, member_, RoomSeq{2});
        ASSERT_FALSE(raised);
        EXPECT_EQ(raised.error().code, Code::kStoreUnavailable);
        EXPECT_EQ(*directory->read_mark(room_, member_), RoomSeq{1});
        clock_.advance(seconds{2});
    }
    disk_.fail_appends(Fault::kNone);
    EXPECT_EQ(*directory->raise_read_mark(room_, member_, RoomSeq{2}), RoomSeq{2});
    EXPECT_EQ(*directory->raise_read_mark(room_, member_, RoomSeq{3}), RoomSeq{3});
}

TEST_P(OverAFailingDisk, LosesNothingItAcknowledged) {
    {
        const auto directory = open(folder_, clock_, disk_.env());
        ASSERT_TRUE(directory->raise_read_mark(room_, member_, RoomSeq{1}));
        disk_.fail_appends(GetParam());
        ASSERT_FALSE(directory->raise_read_mark(room_, member_, RoomSeq{2}));
        disk_.fail_appends(Fault::kNone);
        clock_.advance(seconds{2});
        ASSERT_TRUE(directory->raise_read_mark(RoomId::trusted("r2"), member_, RoomSeq{5}));
    }
    const auto directory = open(folder_);
    EXPECT_GE(*directory->read_mark(room_, member_), RoomSeq{1});
    EXPECT_EQ(*directory->read_mark(RoomId::trusted("r2"), member_), RoomSeq{5});
}

}  // namespace
}  // namespace parley::store
