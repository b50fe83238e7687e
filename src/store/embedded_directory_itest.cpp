#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "base/temp_dir.h"
#include "store/embedded_directory.h"

namespace parley::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// The directory on a small file system of its own.
class DirectoryOnASmallDisk : public testing::Test {
public:
    ~DirectoryOnASmallDisk() override {
        directory_.reset();
        while (::umount2(disk().c_str(), MNT_DETACH) == 0) {
        }
    }
    [[nodiscard]] std::string disk() const { return dir_.path() + "/disk"; }
    bool mount_tmpfs() {
        fs::create_directories(disk());
        return ::mount("none", disk().c_str(), "tmpfs", 0, "size=4m") == 0;
    }
    /// Leaves no free byte.
    void fill() {
        std::ofstream file{ballast()};
        while (file << std::string(4096, 'x') << std::flush) {
        }
    }
    [[nodiscard]] std::string ballast() const { return disk() + "/ballast"; }
    std::string open() {
        directory_.reset();
        auto opened = EmbeddedDirectory::open(disk() + "/directory", clock_);
        if (!opened) return opened.error().message;
        directory_ = std::move(*opened);
        return {};
    }
    /// Raises the read mark until it is refused. Returns the last mark that was not.
    RoomSeq raise_until_refused() {
        for (RoomSeq mark{1};; mark = mark.next()) {
            const auto raised = directory_->raise_read_mark(room_, member_, mark);
            if (raised) continue;
            EXPECT_EQ(raised.error().code, Code::kStoreUnavailable);
            EXPECT_THAT(raised.error().message, HasSubstr("No space left on device"));
            return {mark.value - 1};
        }
    }

    TempDir dir_;
    ManualClock clock_;
    const RoomId room_ = RoomId::trusted("r-1");
    const MemberId member_ = MemberId::trusted("u-1");
    std::unique_ptr<EmbeddedDirectory> directory_;
};

TEST_F(DirectoryOnASmallDisk, FullItRefusesKeepsWhatWasAcknowledgedAndResumesWithSpace) {
    if (!mount_tmpfs()) GTEST_SKIP() << "mounting a tmpfs is not permitted";
    ASSERT_EQ(open(), "");
    ASSERT_TRUE(directory_->raise_read_mark(room_, member_, RoomSeq{1}));
    fill();
    const RoomSeq mark = raise_until_refused();
    EXPECT_EQ(*directory_->read_mark(room_, member_), mark) << "reads go on while the disk is full";
    for (int i = 0; i < 5; ++i) {
        clock_.advance(seconds{10});
        EXPECT_FALSE(directory_->raise_read_mark(room_, member_, mark.next()));
    }

    fs::remove(ballast());
    clock_.advance(seconds{10});
    EXPECT_TRUE(directory_->raise_read_mark(room_, member_, mark.next()));
    ASSERT_EQ(open(), "");
    EXPECT_EQ(*directory_->read_mark(room_, member_), mark.next());
}

TEST_F(DirectoryOnASmallDisk, FullAtTheStartItSaysSoAndStartsOnceThereIsSpace) {
    if (!mount_tmpfs()) GTEST_SKIP() << "mounting a tmpfs is not permitted";
    ASSERT_EQ(open(), "");
    ASSERT_TRUE(directory_->raise_read_mark(room_, member_, RoomSeq{1}));
    directory_.reset();
    fill();
    EXPECT_THAT(open(), testing::AllOf(HasSubstr(disk()), HasSubstr("No space left on device")));
    fs::remove(ballast());
    ASSERT_EQ(open(), "");
    EXPECT_EQ(*directory_->read_mark(room_, member_), RoomSeq{1});
}

}  // namespace
}  // namespace parley::store
