#include "chat/service.h"

#include <optional>

#include "room/room_fixture.h"
#include "store/empty_directory.h"

namespace parley::chat {
namespace {

using store::Membership;
using store::Standing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Keeps appends until the test lets them through, in order.
class HeldLog final : public log::RoomLog {
public:
    room::testing::FakeLog rooms;
    bool is_held = false;
    std::vector<std::size_t> together;  ///< how many each call of append_all() brought
    void append_all(std::vector<log::Append> appends) override {
        together.push_back(appends.size());
        for (log::Append& each : appends) held_.push_back(std::move(each));
        if (!is_held) let_through();
    }
    void let_through() { rooms.append_all(std::exchange(held_, {})); }
    Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) override {
        return rooms.read(room, after, limit, max);
    }
    Result<log::Page> read_before(const RoomId&, RoomSeq, std::size_t, Bytes) override { return log::Page{}; }
    Result<log::RoomHead> head(const RoomId& room) override { return rooms.head(room); }
    Result<RoomSeq> seek(const RoomId& room, WallTime time) override { return rooms.seek(room, time); }
    void on_commit(CommitListener) override {}

private:
    std::vector<log::Append> held_;
};

/// Rooms and standings in memory.
class FakeDirectory final : public store::EmptyDirectory {
public:
    std::map<RoomId, store::RoomInfo> rooms;
    std::map<std::pair<RoomId, MemberId>, Membership> standings;
    int asked = 0;
    bool is_down = false;

    Result<> add_room(const store::RoomInfo& info, const std::string&) override {
        if (!rooms.emplace(info.id, info).second) return fail(Code::kRoomExists, "there");
        return {};
    }
    Result<std::optional<store::RoomInfo>> room(const RoomId& id) override {
        ++asked;
        if (is_down) return fail(Code::kStoreUnavailable, "down");
        const auto found = rooms.find(id);
        if (found == rooms.end()) return std::optional<store::RoomInfo>{};
        return std::optional{found->second};
    }
    Result<> set_visibility(const RoomId& id, store::Visibility visibility, RoomSeq) override {
        rooms[id].visibility = visibility;
        return {};
    }
    Result<> put_membership(const RoomId& id, const Membership& membership) override {
        if (is_down) return fail(Code::kStoreUnavailable, "down");
        standings[{id, membership.member}] = membership;
        return {};
    }
    Result<> drop_membership(const RoomId& id, const MemberId& member, RoomSeq) override {
        standings.erase({id, member});
        return {};
    }
    Result<std::optional<Membership>> membership(const RoomId& id, const MemberId& member) override {
        const auto found = standings.find({id, member});
        if (found == standings.end()) return std::optional<Membership>{};
        return std::optional{found->second};
    }
    Result<RoomSeq> raise_read_mark(const RoomId&, const MemberId&, RoomSeq seq) override {
        mark = std::max(mark, seq);
        return mark;
    }
    Result<RoomSeq> read_mark(const RoomId&, const MemberId&) override { return mark; }

private:
    RoomSeq mark{};
};

struct FakeBus final : bus::Bus {
    std::vector<std::string> events;
    std::vector<bus::Notice> notices;
    void announce(std::span<const MessageRef>) override {}
    void event(bus::RoomEvent event) override { events.push_back(event.json); }
    void event_here(bus::RoomEvent here) override { event(std::move(here)); }
    void notify(bus::Notice notice) override { notices.push_back(std::move(notice)); }
};

class ServiceTest : public ::testing::Test {
protected:
    static Speaker speaker(room::Presence::SessionId session, const char* member = "u-1") {
        return {MemberId::trusted(member), "앨리스", false, session};
    }
    [[nodiscard]] Words words(const char* content = "") const {
        Words out;
        out.room = room;
        out.content = content;
        return out;
    }
    [[nodiscard]] Words words_of(const char* id) const {
        Words out = words();
        if (*id != '\0') out.id = MessageId::trusted(id);
        return out;
    }
    /// What a JOIN or LEAVE came to: `stored 1`, `nothing`, or the code.
    auto into(std::string& out) {
        return [&out](Result<Service::Stay> result) {
            out = !result          ? std::string{name(result.error().code)}
                  : result->stored ? "stored " + std::to_string(result->stored->seq.value)
                                   : "nothing";
        };
    }
    std::string join(room::Presence::SessionId session, const char* id = "") {
        std::string out;
        service->join(speaker(session), words_of(id), into(out));
        settle();
        return out;
    }
    std::string leave(room::Presence::SessionId session, const char* id = "") {
        std::string out;
        service->leave(speaker(session), words_of(id), into(out));
        settle();
        return out;
    }
    std::string create_unknown(const char* id) {
        std::string out;
        service->create_unknown(speaker(1), RoomId::trusted(id), [&](Result<> made, milliseconds until) {
            out = made ? "made" : std::string{name(made.error().code)};
            wait = until;
        });
        settle();
        return out;
    }
    std::string view(const char* member = "u-1") {
        std::string out;
        service->view(room, MemberId::trusted(member), [&out](Result<RoomView> seen) {
            out = !seen ? std::string{name(seen.error().code)} : seen->room ? "room" : "none";
        });
        settle();
        return out;
    }
    std::string change(RoomChange::Kind kind, const char* member) {
        std::string out;
        service->change(speaker(1), room, {kind, MemberId::trusted(member)}, "밥", "text", [&out](Result<RoomSeq> seq) {
            out = seq ? "at " + std::to_string(seq->value) : std::string{name(seq.error().code)};
        });
        settle();
        return out;
    }
    void settle() {
        for (int quiet = 0; quiet < 3; ++quiet) {
            loop.run_once();
            while (pool.run_one()) quiet = 0;
        }
    }
    [[nodiscard]] bool is_present() const { return presence.is_present(room, MemberId::trusted("u-1")); }
    std::vector<MessageRef> stored() { return log.rooms.read(room, {0}, 100, 1_MiB)->messages; }

