#include "chat/projection.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/temp_dir.h"
#include "chat/service.h"
#include "log/embedded_log.h"
#include "log/log_fixture.h"
#include "store/embedded_directory.h"

namespace parley::chat {
namespace {

using Kind = RoomChange::Kind;
using store::Standing;
using Fault = rocks::FaultDisk::Fault;

class NoBus final : public bus::Bus {
public:
    void announce(std::span<const MessageRef> /*messages*/) override {}
    void event(bus::RoomEvent /*event*/) override {}
    void event_here(bus::RoomEvent /*event*/) override {}
    void notify(bus::Notice /*notice*/) override {}
};

/// One run of a server on `path`. What waits in its pool runs when the test says so; destroying it drops the rest, as a
/// crash does.
struct ServerRun {
    ServerRun(const std::string& path, rocksdb::Env* disk) {
        log::EmbeddedLogOptions options;
        options.data_dir = path;
        options.env = disk;
        log = std::move(*log::EmbeddedLog::open(std::move(options), clock));
        directory = std::move(*store::EmbeddedDirectory::open(path + "/directory", clock));
        service.emplace(Service::Parts{loop, *log, *directory, bus, presence, rates, asker}, Service::Options{});
    }
    ~ServerRun() {
        log.reset();  // its thread posts to the loop
    }
    ServerRun(const ServerRun&) = delete;
    ServerRun& operator=(const ServerRun&) = delete;

    ManualClock clock;
    rt::Loop loop{0, clock};
    rt::WorkPool pool{"test", 0, 4};
    rt::Asker asker{loop, pool};
    NoBus bus;
    room::Presence presence{seconds{10}};
    auth::RateLimits rates{auth::RateOptions{}};
    std::unique_ptr<log::EmbeddedLog> log;
    std::unique_ptr<store::EmbeddedDirectory> directory;
    std::optional<Service> service;
};

class Projection : public testing::Test {
protected:
    Projection() {
        start();
        EXPECT_TRUE(directory().add_room({room_, "r-1", {}, {}, {}, {}}, ""));
    }
    void start() { run_.emplace(dir_.path(), disk_.env()); }
    /// A crash, a start, and what a start does. Returns how many changes were finished.
    std::size_t restart() {
        start();
        const auto settled = settle_changes(*run_->log, directory());
        EXPECT_TRUE(settled);
        return settled ? settled->size() : 0;
    }
    store::Directory& directory() { return *run_->directory; }

    void ask_change(Kind kind, const std::string& who = {}) {
        const Speaker speaker{MemberId::trusted("u-1"), "Alice", false, 1};
        run_->service->change(speaker, room_, {kind, MemberId::trusted(who)}, who.empty() ? "" : "nick " + who, "text",
                              [this](Result<RoomSeq> answer) { answers_.push_back(std::move(answer)); });
    }
    void run_next() { ASSERT_TRUE(run_->pool.run_one()); }
    /// Turns the loop until that many questions wait for the disk.
    void until_waiting(std::size_t count) {
        while (run_->pool.waiting() != count) turn();
    }
    void until_answered(std::size_t count) {
        while (answers_.size() != count) turn();
    }
    void turn() {
        run_->loop.run_once();
        std::this_thread::yield();
    }
    /// Says something in another room until the log takes it again.
    void until_appended() {
        for (bool taken = false; !taken;) {
            std::optional<bool> answer;
            Draft draft;
            draft.sender = MemberId::trusted("u-1");
            draft.id = MessageId::trusted("again");
            draft.content = "text";
            run_->service->append(RoomId::trusted("r-2"), {draft},
                                  [&](const auto& result) { answer = result.has_value(); });
            while (!answer) {
                run_->clock.advance(seconds{1});  // the log waits before it tries again
                turn();
            }
            taken = *answer;
        }
    }
    /// The change is in the log; the directory has not heard of it.
    void store_only(Kind kind, const std::string& who = {}) {
        ask_change(kind, who);
        run_next();
        until_waiting(1);
    }

