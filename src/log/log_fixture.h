#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/temp_dir.h"
#include "log/embedded_log.h"
#include "rocks/fault_env.h"

namespace parley::log {

/// For tests: an EmbeddedLog on a FaultDisk, with verbs.
class LogFixture : public testing::Test {
public:
    using Answer = Result<std::vector<Appended>>;

    EmbeddedLogOptions options() {
        EmbeddedLogOptions out;
        out.data_dir = dir_.path();
        out.env = disk_.env();
        out.on_trouble = [this](const std::string& reason) { trouble_ = reason; };
        return out;
    }
    void open() { open(options()); }
    void open(EmbeddedLogOptions with) {
        log_.reset();
        auto opened = EmbeddedLog::open(std::move(with), clock_);
        ASSERT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message);
        log_ = std::move(*opened);
    }
    std::string open_error() {
        log_.reset();
        auto opened = EmbeddedLog::open(options(), clock_);
        return opened ? std::string{} : opened.error().message;
    }

    static RoomId room(const std::string& id) { return RoomId::trusted(id); }
    static Draft draft(const std::string& id, const std::string& content = "hello") {
        Draft out;
        out.sender = MemberId::trusted("u-1");
        out.nickname = "Alice";
        out.id = MessageId::trusted(id);
        out.content = content;
        return out;
    }
    std::future<Answer> send(const std::string& to, const std::string& id, const std::string& content = "hello") {
        auto promise = std::make_shared<std::promise<Answer>>();
        std::vector<Draft> drafts;
        drafts.push_back(draft(id, content));
        log_->append({room(to), std::move(drafts)},
                     [promise](Answer answer) { promise->set_value(std::move(answer)); });
        return promise->get_future();
    }
    Answer put(const std::string& to, const std::string& id, const std::string& content = "hello") {
        return send(to, id, content).get();
    }
    /// m1 … mN, all answered.
    void fill(const std::string& to, int count, const std::string& content = "hello") {
        std::vector<std::future<Answer>> answers;
        for (int i = 1; i <= count; ++i) answers.push_back(send(to, "m" + std::to_string(i), content));
        for (auto& answer : answers) ASSERT_TRUE(answer.get().has_value());
    }
    RoomHead head(const std::string& of) {
        const auto out = log_->head(room(of));
        EXPECT_TRUE(out.has_value()) << (out ? "" : out.error().message);
        return out ? *out : RoomHead{};
    }
    /// Every id kept in the room, in order; fails the test on a hole.
    std::vector<std::string> ids(const std::string& of) {
        std::vector<std::string> out;
        const auto page = log_->read(room(of), {0}, 1'000'000, 1_GiB);
        EXPECT_TRUE(page.has_value()) << (page ? "" : page.error().message);
        if (!page) return out;
        std::uint64_t seq = page->at.first.value;
        for (const auto& message : page->messages) {
            EXPECT_EQ(message->seq.value, seq++);
            out.push_back(message->id.str());
        }
        EXPECT_EQ(seq, page->at.head.value + 1);
        return out;
    }
    [[nodiscard]] std::string store_path() const { return dir_.path() + "/log"; }
    /// What a power cut and the next start leave.
    void power_cycle(std::size_t torn = 0) {
        disk_.cut_power();
        log_.reset();
        disk_.restore_power(torn);
        open();
    }

    TempDir dir_;
    ManualClock clock_;
    rocks::FaultDisk disk_;
    std::string trouble_ = "never";
    std::unique_ptr<EmbeddedLog> log_;
};

}  // namespace parley::log
