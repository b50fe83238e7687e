#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "log/room_log.h"

namespace parley::log::contract {

/// What every RoomLog promises (src/log/room_log.h). An implementation instantiates the suite with a
/// Backend: default-constructible, `std::unique_ptr<RoomLog> open(const Clock&)` which, called again
/// after the log before was destroyed, opens the same stored rooms.
template <class Backend>
class RoomLogContract : public testing::Test {
public:
    using Answer = Result<std::vector<Appended>>;

    RoomLogContract() { reopen(); }

    void reopen() {
        log_.reset();
        log_ = backend_.open(clock_);
        log_->on_commit([this](std::span<const MessageRef> messages) {
            const std::lock_guard lock{mutex_};
            for (const auto& message : messages) committed_.push_back(message);
        });
    }

    static RoomId room(const std::string& id) { return RoomId::trusted(id); }

    static Draft draft(const std::string& sender, const std::string& id, const std::string& content = "hello") {
        Draft out;
        out.sender = MemberId::trusted(sender);
        out.nickname = "앨리스";
        out.id = MessageId::trusted(id);
        out.content = content;
        return out;
    }

    std::future<Answer> send(const std::string& to, std::vector<Draft> drafts) {
        auto promise = std::make_shared<std::promise<Answer>>();
        log_->append({room(to), std::move(drafts)},
                     [promise](Answer answer) { promise->set_value(std::move(answer)); });
        return promise->get_future();
    }

    /// One future for each of `drafts`, which all go to their room in one call.
    std::vector<std::future<Answer>> send_all(std::vector<std::pair<std::string, Draft>> drafts) {
        std::vector<std::future<Answer>> out;
        std::vector<Append> appends;
        for (auto& [to, draft] : drafts) {
            auto promise = std::make_shared<std::promise<Answer>>();
            out.push_back(promise->get_future());
            Append& append = appends.emplace_back();
            append.request.room = room(to);
            append.request.drafts.push_back(std::move(draft));
            append.done = [promise](Answer answer) { promise->set_value(std::move(answer)); };
        }
        log_->append_all(std::move(appends));
        return out;
    }

    Appended put(const std::string& to, const std::string& sender, const std::string& id,
                 const std::string& content = "hello") {
        auto answer = send(to, {draft(sender, id, content)}).get();
        EXPECT_TRUE(answer.has_value()) << (answer ? "" : answer.error().message);
        return answer ? answer->front() : Appended{};
    }

    /// `count` messages m1, m2, ... of u-1, one millisecond apart.
    void fill(const std::string& to, int count) {
        for (int i = 1; i <= count; ++i) {
            put(to, "u-1", "m" + std::to_string(i), "text " + std::to_string(i));
            clock_.advance(milliseconds{1});
        }
    }

    Page read(const std::string& from, std::uint64_t after, std::size_t limit = 1000, Bytes max = 64_MiB) {
        auto page = log_->read(room(from), {after}, limit, max);
        EXPECT_TRUE(page.has_value()) << (page ? "" : page.error().message);
        return page ? *page : Page{};
    }

    Page read_before(const std::string& from, std::uint64_t before, std::size_t limit = 1000, Bytes max = 64_MiB) {
        auto page = log_->read_before(room(from), {before}, limit, max);
        EXPECT_TRUE(page.has_value()) << (page ? "" : page.error().message);
        return page ? *page : Page{};
    }

    RoomHead head(const std::string& of) {
        auto out = log_->head(room(of));
        EXPECT_TRUE(out.has_value());
        return out ? *out : RoomHead{};
    }

    static std::vector<std::uint64_t> seqs(const std::vector<MessageRef>& messages) {
        std::vector<std::uint64_t> out;
        for (const auto& message : messages) out.push_back(message->seq.value);
        return out;
    }

    std::vector<MessageRef> committed() {
        const std::lock_guard lock{mutex_};
        return committed_;
    }