    RoomId room = RoomId::trusted("r-1");
    milliseconds wait{0};  ///< what the last create_unknown() was told
    ManualClock clock;
    rt::Loop loop{0, clock};
    rt::WorkPool pool{"test", 0, 1000};
    rt::Asker asker{loop, pool};
    HeldLog log;
    FakeDirectory directory;
    FakeBus bus;
    room::Presence presence{seconds{15}};
    auth::RateLimits rates{{.room_member = {.count = 3, .per = milliseconds{60'000}}}};
    Service::Options options;
    std::optional<Service> service{std::in_place, Service::Parts{loop, log, directory, bus, presence, rates, asker},
                                   options};
};

TEST_F(ServiceTest, ContentNeedsTextNoNulAndItsLimit) {
    EXPECT_TRUE(service->check_content("  안녕 "));
    EXPECT_FALSE(service->check_content(""));
    EXPECT_FALSE(service->check_content(" \t\n\u3000"));
    EXPECT_FALSE(service->check_content(std::string_view{"a\0b", 3}));
    EXPECT_EQ(service->check_content(std::string(128 * 1024 + 1, 'x')).error().code, Code::kMessageTooLarge);
}

TEST_F(ServiceTest, DraftTakesTheSenderFromTheSessionAndAnIdWhereNoneWasGiven) {
    const Draft made = service->draft(speaker(1), words("hi"));
    EXPECT_EQ(made.id.str().size(), 36u);
    EXPECT_EQ(made.sender.str(), "u-1");
    Words given = words("hi");
    given.id = MessageId::trusted("m-1");
    EXPECT_EQ(service->draft(speaker(1), given).id.str(), "m-1");
}

TEST_F(ServiceTest, WhatOneTurnBringsGoesToTheLogTogetherAndInOrder) {
    std::vector<std::uint64_t> seqs;
    for (const char* text : {"one", "two", "three"}) {
        std::vector<Draft> drafts;
        drafts.push_back(service->draft(speaker(1), words(text)));
        service->append(room, std::move(drafts),
                        [&](Result<std::vector<log::Appended>> result) { seqs.push_back(result->front().seq.value); });
    }
    EXPECT_THAT(log.together, IsEmpty());
    settle();
    EXPECT_THAT(log.together, ElementsAre(3u));
    EXPECT_THAT(seqs, ElementsAre(1u, 2u, 3u));
    std::vector<std::string> contents;
    for (const MessageRef& message : stored()) contents.push_back(message->content);
    EXPECT_THAT(contents, ElementsAre("one", "two", "three"));
}

TEST_F(ServiceTest, JoinIsStoredOnceAndLeaveWhenItIsTheLast) {
    EXPECT_EQ(join(1), "stored 1");
    EXPECT_EQ(join(1), "nothing");
    EXPECT_EQ(join(2), "nothing");
    EXPECT_EQ(leave(1), "nothing");
    EXPECT_EQ(leave(2), "stored 2");
    EXPECT_EQ(leave(2), "nothing");
    ASSERT_EQ(stored().size(), 2u);
    EXPECT_EQ(stored()[0]->type, MessageType::kJoin);
    EXPECT_EQ(stored()[0]->content, "앨리스님이 입장했습니다.");
    EXPECT_EQ(stored()[1]->type, MessageType::kLeave);
    EXPECT_THAT(bus.events,
                ElementsAre(HasSubstr(R"("present":true,"count":1)"), HasSubstr(R"("present":false,"count":0)")));
}

TEST_F(ServiceTest, AJoinSentAgainAfterTheLeaveMakesNobodyPresent) {
    EXPECT_EQ(join(1, "j"), "stored 1");
    EXPECT_EQ(leave(1, "l"), "stored 2");
    bus.events.clear();
    EXPECT_EQ(join(1, "j"), "stored 1");
    EXPECT_FALSE(is_present());
    EXPECT_THAT(bus.events, IsEmpty());
    EXPECT_EQ(join(1, "j2"), "stored 3");
    EXPECT_TRUE(is_present());
}

TEST_F(ServiceTest, ALeaveSentAgainAfterTheNextJoinMakesNobodyAbsent) {
    join(1, "j");
    leave(1, "l");
    join(1, "j2");
    bus.events.clear();
    EXPECT_EQ(leave(1, "l"), "stored 2");
    EXPECT_TRUE(is_present());
    EXPECT_THAT(bus.events, IsEmpty());
    EXPECT_EQ(leave(1, "l2"), "stored 4");
    EXPECT_FALSE(is_present());
}

TEST_F(ServiceTest, AJoinWhoseReceiptWasLostMakesPresentWhenItIsSentAgain) {
    join(1, "j");
    service->disconnect(speaker(1), room);
    clock.advance(seconds{16});
    settle();
    service->sweep_presence();
    ASSERT_FALSE(is_present());
    EXPECT_EQ(join(2, "j"), "stored 1");
    EXPECT_TRUE(is_present());
    EXPECT_EQ(stored().size(), 1u);
}

TEST_F(ServiceTest, JoinThatWasNotStoredMakesNobodyPresent) {
    log.rooms.is_down = true;
    EXPECT_EQ(join(1), "CHAT_STORE_UNAVAILABLE");
    EXPECT_FALSE(is_present());
    EXPECT_THAT(bus.events, IsEmpty());
    log.rooms.is_down = false;
    EXPECT_EQ(join(1), "stored 1");
}

TEST_F(ServiceTest, LeaveThatWasNotStoredCanBeTriedAgain) {
    join(1);
    log.rooms.is_down = true;
    EXPECT_EQ(leave(1), "CHAT_STORE_UNAVAILABLE");
    EXPECT_TRUE(is_present());
    log.rooms.is_down = false;
    EXPECT_EQ(leave(1), "stored 2");
}

TEST_F(ServiceTest, SessionThatEndedDuringAFailingLeaveIsNotPresentForEver) {
    join(1);
    log.rooms.is_down = true;
    log.is_held = true;
    std::string answer;
    service->leave(speaker(1), words(), into(answer));
    service->disconnect(speaker(1), room);
    settle();
    log.let_through();
    settle();
    EXPECT_EQ(answer, "CHAT_STORE_UNAVAILABLE");
    clock.advance(seconds{16});
    settle();
    service->sweep_presence();
    EXPECT_FALSE(is_present());
}

TEST_F(ServiceTest, LostAndExpiredStaysStoreNothing) {
    join(1);
    service->disconnect(speaker(1), room);
    clock.advance(seconds{16});
    settle();
    service->sweep_presence();
    EXPECT_FALSE(is_present());
    join(1);
    service->expire(speaker(1), room);
    EXPECT_FALSE(is_present());
    EXPECT_EQ(stored().size(), 2u);
    EXPECT_EQ(bus.events.size(), 4u);
    EXPECT_THAT(bus.events[1], HasSubstr(R"("nickname":"앨리스","present":false)"));
}

TEST_F(ServiceTest, AnswerOfAnAppendAfterTheServiceHasGoneReachesNobody) {
    log.is_held = true;
    std::string answer;
    service->join(speaker(1), words(), into(answer));
    settle();
    service.reset();
    log.let_through();
    settle();
    EXPECT_EQ(answer, "");
}

TEST_F(ServiceTest, UnknownRoomComesToBeOnceWhoeverAsks) {
    EXPECT_EQ(create_unknown("r-1"), "made");
    EXPECT_EQ(create_unknown("r-1"), "made");
    EXPECT_EQ(directory.rooms.size(), 1u);
    EXPECT_TRUE(directory.rooms.begin()->second.owner.empty());
    EXPECT_EQ(bus.notices.front().kind, bus::Notice::Kind::kRoomChanged);
}

TEST_F(ServiceTest, NewRoomsOfAMemberAreLimited) {
    for (const char* id : {"a", "b", "c"}) EXPECT_EQ(create_unknown(id), "made");
    EXPECT_EQ(create_unknown("d"), "CHAT_RATE_LIMITED");
    EXPECT_EQ(wait, seconds{20}) << "three a minute";
    EXPECT_EQ(directory.rooms.size(), 3u);
}

TEST_F(ServiceTest, WithoutAutoCreateAnUnknownRoomIsNotFound) {
    options.auto_create = false;
    service.emplace(Service::Parts{loop, log, directory, bus, presence, rates, asker}, options);
    EXPECT_EQ(create_unknown("r-1"), "CHAT_ROOM_NOT_FOUND");
    EXPECT_TRUE(directory.rooms.empty());
}

TEST_F(ServiceTest, KnownRoomsAreRememberedUntilTheyChangeAndUnknownOnesAreNot) {
    EXPECT_EQ(view(), "none");
    EXPECT_EQ(view(), "none");
    EXPECT_EQ(directory.asked, 2);
    create_unknown("r-1");
    EXPECT_EQ(view(), "room");
    EXPECT_EQ(view(), "room");
    EXPECT_EQ(directory.asked, 3);
    service->book().forget(room);
    EXPECT_EQ(view(), "room");
    EXPECT_EQ(directory.asked, 4);
}

TEST_F(ServiceTest, ARoomNobodyAsksForIsForgottenAfterAWhile) {
    create_unknown("r-1");
    EXPECT_EQ(view(), "room");
    const auto pass_a_minute = [&] {
        for (int second = 0; second < 60; ++second) service->book().forget_unused();
    };
    pass_a_minute();
    EXPECT_EQ(view(), "room");
    pass_a_minute();
    EXPECT_EQ(view(), "room");
    EXPECT_EQ(directory.asked, 1) << "forgotten though it was asked for each minute";
    pass_a_minute();
    pass_a_minute();
    EXPECT_EQ(view(), "room");
    EXPECT_EQ(directory.asked, 2);
}

TEST_F(ServiceTest, AnswerAskedForBeforeAChangeIsNotRemembered) {
    create_unknown("r-1");
    int answers = 0;
    service->view(room, MemberId::trusted("u-1"), [&](Result<RoomView>) { ++answers; });
    pool.run_one();
    service->book().forget(room);
    settle();
    EXPECT_EQ(answers, 1);
    EXPECT_EQ(service->book().find(room, MemberId::trusted("u-1")), nullptr);
}

TEST_F(ServiceTest, DirectoryTroubleIsToldAndNotRemembered) {
    directory.is_down = true;
    EXPECT_EQ(view(), "CHAT_STORE_UNAVAILABLE");
    directory.is_down = false;
    EXPECT_EQ(view(), "none");
}

TEST_F(ServiceTest, ChangeIsARecordFirstAndThenInTheDirectory) {
    create_unknown("r-1");
    bus.notices.clear();
    EXPECT_EQ(change(RoomChange::Kind::kInvited, "u-9"), "at 1");
    EXPECT_EQ(change(RoomChange::Kind::kKicked, "u-9"), "at 2");
    const Membership& standing = directory.standings[std::pair{room, MemberId::trusted("u-9")}];
    EXPECT_EQ(standing.standing, Standing::kKicked);
    EXPECT_EQ(standing.since.value, 2u);
    EXPECT_EQ(stored()[1]->type, MessageType::kSystem);
    EXPECT_EQ(parse_room_change(stored()[1]->extra)->kind, RoomChange::Kind::kKicked);
    ASSERT_EQ(bus.notices.size(), 2u);
    EXPECT_EQ(bus.notices[0].body, "");  // an invitation ends nobody's right
    EXPECT_EQ(parse_room_change(bus.notices[1].body)->member.str(), "u-9");
}

TEST_F(ServiceTest, ChangeThatWasNotStoredChangesNothing) {
    log.rooms.is_down = true;
    EXPECT_EQ(change(RoomChange::Kind::kJoined, "u-9"), "CHAT_STORE_UNAVAILABLE");
    EXPECT_TRUE(directory.standings.empty());
    EXPECT_THAT(bus.notices, IsEmpty());
}

TEST_F(ServiceTest, ReadMarkNeverPassesTheHeadNorFalls) {
    for (int i = 0; i < 5; ++i) log.rooms.put(room, {});
    std::vector<std::uint64_t> marks;
    for (const std::uint64_t seq : {3u, 99u, 1u}) {
        service->mark_read(speaker(1), room, {seq}, [&](Result<RoomSeq> mark) { marks.push_back(mark->value); });
        settle();
    }
    EXPECT_THAT(marks, ElementsAre(3, 5, 5));
    EXPECT_THAT(bus.events.back(),
                HasSubstr(R"("event":"read","roomId":"r-1","memberId":"u-1","nickname":"앨리스","seq":5)"));
}

TEST_F(ServiceTest, TypingIsShownAndStoredNowhere) {
    service->typing(speaker(1), room);
    EXPECT_THAT(bus.events, ElementsAre(HasSubstr(R"({"event":"typing","roomId":"r-1")")));
    EXPECT_TRUE(stored().empty());
}

}  // namespace
}  // namespace parley::chat
