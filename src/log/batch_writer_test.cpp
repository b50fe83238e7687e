#include "log/batch_writer.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include "log/held_message.h"

namespace parley::log {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

/// A store that has trouble as told, and holds nothing called "bad".
struct FakeStore {
    std::atomic<bool> away{false};
    std::atomic<bool> half{false};  ///< stores the first of each batch, then has trouble
    std::atomic<int> batches{0};
    std::atomic<std::uint64_t> head{0};
};

class FakeTry final : public BatchTry {
public:
    FakeTry(std::span<Pending> appends, FakeStore& store) : appends_(appends), store_(store) {}
    Result<> store(WallTime, std::chrono::steady_clock::time_point) override {
        ++store_.batches;
        if (store_.away) return fail(Code::kStoreUnavailable, "it is away");
        for (const Pending& pending : appends_) {
            if (pending.request.drafts.front().content == "bad")
                return fail(Code::kInvalidPayload, "no store holds it");
        }
        stored_ = store_.half ? 1 : appends_.size();
        if (store_.half) return fail(Code::kStoreUnavailable, "it went in between");
        return {};
    }
    Outcome take() override {
        Outcome out;
        out.answers.resize(appends_.size());
        for (std::size_t i = 0; i < stored_; ++i) {
            const RoomSeq seq{++store_.head};
            out.answers[i].push_back({seq, WallTime{}, false});
            out.messages.push_back(hold(std::move(appends_[i].request.drafts[0]), appends_[i].request.room, seq, {}));
        }
        return out;
    }

private:
    std::span<Pending> appends_;
    FakeStore& store_;
    std::size_t stored_ = 0;
};

class BatchWriterTest : public testing::Test {
protected:
    using Answer = Result<std::vector<Appended>>;

    BatchWriterTest() {
        BatchWriter::Options options;
        options.settle_limit = 1ms;
        options.on_trouble = [this](const std::string& reason) { said_.push_back(reason); };
        const auto problem = [](const AppendRequest& request) {
            return request.drafts.front().content == "too large" ? "it is too large" : nullptr;
        };
        writer_.emplace(std::move(options), clock_, problem,
                        [this](std::span<Pending> appends) -> std::unique_ptr<BatchTry> {
                            if (wait_.valid()) wait_.wait();
                            return std::make_unique<FakeTry>(appends, store_);
                        });
        writer_->on_commit([this](std::span<const MessageRef> messages) {
            for (const auto& message : messages) heard_.push_back(message->content);
        });
    }
    std::future<Answer> send(const std::string& content) { return std::move(send_all({content}).front()); }
    std::vector<std::future<Answer>> send_all(const std::vector<std::string>& contents) {
        std::vector<std::future<Answer>> out;
        std::vector<Append> appends;
        for (const auto& content : contents) {
            auto promise = std::make_shared<std::promise<Answer>>();
            out.push_back(promise->get_future());
            Append& append = appends.emplace_back();
            append.request.room = RoomId::trusted("r");
            append.request.drafts.emplace_back().content = content;
            append.done = [promise](Answer answer) { promise->set_value(std::move(answer)); };
        }
        writer_->append_all(std::move(appends));
        return out;
    }
    /// Sends these so that they are one batch, after one of its own.
    std::vector<Answer> send_together(const std::vector<std::string>& contents) {
        std::promise<void> go;
        wait_ = go.get_future().share();
        send("first");
        std::vector<std::future<Answer>> futures;
        for (const auto& content : contents) futures.push_back(send(content));
        go.set_value();
        std::vector<Answer> out;
        for (auto& future : futures) out.push_back(future.get());
        return out;
    }

    ManualClock clock_;
    FakeStore store_;
    std::shared_future<void> wait_;
    std::vector<std::string> said_;
    std::vector<std::string> heard_;
    std::optional<BatchWriter> writer_;
};

TEST_F(BatchWriterTest, WhatGathersWhileOneBatchIsStoredIsTheNext) {
    const auto answers = send_together({"a", "b", "c"});
    for (const auto& answer : answers) EXPECT_TRUE(answer);
    writer_.reset();
    EXPECT_LE(store_.batches, 2);
    EXPECT_THAT(heard_, ElementsAre("first", "a", "b", "c"));
}

TEST_F(BatchWriterTest, WhatComesTogetherIsOneBatch) {
    for (auto& answer : send_all({"a", "b", "c"})) EXPECT_TRUE(answer.get());
    writer_.reset();
    EXPECT_EQ(store_.batches, 1);
    EXPECT_THAT(heard_, ElementsAre("a", "b", "c"));
}

TEST_F(BatchWriterTest, WhatTheStoreCanNeverHoldIsRefusedWithoutATry) {
    auto answers = send_all({"a", "too large", "c"});
    EXPECT_TRUE(answers[0].get());
    const auto refused = answers[1].get();
    EXPECT_EQ(refused.error().code, Code::kInvalidPayload);
    EXPECT_EQ(refused.error().message, "it is too large");
    EXPECT_TRUE(answers[2].get());
    writer_.reset();
    EXPECT_EQ(store_.batches, 1);
}

TEST_F(BatchWriterTest, WhatNoStoreHoldsIsRefusedAlone) {
    const auto answers = send_together({"a", "bad", "c"});
    EXPECT_TRUE(answers[0]);
    EXPECT_EQ(answers[1].error().code, Code::kInvalidPayload);
    EXPECT_TRUE(answers[2]);
    EXPECT_TRUE(writer_->stats().available);
    writer_.reset();
    EXPECT_TRUE(said_.empty());
}

TEST_F(BatchWriterTest, OfABatchThatIsStoredInPartTheStoredAreAnswered) {
    store_.half = true;
    EXPECT_TRUE(send("a").get());
    EXPECT_FALSE(writer_->stats().available);
    writer_.reset();
    EXPECT_THAT(heard_, ElementsAre("a"));
    EXPECT_THAT(said_, ElementsAre("it went in between"));
}

TEST_F(BatchWriterTest, WhileTheStoreIsAwayAppendsAreRefusedAndItsReturnIsTold) {
    store_.away = true;
    EXPECT_EQ(send("a").get().error().code, Code::kStoreUnavailable);
    EXPECT_FALSE(writer_->stats().available);
    EXPECT_EQ(send("b").get().error().code, Code::kStoreUnavailable);
    store_.away = false;
    while (!send("c").get()) {
    }
    EXPECT_TRUE(writer_->stats().available);
    writer_.reset();
    EXPECT_THAT(said_, ElementsAre("it is away", ""));
    EXPECT_THAT(heard_, ElementsAre("c"));
}

TEST_F(BatchWriterTest, StoresWhatItAcceptedBeforeItEnds) {
    std::promise<void> go;
    wait_ = go.get_future().share();
    auto first = send("a");
    auto second = send("b");
    std::thread end{[this] { writer_.reset(); }};
    go.set_value();
    end.join();
    EXPECT_TRUE(first.get());
    EXPECT_TRUE(second.get());
}

}  // namespace
}  // namespace parley::log