    /// Stores without a Service.
    RoomSeq put(const std::string& id, MessageType type, std::string extra = {}) {
        std::promise<RoomSeq> seq;
        std::vector<Draft> drafts(1);
        drafts[0].id = MessageId::trusted(id);
        drafts[0].sender = MemberId::trusted("u-1");
        drafts[0].type = type;
        drafts[0].content = "text";
        drafts[0].extra = std::move(extra);
        run_->log->append({room_, std::move(drafts)},
                          [&](Result<std::vector<log::Appended>> stored) { seq.set_value(stored->front().seq); });
        return seq.get_future().get();
    }
    void note(const std::string& id, RoomSeq above = {}) {
        ASSERT_TRUE(directory().note_change({MessageId::trusted(id), room_, above, "noted"}));
    }
    std::optional<store::Membership> membership(const std::string& who) {
        return *directory().membership(room_, MemberId::trusted(who));
    }
    std::size_t in_flight() { return directory().changes_in_flight()->size(); }

    const RoomId room_ = RoomId::trusted("r-1");
    TempDir dir_;
    rocks::FaultDisk disk_;  ///< the log's
    std::vector<Result<RoomSeq>> answers_;
    std::optional<ServerRun> run_;
};

TEST_F(Projection, AChangeThatIsDoneLeavesNoNote) {
    store_only(Kind::kInvited, "u-2");
    EXPECT_EQ(in_flight(), 1U);
    run_next();
    until_answered(1);
    EXPECT_EQ(answers_[0], RoomSeq{1});
    EXPECT_EQ(membership("u-2")->standing, Standing::kInvited);
    EXPECT_EQ(in_flight(), 0U);
}

TEST_F(Projection, AChangeCutOffAfterTheLogIsFinishedAtTheNextStart) {
    store_only(Kind::kInvited, "u-2");
    EXPECT_FALSE(membership("u-2"));
    EXPECT_EQ(restart(), 1U);
    const auto invited = membership("u-2");
    ASSERT_TRUE(invited);
    EXPECT_EQ(invited->standing, Standing::kInvited);
    EXPECT_EQ(invited->nickname, "nick u-2");
    EXPECT_EQ(invited->since, RoomSeq{1});
    EXPECT_EQ(in_flight(), 0U);
}

TEST_F(Projection, AChangeOfVisibilityCutOffIsFinishedAtTheNextStart) {
    store_only(Kind::kMadePrivate);
    EXPECT_EQ(restart(), 1U);
    EXPECT_EQ((*directory().room(room_))->visibility, store::Visibility::kPrivate);
}

TEST_F(Projection, AChangeCutOffBeforeTheLogIsForgotten) {
    ask_change(Kind::kInvited, "u-2");
    run_next();
    EXPECT_EQ(in_flight(), 1U);
    EXPECT_EQ(restart(), 0U);
    EXPECT_FALSE(membership("u-2"));
    EXPECT_EQ(in_flight(), 0U);
}

TEST_F(Projection, AChangeThatAnotherServerIsAtIsLeftToIt) {
    ask_change(Kind::kKicked, "u-2");
    run_next();
    const WallTime before = run_->clock.wall() - seconds{1};
    ASSERT_TRUE(settle_changes(*run_->log, directory(), before));
    EXPECT_EQ(in_flight(), 1U);
    until_waiting(1);  // it is stored, and its server dies
    EXPECT_EQ(restart(), 1U);
    EXPECT_EQ(membership("u-2")->standing, Standing::kKicked);
}

TEST_F(Projection, AChangeThatNoServerCanBeAtAnyMoreIsForgotten) {
    ask_change(Kind::kKicked, "u-2");
    run_next();
    note("of no known time");
    ASSERT_TRUE(settle_changes(*run_->log, directory(), run_->clock.wall()));
    EXPECT_EQ(in_flight(), 0U);
}

TEST_F(Projection, AChangeThatCannotBeNotedIsNotStored) {
    while (run_->pool.try_submit([] {})) {
    }
    ask_change(Kind::kKicked, "u-2");
    until_answered(1);
    EXPECT_EQ(answers_[0].error().code, Code::kStoreUnavailable);
    EXPECT_EQ(run_->log->head(room_)->head, RoomSeq{0});
}

TEST_F(Projection, AChangeTheDirectoryCouldNotTakeIsFinishedAtTheNextStart) {
    ask_change(Kind::kKicked, "u-2");
    run_next();
    while (run_->pool.try_submit([] {})) {
    }
    until_answered(1);
    EXPECT_EQ(answers_[0].error().code, Code::kStoreUnavailable);
    EXPECT_EQ(restart(), 1U);
    EXPECT_EQ(membership("u-2")->standing, Standing::kKicked);
}

TEST_F(Projection, AChangeRefusedButStoredIsFinishedWhenTheLogTakesTheNext) {
    disk_.fail_syncs(Fault::kIo, ".log");
    ask_change(Kind::kKicked, "u-2");
    run_next();
    until_answered(1);
    EXPECT_EQ(answers_[0].error().code, Code::kStoreUnavailable);
    disk_.fail_syncs(Fault::kNone);
    until_appended();
    until_waiting(1);
    run_next();
    ASSERT_TRUE(membership("u-2"));
    EXPECT_EQ(membership("u-2")->standing, Standing::kKicked);
    EXPECT_EQ(in_flight(), 0U);
}

TEST_F(Projection, AChangeRefusedAndNotStoredIsForgottenWhenTheLogTakesTheNext) {
    disk_.fail_appends(Fault::kFull, ".log");
    ask_change(Kind::kKicked, "u-2");
    run_next();
    until_answered(1);
    disk_.fail_appends(Fault::kNone);
    until_appended();
    until_waiting(1);
    run_next();
    EXPECT_FALSE(membership("u-2"));
    EXPECT_EQ(in_flight(), 0U);
}

TEST_F(Projection, OneChangeDoneLeavesAnotherOfTheSameRoomToBeFinished) {
    ask_change(Kind::kInvited, "u-2");
    ask_change(Kind::kKicked, "u-3");
    run_next();
    run_next();
    until_waiting(2);
    run_next();
    ASSERT_TRUE(membership("u-2"));
    ASSERT_FALSE(membership("u-3"));
    EXPECT_EQ(restart(), 1U);
    EXPECT_EQ(membership("u-2")->standing, Standing::kInvited);
    EXPECT_EQ(membership("u-3")->standing, Standing::kKicked);
}

TEST_F(Projection, FinishingAnOldChangeKeepsALaterOne) {
    note("m-1");
    const RoomSeq invited = put("m-1", MessageType::kSystem, to_extra({Kind::kInvited, MemberId::trusted("u-2")}));
    ASSERT_TRUE(directory().drop_membership(room_, MemberId::trusted("u-2"), invited.next()));
    EXPECT_EQ(restart(), 1U);
    EXPECT_FALSE(membership("u-2"));
}

TEST_F(Projection, OnlyNotedSystemRecordsAreApplied) {
    const std::string extra = to_extra({Kind::kJoined, MemberId::trusted("u-2")});
    note("talk");
    put("talk", MessageType::kTalk, extra);
    put("not noted", MessageType::kSystem, extra);
    EXPECT_EQ(restart(), 0U);
    EXPECT_FALSE(membership("u-2"));
    EXPECT_EQ(in_flight(), 0U);
}

TEST_F(Projection, FindsAChangeFarAboveItsNote) {
    note("m-1");
    for (int page = 0; page < 12; ++page) {
        std::vector<Draft> drafts(100);
        for (Draft& draft : drafts) draft.sender = MemberId::trusted("u-1");
        run_->log->append({room_, std::move(drafts)}, [](const auto&) {});
    }
    const RoomSeq at = put("m-1", MessageType::kSystem, to_extra({Kind::kJoined, MemberId::trusted("u-2")}));
    EXPECT_EQ(at, RoomSeq{1201});
    EXPECT_EQ(restart(), 1U);
    EXPECT_EQ(membership("u-2")->since, at);
}

TEST_F(Projection, ADraftIsFreshOnlyWhenTheServerMadeItsId) {
    const Speaker speaker{MemberId::trusted("u-1"), "Alice", false, 1};
    Words words{room_, MessageType::kTalk, "hello", {}, {}};
    const Draft made = run_->service->draft(speaker, words);
    EXPECT_TRUE(made.fresh_id);
    EXPECT_FALSE(made.id.empty());
    words.id = MessageId::trusted("mine");
    EXPECT_FALSE(run_->service->draft(speaker, words).fresh_id);
}

}  // namespace
}  // namespace parley::chat
