#include "store/embedded_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "store/database.h"
#include "store/directory_contract.h"
#include "store/directory_records.h"

namespace parley::store {
namespace {

using testing::HasSubstr;

/// A folder of its own, gone with the object.
class Folder {
public:
    Folder() {
        static std::atomic<int> count{0};
        path_ = std::filesystem::temp_directory_path() /
                ("parley-directory-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

const SystemClock kClock;

std::unique_ptr<EmbeddedDirectory> open(const Folder& folder, const Clock& clock = kClock,
                                        rocksdb::Env* env = nullptr) {
    auto opened = EmbeddedDirectory::open(folder.path(), clock, env);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
}

std::unique_ptr<Directory> in_new_folder() {
    static std::vector<std::unique_ptr<Folder>> folders;
    folders.push_back(std::make_unique<Folder>());
    return open(*folders.back());
}
INSTANTIATE_TEST_SUITE_P(Embedded, DirectoryContract, testing::Values(DirectoryMaker{in_new_folder}),
                         [](const auto&) { return "RocksDb"; });

/// A disk that stops taking writes when told, as a full one does or one turned read-only, and that knows what a power
/// cut would leave of each file.
class FailingEnv final : public rocksdb::EnvWrapper {
public:
    FailingEnv() : EnvWrapper(rocksdb::Env::Default()) {}
    void fail_with(rocksdb::Status status) {
        status_ = std::move(status);
        failing_ = true;
    }
    void heal() { failing_ = false; }
    /// Bytes of each file that were synced, by its path.
    std::map<std::string, std::uint64_t> synced() const {
        const std::lock_guard lock{mutex_};
        return synced_;
    }

    rocksdb::Status NewWritableFile(const std::string& name, std::unique_ptr<rocksdb::WritableFile>* result,
                                    const rocksdb::EnvOptions& options) override {
        if (failing_) return status_;
        std::unique_ptr<rocksdb::WritableFile> file;
        auto status = EnvWrapper::NewWritableFile(name, &file, options);
        if (status.ok()) *result = std::make_unique<File>(*this, name, std::move(file));
        return status;
    }

private:
    class File final : public rocksdb::WritableFileWrapper {
    public:
        File(FailingEnv& env, std::string name, std::unique_ptr<rocksdb::WritableFile> file)
            : WritableFileWrapper(file.get()), env_(env), name_(std::move(name)), file_(std::move(file)) {}
        rocksdb::Status Append(const rocksdb::Slice& data) override {
            if (env_.failing_) return env_.status_;
            size_ += data.size();
            return file_->Append(data);
        }
        rocksdb::Status Append(const rocksdb::Slice& data, const rocksdb::DataVerificationInfo&) override {
            return Append(data);
        }
        rocksdb::Status Sync() override {
            if (env_.failing_) return env_.status_;
            const std::lock_guard lock{env_.mutex_};
            env_.synced_[name_] = size_;
            return file_->Sync();
        }
        rocksdb::Status Fsync() override { return Sync(); }

    private:
        FailingEnv& env_;
        const std::string name_;
        std::uint64_t size_ = 0;
        std::unique_ptr<rocksdb::WritableFile> file_;
    };
    std::atomic<bool> failing_{false};
    rocksdb::Status status_;
    mutable std::mutex mutex_;
    std::map<std::string, std::uint64_t> synced_;
};

TEST(EmbeddedDirectory, RemembersEverythingAfterReopening) {
    const Folder folder;
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
    }
    const auto directory = open(folder);
    EXPECT_EQ((*directory->account_by_name("ALICE"))->revoked_before, WallTime{seconds{7}});
    EXPECT_TRUE(*directory->is_token_revoked(std::string(64, 'a')));
    EXPECT_EQ((*directory->room(room))->visibility, Visibility::kPrivate);
    EXPECT_EQ((*directory->membership(room, member))->standing, Standing::kOwner);
    EXPECT_EQ(*directory->read_mark(room, member), RoomSeq{3});
}

TEST(EmbeddedDirectory, KeepsWhatItAcknowledgedThroughAPowerCut) {
    const Folder folder;
    FailingEnv env;
    std::map<std::string, std::uint64_t> synced;
    {
        const auto directory = open(folder, kClock, &env);
        for (int i = 0; i < 20; ++i) {
            ASSERT_TRUE(directory->revoke_token("token" + std::to_string(i), WallTime{seconds{9}}));
        }
        synced = env.synced();
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        if (entry.path().extension() == ".log") std::filesystem::resize_file(entry.path(), synced[entry.path()]);
    }
    const auto directory = open(folder);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(*directory->is_token_revoked("token" + std::to_string(i))) << i;
}

TEST(EmbeddedDirectory, SaysThatItIsInUseWhenOpenedTwice) {
    const Folder folder;
    const auto first = open(folder);
    const auto second = EmbeddedDirectory::open(folder.path(), kClock);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr(folder.path().string() + " is in use by another server"));
}

TEST(EmbeddedDirectory, CanBeReadWhileAServerHasItOpen) {
    const Folder folder;
    const auto server = open(folder);
    ASSERT_TRUE(server->revoke_token("token", WallTime{seconds{9}}));
    const auto reader = EmbeddedDirectory::open_read_only(folder.path(), kClock);
    ASSERT_TRUE(reader) << reader.error().message;
    EXPECT_TRUE(*(*reader)->is_token_revoked("token"));
    EXPECT_EQ((*reader)->revoke_token("other", WallTime{seconds{9}}).error().code, Code::kStoreUnavailable);
    EXPECT_TRUE(server->revoke_token("other", WallTime{seconds{9}}));
    EXPECT_FALSE(EmbeddedDirectory::open_read_only(folder.path() / "missing", kClock));
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "missing"));
}

TEST(EmbeddedDirectory, RefusesAFolderOfALaterVersion) {
    const Folder folder;
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
    const Folder folder;
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
    EXPECT_EQ(directory->members(room, 10).error().code, Code::kStoreUnavailable);
    EXPECT_THAT(directory->read_mark(room, member).error().message, HasSubstr("damaged or of a later version"));
}

TEST(EmbeddedDirectory, SaysThatItIsDamagedWhenItsLogIs) {
    const Folder folder;
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
    const Folder folder;
    std::ofstream(folder.path()) << "a file";
    const auto opened = EmbeddedDirectory::open(folder.path(), kClock);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr(folder.path().string()));
}