    Backend backend_;
    ManualClock clock_;
    std::unique_ptr<RoomLog> log_;

private:
    std::mutex mutex_;
    std::vector<MessageRef> committed_;
};

TYPED_TEST_SUITE_P(RoomLogContract);

TYPED_TEST_P(RoomLogContract, GivesDenseSeqsPerRoomFromOne) {
    EXPECT_EQ(this->put("r-1", "u-1", "a").seq.value, 1u);
    EXPECT_EQ(this->put("r-1", "u-2", "b").seq.value, 2u);
    EXPECT_EQ(this->put("r-2", "u-1", "c").seq.value, 1u);
    EXPECT_EQ(this->put("r-1", "u-1", "d").seq.value, 3u);
    EXPECT_EQ(this->head("r-1").head.value, 3u);
}

TYPED_TEST_P(RoomLogContract, ReturnsEveryFieldUnchanged) {
    Draft in = this->draft("u-1", "m-1", "  안녕 \"하세요\" \n🎲 ");
    in.type = MessageType::kAi;
    in.extra = R"("receiverId":"u-9")";
    const auto answer = this->send("r-1", {in}).get();
    ASSERT_TRUE(answer);
    const auto page = this->read("r-1", 0);
    ASSERT_EQ(page.messages.size(), 1u);
    const Message& out = *page.messages[0];
    EXPECT_EQ(out.id, in.id);
    EXPECT_EQ(out.sender, in.sender);
    EXPECT_EQ(out.nickname, in.nickname);
    EXPECT_EQ(out.content, in.content);
    EXPECT_EQ(out.extra, in.extra);
    EXPECT_EQ(out.type, in.type);
    EXPECT_EQ(out.room.str(), "r-1");
    EXPECT_EQ(out.created_at, answer->front().created_at);
}

TYPED_TEST_P(RoomLogContract, KeepsLongAndMultibyteContentWhole) {
    std::string content;
    while (content.size() < 300'000) content += "긴 이야기 ";
    this->put("r-1", "u-1", "m-1", content);
    this->reopen();
    EXPECT_EQ(this->read("r-1", 0).messages.at(0)->content, content);
}

TYPED_TEST_P(RoomLogContract, AnswersARepeatWithTheFirstSeqAndTime) {
    const Appended first = this->put("r-1", "u-1", "m-1", "one");
    this->clock_.advance(milliseconds{5});
    const Appended again = this->put("r-1", "u-1", "m-1", "changed");
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(again.seq, first.seq);
    EXPECT_EQ(again.created_at, first.created_at);
    EXPECT_EQ(this->head("r-1").head.value, 1u);
    EXPECT_EQ(this->read("r-1", 0).messages.at(0)->content, "one");
    EXPECT_EQ(this->committed().size(), 1u);
}

TYPED_TEST_P(RoomLogContract, SameIdOfAnotherSenderIsAnotherMessage) {
    this->put("r-1", "u-1", "m-1");
    EXPECT_FALSE(this->put("r-1", "u-2", "m-1").repeated);
}

TYPED_TEST_P(RoomLogContract, SameIdInAnotherRoomIsAnotherMessage) {
    this->put("r-1", "u-1", "m-1");
    EXPECT_FALSE(this->put("r-2", "u-1", "m-1").repeated);
}

TYPED_TEST_P(RoomLogContract, IdsThatOnlyJoinToTheSameTextAreDifferent) {
    this->put("r-1", "u-1", "2m");
    EXPECT_FALSE(this->put("r-1", "u-12", "m").repeated);
}

TYPED_TEST_P(RoomLogContract, RecognisesARepeatAfterReopening) {
    const Appended first = this->put("r-1", "u-1", "m-1");
    this->reopen();
    const Appended again = this->put("r-1", "u-1", "m-1");
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(again.seq, first.seq);
}

TYPED_TEST_P(RoomLogContract, StoresRepeatsWithinOneRequestOnce) {
    const auto answer =
        this->send("r-1", {this->draft("u-1", "a"), this->draft("u-1", "b"), this->draft("u-1", "a")}).get();
    ASSERT_TRUE(answer);
    EXPECT_FALSE(answer->at(0).repeated);
    EXPECT_TRUE(answer->at(2).repeated);
    EXPECT_EQ(answer->at(2).seq, answer->at(0).seq);
    EXPECT_EQ(this->head("r-1").head.value, 2u);
}

TYPED_TEST_P(RoomLogContract, StoresOneOfManyRepeatsSentAtOnce) {
    std::vector<std::future<typename TestFixture::Answer>> answers;
    for (int i = 0; i < 200; ++i) answers.push_back(this->send("r-1", {this->draft("u-1", "m-1")}));
    int stored = 0;
    for (auto& answer : answers) {
        const auto got = answer.get();
        ASSERT_TRUE(got);
        EXPECT_EQ(got->front().seq.value, 1u);
        if (!got->front().repeated) ++stored;
    }
    EXPECT_EQ(stored, 1);
    EXPECT_EQ(this->committed().size(), 1u);
}

TYPED_TEST_P(RoomLogContract, StoresOneOfManyRepeatsFromManyThreads) {
    std::vector<std::thread> threads;
    std::atomic<int> stored{0};
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i)
                if (!this->put("r-1", "u-1", "m" + std::to_string(i)).repeated) ++stored;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(stored, 50);
    EXPECT_EQ(this->read("r-1", 0).messages.size(), 50u);
}

TYPED_TEST_P(RoomLogContract, EachSendersOrderIsKeptUnderManyThreads) {
    constexpr int kEach = 200;
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; ++t)
        threads.emplace_back([&, t] {
            std::vector<std::future<typename TestFixture::Answer>> answers;
            for (int i = 0; i < kEach; ++i)
                answers.push_back(this->send("r-1", {this->draft("u-" + std::to_string(t), "m" + std::to_string(i))}));
            for (auto& answer : answers) EXPECT_TRUE(answer.get());
        });
    for (auto& thread : threads) thread.join();
    std::map<std::string, int> next;
    std::uint64_t seq = 0;
    for (const auto& message : this->read("r-1", 0, 10'000).messages) {
        EXPECT_EQ(message->seq.value, ++seq);
        EXPECT_EQ(message->id.str(), "m" + std::to_string(next[message->sender.str()]++));
    }
    EXPECT_EQ(seq, 6u * kEach);
}

TYPED_TEST_P(RoomLogContract, DraftsOfOneRequestAreAdjacent) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 20; ++i) {
                std::vector<Draft> drafts;
                for (int k = 0; k < 10; ++k)
                    drafts.push_back(
                        this->draft("u-" + std::to_string(t), std::to_string(i) + "." + std::to_string(k)));
                const auto answer = this->send("r-1", std::move(drafts)).get();
                ASSERT_TRUE(answer);
                for (std::size_t k = 1; k < answer->size(); ++k)
                    EXPECT_EQ(answer->at(k).seq, answer->at(k - 1).seq.next());
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(this->head("r-1").head.value, 800u);
}

