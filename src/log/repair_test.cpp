#include "log/repair.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "log/log_fixture.h"
#include "log/new_epoch.h"
#include "log/store.h"

namespace parley::log {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Repair : public LogFixture {
public:
    Repair() { open(); }

    std::vector<fs::path> files(const std::string& extension) {
        std::vector<fs::path> out;
        for (const auto& entry : fs::directory_iterator{store_path()})
            if (entry.path().extension() == extension) out.push_back(entry.path());
        std::sort(out.begin(), out.end());
        return out;
    }
    fs::path largest(const std::string& extension) {
        const auto all = files(extension);
        return *std::max_element(all.begin(), all.end(),
                                 [](const auto& a, const auto& b) { return fs::file_size(a) < fs::file_size(b); });
    }
    /// Overwrites 64 bytes at this part of the file.
    static void damage(const fs::path& file, double where) {
        std::fstream out{file, std::ios::in | std::ios::out | std::ios::binary};
        out.seekp(static_cast<std::streamoff>(where * static_cast<double>(fs::file_size(file))));
        out << std::string(64, '\x5a');
    }
    /// Leaves everything in the write-ahead log, as a kill does.
    void kill() {
        disk_.cut_power();
        log_.reset();
        disk_.restore_power();
    }
    RepairReport repair() {
        log_.reset();
        clock_.advance(seconds{1});
        auto report = log::repair(dir_.path(), clock_);
        EXPECT_TRUE(report.has_value()) << (report ? "" : report.error().message);
        return report ? *report : RepairReport{};
    }
    std::string text(const std::string& what) { return what + " " + std::string(900, 'x'); }
    void fill_rooms(int rooms, int messages) {
        for (int i = 0; i < rooms; ++i) fill("r-" + std::to_string(i), messages, text("m"));
    }
    /// Writes under the log's feet.
    void change_store(const std::function<void(Store&)>& change) {
        log_.reset();
        auto store = Store::open({.data_dir = dir_.path()}, clock_);
        ASSERT_TRUE(store.has_value()) << store.error().message;
        change(**store);
        (*store)->flush();
    }
};

TEST_F(Repair, AWholeStoreIsLeftAsItIs) {
    fill_rooms(3, 10);
    const auto report = repair();
    EXPECT_FALSE(report.damaged);
    EXPECT_EQ(report.rooms, 3u);
    EXPECT_EQ(report.messages, 30u);
    EXPECT_THAT(to_text(report), HasSubstr("nothing was changed"));
    open();
    EXPECT_THAT(ids("r-1"), SizeIs(10));
}

TEST_F(Repair, AStoreKilledInTheMiddleIsWhole) {
    fill_rooms(2, 10);
    kill();
    EXPECT_FALSE(repair().damaged);
}

TEST_F(Repair, DamageInTheMiddleOfTheWriteAheadLogStopsTheStart) {
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(put("r-1", std::to_string(i), text("m")));
    kill();
    const auto file = largest(".log");
    damage(file, 0.5);
    const std::string error = open_error();
    EXPECT_THAT(error, HasSubstr("is damaged in " + file.filename().string()));
    EXPECT_THAT(error, HasSubstr("parley repair --data-dir " + dir_.path()));
}

TEST_F(Repair, ADamagedWriteAheadLogKeepsWhatCameBeforeUnderANewEpoch) {
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(put("r-1", std::to_string(i), text("m")));
    const Epoch before = head("r-1").epoch;
    kill();
    damage(largest(".log"), 0.5);
    const auto report = repair();
    EXPECT_TRUE(report.damaged);
    EXPECT_TRUE(report.left_out);
    ASSERT_THAT(report.losses, SizeIs(1));
    EXPECT_EQ(report.losses[0].room.str(), "r-1");
    EXPECT_TRUE(fs::is_directory(report.old_store));
    open();
    const RoomHead after = head("r-1");
    EXPECT_GT(after.epoch, before);
    EXPECT_GE(after.head.value, 20u);
    EXPECT_LT(after.head.value, 50u);
    EXPECT_THAT(ids("r-1"), SizeIs(after.head.value));
    EXPECT_GT(head("unknown").epoch, before) << "a room that vanished must not come back under its old epoch";
}

TEST_F(Repair, ADamagedTableTruncatesOnlyItsRoomsAtTheFirstHole) {
    fill_rooms(10, 200);
    log_.reset();
    damage(largest(".sst"), 0.5);
    const auto report = repair();
    EXPECT_TRUE(report.damaged);
    ASSERT_FALSE(report.losses.empty());
    ASSERT_LT(report.losses.size(), 4u);
    open();
    for (const RoomLoss& loss : report.losses) {
        const RoomHead at = head(loss.room.str());
        EXPECT_EQ(at.epoch, loss.new_epoch);
        EXPECT_GT(loss.new_epoch, loss.old_epoch);
        EXPECT_EQ(at.head, loss.head);
        EXPECT_EQ(at.first, loss.first);
        EXPECT_EQ(loss.old_head.value, 200u);
        EXPECT_THAT(ids(loss.room.str()), SizeIs(loss.head.value + 1 - loss.first.value));
    }
    std::size_t whole = 0;
    for (int i = 0; i < 10; ++i) whole += ids("r-" + std::to_string(i)).size() == 200 ? 1 : 0;
    EXPECT_EQ(whole, 10 - report.losses.size());
}

TEST_F(Repair, AReadOfADamagedPlaceFailsAndIsNoGap) {
    fill_rooms(10, 200);
    log_.reset();
    damage(largest(".sst"), 0.5);
    open();
    int failed = 0;
    for (int i = 0; i < 10; ++i) {
        const auto page = log_->read(room("r-" + std::to_string(i)), {0}, 1000, 64_MiB);
        if (page) {
            EXPECT_EQ(page->messages.size(), 200u);
        } else {
            ++failed;
            EXPECT_EQ(page.error().code, Code::kStoreUnavailable);
        }
    }
    EXPECT_GE(failed, 1);
}

TEST_F(Repair, AMissingTableIsAClearErrorAndRepairKeepsTheRest) {
    fill_rooms(3, 50);
    open();
    for (int i = 3; i < 6; ++i) fill("r-" + std::to_string(i), 50, text("m"));
    log_.reset();
    fs::remove(largest(".sst"));
    EXPECT_THAT(open_error(), HasSubstr("parley repair"));
    const auto report = repair();
    EXPECT_EQ(report.losses.size(), 6u);
    open();
    std::size_t kept = 0;
    for (int i = 0; i < 6; ++i) kept += ids("r-" + std::to_string(i)).size();
    EXPECT_EQ(kept, 150u);
}

TEST_F(Repair, AMissingManifestOrCurrentIsRepairedWithoutLoss) {
    for (const char* prefix : {"MANIFEST", "CURRENT"}) {
        fill_rooms(3, 20);
        log_.reset();
        for (const auto& entry : fs::directory_iterator{store_path()})
            if (entry.path().filename().string().starts_with(prefix)) fs::remove(entry.path());
        EXPECT_THAT(open_error(), HasSubstr("parley repair")) << prefix;
        const auto report = repair();
        EXPECT_TRUE(report.damaged);
        open();
        for (int i = 0; i < 3; ++i) EXPECT_THAT(ids("r-" + std::to_string(i)), SizeIs(20)) << prefix;
        EXPECT_TRUE(put("r-1", "m1")->front().repeated);
    }
}

TEST_F(Repair, LostHeadsAreMadeFromTheMessages) {
    fill_rooms(3, 20);
    const Epoch before = head("r-1").epoch;
    change_store([](Store& store) { store.db().Delete({}, store.heads(), "r-1").PermitUncheckedError(); });
    const auto report = repair();
    ASSERT_THAT(report.losses, SizeIs(1));
    open();
    EXPECT_THAT(ids("r-1"), SizeIs(20));
    EXPECT_GT(head("r-1").epoch, before) << "nobody knows how far it went";
    EXPECT_EQ(head("r-2").epoch, before);
}

TEST_F(Repair, LostDedupKeysAreMadeFromTheMessages) {
    fill_rooms(2, 20);
    change_store([](Store& store) { store.db().DeleteRange({}, store.dedup(), "m", "n").PermitUncheckedError(); });
    const auto report = repair();
    EXPECT_TRUE(report.damaged);
    EXPECT_THAT(report.losses, IsEmpty());
    open();
    EXPECT_TRUE(put("r-1", "m7")->front().repeated);
}

TEST_F(Repair, AHoleTruncatesTheRoomAndItGoesOnFromThere) {
    fill_rooms(2, 20);
    change_store([](Store& store) {
        store.db().Delete({}, store.messages(), records::message_key({1}, {11})).PermitUncheckedError();
    });
    open();
    EXPECT_FALSE(log_->read(room("r-0"), {0}, 100, 1_MiB)) << "a hole is an error, not a jump";
    const auto report = repair();
    ASSERT_THAT(report.losses, SizeIs(1));
    EXPECT_THAT(to_text(report), HasSubstr("room r-0: kept 1 to 10 of 20"));
    open();
    EXPECT_THAT(ids("r-0"), SizeIs(10));
    EXPECT_EQ(put("r-0", "next")->front().seq.value, 11u);
    EXPECT_FALSE(put("r-0", "m15")->front().repeated) << "what was lost may be sent again";
}

TEST_F(Repair, ALostBeginningKeepsTheRest) {
    fill_rooms(1, 20);
    change_store([](Store& store) {
        for (std::uint64_t seq = 1; seq <= 5; ++seq)
            store.db().Delete({}, store.messages(), records::message_key({1}, {seq})).PermitUncheckedError();
    });
    repair();
    open();
    EXPECT_EQ(head("r-0").first.value, 6u);
    EXPECT_THAT(ids("r-0"), SizeIs(15));
}

TEST_F(Repair, ASecondRepairFindsNothing) {
    fill_rooms(10, 100);
    log_.reset();
    damage(largest(".sst"), 0.5);
    EXPECT_TRUE(repair().damaged);
    EXPECT_FALSE(repair().damaged);
}

TEST_F(Repair, ARepairThatWasCutOffStopsTheStartAndIsDoneAgain) {
    fill_rooms(2, 10);
    log_.reset();
    fs::create_directories(repair_dir(dir_.path()) + "/new/log");
    EXPECT_THAT(open_error(), HasSubstr("run: parley repair"));
    EXPECT_FALSE(repair().damaged);
    open();
    EXPECT_THAT(ids("r-0"), SizeIs(10));
}

TEST_F(Repair, ASwapThatWasCutOffIsFinished) {
    fill_rooms(2, 10);
    log_.reset();
    const std::string build = repair_dir(dir_.path());
    fs::create_directories(build + "/new");
    fs::rename(store_path(), build + "/new/log");
    std::ofstream{build + "/complete"};
    EXPECT_THAT(open_error(), HasSubstr("run: parley repair"));
    EXPECT_FALSE(repair().damaged);
    open();
    EXPECT_THAT(ids("r-0"), SizeIs(10));
}

TEST_F(Repair, ARestoredStoreGetsANewEpochInEveryRoomAndKeepsItsMessages) {
    fill_rooms(3, 10);
    const Epoch before = head("r-1").epoch;
    change_store([&](Store& store) {
        records::Head odd{.room = {3}, .epoch = {before.value + 1'000'000}, .head = {10}};
        ASSERT_TRUE(store.db().Put({}, store.heads(), "r-2", records::encode_head(odd)).ok());
    });
    const auto renewed = renew_epoch(dir_.path(), clock_);
    ASSERT_TRUE(renewed) << renewed.error().message;
    EXPECT_EQ(renewed->rooms, 3U);
    EXPECT_GT(renewed->epoch.value, before.value + 1'000'000) << "above every one there was";
    open();
    for (const char* name : {"r-0", "r-1", "r-2", "r-new"}) {
        EXPECT_EQ(head(name).epoch, renewed->epoch) << name;
    }
    EXPECT_THAT(ids("r-0"), SizeIs(10));
    EXPECT_EQ(put("r-0", "next")->front().seq.value, 11u);
    EXPECT_TRUE(put("r-0", "m5")->front().repeated);
}

TEST_F(Repair, AStoreThatIsOpenDamagedOrNotThereGetsNoNewEpoch) {
    EXPECT_THAT(renew_epoch(dir_.path(), clock_).error().message, HasSubstr("in use"));
    log_.reset();
    EXPECT_THAT(renew_epoch(dir_.path() + "/elsewhere", clock_).error().message, HasSubstr("there is no store"));
    EXPECT_FALSE(fs::exists(dir_.path() + "/elsewhere"));
}

TEST_F(Repair, AnOpenStoreIsRefused) {
    const auto report = log::repair(dir_.path(), clock_);
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message, HasSubstr("in use"));
    EXPECT_TRUE(put("r-1", "still works"));
}

