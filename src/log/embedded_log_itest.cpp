#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <thread>

#include "base/temp_dir.h"
#include "log/embedded_log.h"

namespace parley::log {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// The log on real file systems, with real faults.
class EmbeddedLogOnDisk : public testing::Test {
public:
    using Answer = Result<std::vector<Appended>>;

    ~EmbeddedLogOnDisk() override {
        log_.reset();
        while (::umount2(mount_point().c_str(), MNT_DETACH) == 0) {
        }
    }
    [[nodiscard]] std::string mount_point() const { return dir_.path() + "/disk"; }
    bool mount_tmpfs(const std::string& options, unsigned long flags = 0) {
        fs::create_directories(mount_point());
        return ::mount("none", mount_point().c_str(), "tmpfs", flags, options.c_str()) == 0;
    }
    [[nodiscard]] std::string image() const { return dir_.path() + "/image"; }
    bool mount_ext4() {
        fs::create_directories(mount_point());
        return run("mount -o loop,errors=remount-ro " + image() + " " + mount_point());
    }
    static bool run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

    std::string open() {
        log_.reset();
        EmbeddedLogOptions options;
        options.data_dir = mount_point() + "/data";
        auto opened = EmbeddedLog::open(std::move(options), clock_);
        if (!opened) return opened.error().message;
        log_ = std::move(*opened);
        return {};
    }
    Answer put(const std::string& id, const std::string& content = "hello") {
        std::promise<Answer> promise;
        Draft draft;
        draft.sender = MemberId::trusted("u-1");
        draft.id = MessageId::trusted(id);
        draft.content = content;
        std::vector<Draft> drafts;
        drafts.push_back(std::move(draft));
        log_->append({RoomId::trusted("r-1"), std::move(drafts)},
                     [&](Answer answer) { promise.set_value(std::move(answer)); });
        return promise.get_future().get();
    }
    std::vector<std::string> ids() {
        std::vector<std::string> out;
        const auto page = log_->read(RoomId::trusted("r-1"), {0}, 1'000'000, 1_GiB);
        EXPECT_TRUE(page) << page.error().message;
        if (page)
            for (const auto& message : page->messages) out.push_back(message->id.str());
        return out;
    }
    /// Sends until an answer is an error and returns it; `stored_` gets what was acknowledged.
    Error put_until_refused(const std::string& content) {
        for (int i = 0;; ++i) {
            const std::string id = "m" + std::to_string(i);
            if (const auto answer = put(id, content); !answer) return answer.error();
            stored_.push_back(id);
        }
    }