TYPED_TEST_P(RoomLogContract, ARepeatInsideARequestLeavesTheOthersAdjacent) {
    this->put("r-1", "u-1", "b");
    const auto answer =
        this->send("r-1", {this->draft("u-1", "a"), this->draft("u-1", "b"), this->draft("u-1", "c")}).get();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->at(0).seq.value, 2u);
    EXPECT_EQ(answer->at(1).seq.value, 1u);
    EXPECT_EQ(answer->at(2).seq.value, 3u);
}

TYPED_TEST_P(RoomLogContract, WhatIsAppendedTogetherIsAnsweredOneByOneInItsOrder) {
    auto answers = this->send_all({{"r-1", this->draft("u-1", "a")},
                                   {"r-2", this->draft("u-1", "b")},
                                   {"r-1", this->draft("u-2", "c")},
                                   {"r-1", this->draft("u-1", "a")}});
    std::vector<std::pair<std::uint64_t, bool>> got;
    for (auto& waiting : answers) {
        const auto answer = waiting.get();
        ASSERT_TRUE(answer) << answer.error().message;
        got.emplace_back(answer->front().seq.value, answer->front().repeated);
    }
    EXPECT_EQ(got, (std::vector<std::pair<std::uint64_t, bool>>{{1, false}, {1, false}, {2, false}, {1, true}}));
}