TEST_F(Repair, WithoutAStoreThereIsNothingToRepair) {
    log_.reset();
    EXPECT_FALSE(log::repair(dir_.path() + "/elsewhere", clock_));
}

TEST_F(Repair, OpeningTwiceNamesTheFolder) {
    auto second = EmbeddedLog::open(options(), clock_);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr(store_path()));
    EXPECT_THAT(second.error().message, HasSubstr("in use"));
}

TEST_F(Repair, AStoreThatAnotherProcessHasIsRefusedByName) {
    log_.reset();
    const std::string file = store_path() + "/LOCK";
    int locked[2];
    int ended[2];
    ASSERT_EQ(::pipe(locked), 0);
    ASSERT_EQ(::pipe(ended), 0);
    const pid_t other = ::fork();
    if (other == 0) {  // only what is safe beside other threads
        struct flock whole {};
        whole.l_type = F_WRLCK;
        const int fd = ::open(file.c_str(), O_RDWR);
        char sign = ::fcntl(fd, F_SETLK, &whole) == 0 ? 'y' : 'n';
        ::close(ended[1]);
        (void)!::write(locked[1], &sign, 1);
        (void)!::read(ended[0], &sign, 1);
        ::_exit(0);
    }
    char sign = 'n';
    ASSERT_EQ(::read(locked[0], &sign, 1), 1);
    ASSERT_EQ(sign, 'y');
    EXPECT_THAT(open_error(), HasSubstr(store_path() + " is in use by another process"));
    EXPECT_THAT(log::repair(dir_.path(), clock_).error().message, HasSubstr("in use by another process"));
    for (const int fd : {ended[0], ended[1], locked[0], locked[1]}) ::close(fd);
    ::waitpid(other, nullptr, 0);
    open();
}

TEST_F(Repair, AnUnknownFormatIsAClearError) {
    change_store([](Store& store) {
        auto record = records::encode_store({1});
        record[0] = '\x09';
        store.db().Put({}, "store", record).PermitUncheckedError();
    });
    EXPECT_THAT(open_error(), HasSubstr("format 9; this program reads format 1"));
}

TEST_F(Repair, AnUnknownFormatOfOneMessageFailsItsReadOnly) {
    fill_rooms(1, 3);
    change_store([](Store& store) {
        store.db().Put({}, store.messages(), records::message_key({1}, {2}), "\x09zzz").PermitUncheckedError();
    });
    open();
    const auto page = log_->read(room("r-0"), {0}, 10, 1_MiB);
    ASSERT_FALSE(page);
    EXPECT_THAT(page.error().message, HasSubstr("room r-0, message 2: a message record has format 9"));
    EXPECT_TRUE(put("r-0", "next"));
}

}  // namespace
}  // namespace parley::log