    TempDir dir_;
    ManualClock clock_;
    std::vector<std::string> stored_;
    std::unique_ptr<EmbeddedLog> log_;
};

TEST_F(EmbeddedLogOnDisk, AFullDiskRefusesKeepsWhatWasAcknowledgedAndResumesWithSpace) {
    if (!mount_tmpfs("size=24m")) GTEST_SKIP() << "mounting a tmpfs is not permitted";
    ASSERT_EQ(open(), "");
    const Error refused = put_until_refused(std::string(50'000, 'x'));
    EXPECT_EQ(refused.code, Code::kStoreUnavailable);
    EXPECT_THAT(refused.message, HasSubstr("No space left on device"));
    EXPECT_GT(stored_.size(), 50u);
    EXPECT_EQ(ids(), stored_) << "reads go on while the disk is full";
    clock_.advance(seconds{10});
    EXPECT_FALSE(put("while full"));

    ASSERT_TRUE(mount_tmpfs("size=200m", MS_REMOUNT));
    clock_.advance(seconds{10});
    const auto resumed = put("with space");
    ASSERT_TRUE(resumed) << resumed.error().message;
    stored_.emplace_back("with space");
    EXPECT_EQ(ids(), stored_);
    ASSERT_EQ(open(), "");
    EXPECT_EQ(ids(), stored_);
}

TEST_F(EmbeddedLogOnDisk, ADiskThatIsFullAtTheStartSaysSo) {
    if (!mount_tmpfs("size=1m")) GTEST_SKIP() << "mounting a tmpfs is not permitted";
    std::ofstream{mount_point() + "/ballast"} << std::string(2 << 20, 'x');
    EXPECT_THAT(open(), testing::AllOf(HasSubstr(mount_point()), HasSubstr("No space left on device")));
}

TEST_F(EmbeddedLogOnDisk, AReadOnlyFileSystemAtTheStartSaysSo) {
    if (!mount_tmpfs("size=8m")) GTEST_SKIP() << "mounting a tmpfs is not permitted";
    ASSERT_TRUE(mount_tmpfs("", MS_REMOUNT | MS_RDONLY));
    EXPECT_THAT(open(), testing::AllOf(HasSubstr(mount_point()), HasSubstr("Read-only file system")));
}

TEST_F(EmbeddedLogOnDisk, AFileSystemTurnedReadOnlyRefusesAndResumesWhenItIsMountedAgain) {
    if (!run("truncate -s 256M " + image()) || !run("mkfs.ext4 -q -F " + image()) || !mount_ext4())
        GTEST_SKIP() << "mounting an ext4 image is not permitted";
    std::string device;
    std::ifstream mounts{"/proc/mounts"};
    for (std::string from, to, rest; mounts >> from >> to && std::getline(mounts, rest);)
        if (to == mount_point()) device = fs::path{from}.filename();
    ASSERT_EQ(open(), "");
    for (int i = 0; i < 100; ++i) {
        stored_.push_back("m" + std::to_string(i));
        ASSERT_TRUE(put(stored_.back()));
    }
    std::ofstream trigger{"/sys/fs/ext4/" + device + "/trigger_fs_error"};
    if (!(trigger << "test" << std::flush)) GTEST_SKIP() << "the kernel does not let ext4 errors be provoked";
    const auto refused = put("read-only");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kStoreUnavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("Read-only file system"));
    EXPECT_EQ(ids(), stored_) << "reads go on";
    clock_.advance(seconds{10});
    EXPECT_FALSE(put("still read-only"));

    // What an operator gets after a check of the device: the same blocks, mounted anew.
    ASSERT_TRUE(run("cp " + image() + " " + image() + ".checked && mv " + image() + ".checked " + image()));
    ASSERT_EQ(::umount2(mount_point().c_str(), MNT_DETACH), 0);
    ASSERT_TRUE(mount_ext4());
    clock_.advance(seconds{10});
    const auto resumed = put("writable");
    ASSERT_TRUE(resumed) << resumed.error().message;
    const auto all = ids();
    EXPECT_TRUE(std::equal(stored_.begin(), stored_.end(), all.begin()));
    EXPECT_EQ(all.back(), "writable");
}

/// Sends from a process of its own, which kills itself after that many acknowledgements.
class EmbeddedLogSigkill : public testing::TestWithParam<int> {
public:
    EmbeddedLogSigkill() {
        GTEST_FLAG_SET(death_test_style, "threadsafe");  // starts this program again instead of forking its threads
        ::setenv("PARLEY_LOG_ITEST_DIR", own_.path().c_str(), 0);
        path_ = ::getenv("PARLEY_LOG_ITEST_DIR");  // the other process inherits it
    }
    ~EmbeddedLogSigkill() override { ::unsetenv("PARLEY_LOG_ITEST_DIR"); }

    std::unique_ptr<EmbeddedLog> open() {
        EmbeddedLogOptions options;
        options.data_dir = path_;
        auto opened = EmbeddedLog::open(std::move(options), clock_);
        EXPECT_TRUE(opened.has_value());
        return opened ? std::move(*opened) : nullptr;
    }
    void send(RoomLog& log, const std::string& id, AppendDone done) {
        std::vector<Draft> drafts(1);
        drafts[0].sender = MemberId::trusted("u-1");
        drafts[0].id = MessageId::trusted(id);
        drafts[0].content = "hello";
        log.append({RoomId::trusted("r-1"), std::move(drafts)}, std::move(done));
    }
    void send_until_killed(int acknowledgements) {
        const auto log = open();
        std::ofstream acknowledged{path_ + "/acknowledged"};
        std::atomic<int> count{0};
        for (int i = 0;; ++i) {
            while (i > count + 64) std::this_thread::yield();
            if (count >= acknowledgements) ::kill(::getpid(), SIGKILL);
            send(*log, "m" + std::to_string(i), [&, i](const auto& answer) {
                if (!answer) return;
                acknowledged << 'm' << i << std::endl;
                ++count;
            });
        }
    }

    TempDir own_;
    std::string path_;
    ManualClock clock_;
};

TEST_P(EmbeddedLogSigkill, KeepsWhatWasAcknowledged) {
    EXPECT_EXIT(send_until_killed(GetParam()), testing::KilledBySignal(SIGKILL), "");
    const auto log = open();
    const auto page = log->read(RoomId::trusted("r-1"), {0}, 1'000'000, 1_GiB);
    ASSERT_TRUE(page);
    std::set<std::string> there;
    for (const auto& message : page->messages) there.insert(message->id.str());
    EXPECT_EQ(there.size(), page->at.head.value);
    std::ifstream acknowledged{path_ + "/acknowledged"};
    int count = 0;
    for (std::string id; acknowledged >> id; ++count) EXPECT_TRUE(there.contains(id)) << id;
    EXPECT_GE(count, GetParam());
    std::promise<bool> repeated;
    send(*log, "m0", [&](const auto& answer) { repeated.set_value(answer && answer->front().repeated); });
    EXPECT_TRUE(repeated.get_future().get());
}
INSTANTIATE_TEST_SUITE_P(AfterAcknowledgements, EmbeddedLogSigkill, testing::Values(1, 7, 100, 1000, 5000));

}  // namespace
}  // namespace parley::log