TYPED_TEST_P(RoomLogContract, ReadsInPagesByLimit) {
    this->fill("r-1", 10);
    EXPECT_THAT(this->seqs(this->read("r-1", 0, 4).messages), testing::ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(this->seqs(this->read("r-1", 4, 4).messages), testing::ElementsAre(5, 6, 7, 8));
    EXPECT_THAT(this->seqs(this->read("r-1", 8, 4).messages), testing::ElementsAre(9, 10));
    EXPECT_TRUE(this->read("r-1", 10, 4).messages.empty());
    EXPECT_TRUE(this->read("r-1", 99, 4).messages.empty());
    EXPECT_TRUE(this->read("r-1", UINT64_MAX, 4).messages.empty());
    EXPECT_TRUE(this->read("r-1", 0, 0).messages.empty());
}

TYPED_TEST_P(RoomLogContract, ReadsInPagesByBytesAndAlwaysOne) {
    for (int i = 0; i < 6; ++i) this->put("r-1", "u-1", "m" + std::to_string(i), std::string(1000, 'x'));
    EXPECT_EQ(this->read("r-1", 0, 100, 1_B).messages.size(), 1u);
    const auto some = this->read("r-1", 0, 100, 3_KiB).messages.size();
    EXPECT_GE(some, 2u);
    EXPECT_LE(some, 4u);
    EXPECT_EQ(this->read_before("r-1", 7, 100, 1_B).messages.size(), 1u);
}

TYPED_TEST_P(RoomLogContract, ReadsBeforeAPosition) {
    this->fill("r-1", 10);
    EXPECT_THAT(this->seqs(this->read_before("r-1", 8, 3).messages), testing::ElementsAre(5, 6, 7));
    EXPECT_THAT(this->seqs(this->read_before("r-1", 3, 9).messages), testing::ElementsAre(1, 2));
    EXPECT_THAT(this->seqs(this->read_before("r-1", UINT64_MAX, 2).messages), testing::ElementsAre(9, 10));
    EXPECT_TRUE(this->read_before("r-1", 1, 3).messages.empty());
    EXPECT_TRUE(this->read_before("r-1", 0, 3).messages.empty());
}

TYPED_TEST_P(RoomLogContract, RoomsDoNotShowInEachOther) {
    this->fill("r-1", 3);
    this->fill("r-2", 2);
    this->fill("r-10", 1);
    EXPECT_EQ(this->read("r-1", 0).messages.size(), 3u);
    EXPECT_EQ(this->read_before("r-2", 99).messages.size(), 2u);
    EXPECT_EQ(this->read("r-10", 0).messages.size(), 1u);
}

TYPED_TEST_P(RoomLogContract, AnUnknownRoomIsEmptyAndAskingMakesNothing) {
    const RoomHead unknown = this->head("r-9");
    EXPECT_EQ(unknown.head.value, 0u);
    EXPECT_EQ(unknown.first.value, 1u);
    EXPECT_NE(unknown.epoch.value, 0u);
    EXPECT_TRUE(this->read("r-9", 0).messages.empty());
    EXPECT_TRUE(this->read_before("r-9", 5).messages.empty());
    EXPECT_EQ(this->log_->seek(this->room("r-9"), this->clock_.wall())->value, 0u);
}

TYPED_TEST_P(RoomLogContract, HeadsOfManyRoomsComeInTheOrderAsked) {
    this->fill("r-2", 3);
    this->fill("r-1", 1);
    const std::vector<RoomId> rooms{this->room("r-2"), this->room("r-9"), this->room("r-1"), this->room("r-2")};
    const auto heads = this->log_->heads(rooms);
    ASSERT_TRUE(heads);
    ASSERT_EQ(heads->size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ((*heads)[i].head.value, (std::vector<std::uint64_t>{3, 0, 1, 3})[i]);
        EXPECT_EQ((*heads)[i].first.value, 1u);
        EXPECT_EQ((*heads)[i].epoch, this->head("r-1").epoch);
    }
    EXPECT_TRUE(this->log_->heads({})->empty());
}

TYPED_TEST_P(RoomLogContract, ANewRoomKeepsTheEpochItHadWhileUnknown) {
    const Epoch before = this->head("r-9").epoch;
    this->put("r-9", "u-1", "m-1");
    EXPECT_EQ(this->head("r-9").epoch, before);
    this->clock_.advance(std::chrono::hours{1});
    this->reopen();
    EXPECT_EQ(this->head("r-9").epoch, before);
    EXPECT_EQ(this->head("r-8").epoch, before);
}

TYPED_TEST_P(RoomLogContract, GoesOnWhereItStoodAfterReopening) {
    this->fill("r-1", 5);
    const RoomHead before = this->head("r-1");
    this->reopen();
    const RoomHead after = this->head("r-1");
    EXPECT_EQ(after.head, before.head);
    EXPECT_EQ(after.first, before.first);
    EXPECT_EQ(after.epoch, before.epoch);
    EXPECT_EQ(this->put("r-1", "u-1", "next").seq.value, 6u);
    EXPECT_EQ(this->put("r-2", "u-1", "next").seq.value, 1u);
    EXPECT_EQ(this->read("r-1", 0).messages.size(), 6u);
}

TYPED_TEST_P(RoomLogContract, CreatedAtNeverFallsWhenTheClockGoesBack) {
    const Appended first = this->put("r-1", "u-1", "a");
    this->clock_.set_wall_back(std::chrono::minutes{5});
    const Appended second = this->put("r-1", "u-1", "b");
    EXPECT_EQ(second.created_at, first.created_at);
    this->reopen();
    EXPECT_EQ(this->put("r-1", "u-1", "c").created_at, first.created_at);
    this->clock_.advance(std::chrono::minutes{10});
    EXPECT_EQ(this->put("r-1", "u-1", "d").created_at, this->clock_.wall());
}

TYPED_TEST_P(RoomLogContract, SeekFindsEveryMessageFromATimeOn) {
    const WallTime start = this->clock_.wall();
    this->fill("r-1", 20);
    for (int ms = 0; ms <= 20; ++ms) {
        const auto after = this->log_->seek(this->room("r-1"), start + milliseconds{ms});
        ASSERT_TRUE(after);
        const auto page = this->read("r-1", after->value);
        EXPECT_GE(page.messages.size(), static_cast<std::size_t>(20 - ms));
        for (const auto& message : this->read_before("r-1", after->value + 1).messages)
            EXPECT_LT(message->created_at, start + milliseconds{ms});
    }
    EXPECT_EQ(this->log_->seek(this->room("r-1"), start - milliseconds{1})->value, 0u);
}

TYPED_TEST_P(RoomLogContract, SeekStopsBeforeTheFirstOfEqualTimes) {
    this->fill("r-1", 3);
    for (int i = 0; i < 5; ++i) this->put("r-1", "u-2", "same" + std::to_string(i));
    EXPECT_LE(this->log_->seek(this->room("r-1"), this->clock_.wall())->value, 3u);
}

TYPED_TEST_P(RoomLogContract, TheCommitListenerHearsEachRoomInSeqOrderBeforeTheAnswer) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 100; ++i) {
                const std::string to = "r-" + std::to_string(i % 3);
                const Appended at = this->put(to, "u-" + std::to_string(t), "m" + std::to_string(i));
                const auto heard = this->committed();
                EXPECT_TRUE(std::any_of(heard.begin(), heard.end(), [&](const MessageRef& message) {
                    return message->room.str() == to && message->seq == at.seq;
                }));
            }
        });
    for (auto& thread : threads) thread.join();
    std::map<std::string, std::uint64_t> last;
    for (const auto& message : this->committed()) EXPECT_EQ(message->seq.value, ++last[message->room.str()]);
    EXPECT_EQ(last.size(), 3u);
}