class OverAFailingDisk : public testing::TestWithParam<rocksdb::Status> {
protected:
    Folder folder_;
    ManualClock clock_;
    FailingEnv env_;
    const RoomId room_ = RoomId::trusted("r");
    const MemberId member_ = MemberId::trusted("u-1");
};
INSTANTIATE_TEST_SUITE_P(EmbeddedDirectory, OverAFailingDisk,
                         testing::Values(rocksdb::Status::NoSpace("full"), rocksdb::Status::IOError("read-only")),
                         [](const auto& status) { return status.param.IsNoSpace() ? "Full" : "ReadOnly"; });

TEST_P(OverAFailingDisk, RefusesChangesGoesOnReadingAndServesAgainWhenTheFaultGoes) {
    const auto directory = open(folder_, clock_, &env_);
    ASSERT_TRUE(directory->raise_read_mark(room_, member_, RoomSeq{1}));
    env_.fail_with(GetParam());
    for (int i = 0; i < 3; ++i) {
        const auto raised = directory->raise_read_mark(room_, member_, RoomSeq{2});
        ASSERT_FALSE(raised);
        EXPECT_EQ(raised.error().code, Code::kStoreUnavailable);
        EXPECT_EQ(*directory->read_mark(room_, member_), RoomSeq{1});
        clock_.advance(seconds{2});
    }
    env_.heal();
    EXPECT_EQ(*directory->raise_read_mark(room_, member_, RoomSeq{2}), RoomSeq{2});
    EXPECT_EQ(*directory->raise_read_mark(room_, member_, RoomSeq{3}), RoomSeq{3});
}

TEST_P(OverAFailingDisk, LosesNothingItAcknowledged) {
    {
        const auto directory = open(folder_, clock_, &env_);
        ASSERT_TRUE(directory->raise_read_mark(room_, member_, RoomSeq{1}));
        env_.fail_with(GetParam());
        ASSERT_FALSE(directory->raise_read_mark(room_, member_, RoomSeq{2}));
        env_.heal();
        clock_.advance(seconds{2});
        ASSERT_TRUE(directory->raise_read_mark(RoomId::trusted("r2"), member_, RoomSeq{5}));
    }
    const auto directory = open(folder_);
    EXPECT_GE(*directory->read_mark(room_, member_), RoomSeq{1});
    EXPECT_EQ(*directory->read_mark(RoomId::trusted("r2"), member_), RoomSeq{5});
}

}  // namespace
}  // namespace parley::store