TYPED_TEST_P(RoomLogContract, WhatTheListenerHearsIsWhatIsRead) {
    this->fill("r-1", 3);
    const auto heard = this->committed();
    const auto stored = this->read("r-1", 0).messages;
    ASSERT_EQ(heard.size(), stored.size());
    for (std::size_t i = 0; i < heard.size(); ++i) EXPECT_EQ(to_json(*heard[i]), to_json(*stored[i]));
}

TYPED_TEST_P(RoomLogContract, ReadersSeeNoHoleWhileOthersWrite) {
    std::atomic<bool> ended{false};
    std::thread writer{[&] {
        for (int i = 0; i < 300; ++i) this->put("r-1", "u-1", "m" + std::to_string(i));
        ended = true;
    }};
    std::uint64_t have = 0;
    while (have < 300) {
        const bool last = ended;
        const auto page = this->read("r-1", have, 50);
        for (const auto& message : page.messages) EXPECT_EQ(message->seq.value, ++have);
        EXPECT_LE(have, page.at.head.value);
        if (last && page.messages.empty()) break;
    }
    writer.join();
    EXPECT_EQ(have, 300u);
}

TYPED_TEST_P(RoomLogContract, AnswersEverythingAcceptedBeforeItEnds) {
    std::vector<std::future<typename TestFixture::Answer>> answers;
    for (int i = 0; i < 500; ++i) answers.push_back(this->send("r-1", {this->draft("u-1", std::to_string(i))}));
    this->reopen();
    for (auto& answer : answers) EXPECT_TRUE(answer.get());
    EXPECT_EQ(this->head("r-1").head.value, 500u);
}

REGISTER_TYPED_TEST_SUITE_P(
    RoomLogContract, GivesDenseSeqsPerRoomFromOne, ReturnsEveryFieldUnchanged, KeepsLongAndMultibyteContentWhole,
    AnswersARepeatWithTheFirstSeqAndTime, SameIdOfAnotherSenderIsAnotherMessage, SameIdInAnotherRoomIsAnotherMessage,
    IdsThatOnlyJoinToTheSameTextAreDifferent, RecognisesARepeatAfterReopening, StoresRepeatsWithinOneRequestOnce,
    StoresOneOfManyRepeatsSentAtOnce, StoresOneOfManyRepeatsFromManyThreads, EachSendersOrderIsKeptUnderManyThreads,
    DraftsOfOneRequestAreAdjacent, ARepeatInsideARequestLeavesTheOthersAdjacent,
    WhatIsAppendedTogetherIsAnsweredOneByOneInItsOrder, ReadsInPagesByLimit, ReadsInPagesByBytesAndAlwaysOne,
    ReadsBeforeAPosition, RoomsDoNotShowInEachOther, AnUnknownRoomIsEmptyAndAskingMakesNothing,
    HeadsOfManyRoomsComeInTheOrderAsked, ANewRoomKeepsTheEpochItHadWhileUnknown, GoesOnWhereItStoodAfterReopening,
    CreatedAtNeverFallsWhenTheClockGoesBack, SeekFindsEveryMessageFromATimeOn, SeekStopsBeforeTheFirstOfEqualTimes,
    TheCommitListenerHearsEachRoomInSeqOrderBeforeTheAnswer, WhatTheListenerHearsIsWhatIsRead,
    ReadersSeeNoHoleWhileOthersWrite, AnswersEverythingAcceptedBeforeItEnds);

}  // namespace parley::log::contract
