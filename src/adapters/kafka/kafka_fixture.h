#pragma once
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../tests/contract/service.h"
#include "adapters/kafka/client.h"
#include "adapters/kafka/handles.h"
#include "adapters/kafka/kafka_log.h"
#include "adapters/kafka/table_writer.h"
#include "base/temp_dir.h"
#include "log/embedded_table.h"

namespace parley::kafka {

using namespace std::literals;

/// The one broker of this test program.
inline contract::Service& broker() {
    static auto* const service = new contract::Service{"kafka"};
    return *service;
}

/// Settings for a topic of its own at that broker.
inline Settings fresh_settings(const std::string& brokers, std::uint32_t partitions = 3) {
    static std::atomic<int> count{0};
    Settings settings;
    settings.brokers = brokers;
    settings.topic = "test-" + std::to_string(++count);
    settings.group_prefix = settings.topic + ".";
    settings.partitions = partitions;
    settings.retention = 24h * 365 * 100;
    return settings;
}

/// One Parley server's log, with verbs.
class Node {
public:
    using Answer = Result<std::vector<log::Appended>>;

    Node(const Settings& settings, log::MessageTable& table, KafkaLogOptions options = {}) {
        auto log = KafkaLog::open(settings, std::move(options), table, clock_);
        if (!log) throw std::runtime_error{log.error().message};
        log_ = std::move(*log);
        log_->on_commit([this](std::span<const MessageRef> messages) {
            const std::lock_guard lock{mutex_};
            for (const auto& message : messages) heard_[message->room.str()].push_back(message);
            arrived_.notify_all();
        });
    }
    KafkaLog& log() { return *log_; }
    std::future<Answer> send(const std::string& room, const std::string& sender, const std::string& id,
                             const std::string& content = "hello") {
        Draft draft;
        draft.sender = MemberId::trusted(sender);
        draft.nickname = "앨리스";
        draft.id = MessageId::trusted(id);
        draft.content = content;
        auto promise = std::make_shared<std::promise<Answer>>();
        auto future = promise->get_future();
        log_->append({RoomId::trusted(room), {std::move(draft)}},
                     [promise](Answer answer) { promise->set_value(std::move(answer)); });
        return future;
    }
    /// Tries until it is stored, as a client does. Error: not within 40 s.
    Answer insist(const std::string& room, const std::string& sender, const std::string& id) {
        const auto end = std::chrono::steady_clock::now() + 40s;
        for (;;) {
            auto answer = send(room, sender, id).get();
            if (answer || std::chrono::steady_clock::now() > end) return answer;
            EXPECT_EQ(answer.error().code, Code::kStoreUnavailable);
            std::this_thread::yield();
        }
    }
    /// What this server's subscribers of the room were told, once there are `count`.
    std::vector<MessageRef> heard(const std::string& room, std::size_t count) {
        std::unique_lock lock{mutex_};
        EXPECT_TRUE(arrived_.wait_for(lock, 30s, [&] { return heard_[room].size() >= count; }))
            << heard_[room].size() << " of " << count;
        return heard_[room];
    }
    /// Everything in the room, checked to be dense and in the order of time.
    std::vector<MessageRef> all(const std::string& room) {
        const auto page = log_->read(RoomId::trusted(room), {0}, 1'000'000, 1_GiB);
        EXPECT_TRUE(page.has_value()) << (page ? "" : page.error().message);
        if (!page) return {};
        std::uint64_t seq = 0;
        WallTime last{};
        for (const auto& message : page->messages) {
            EXPECT_EQ(message->seq.value, ++seq);
            EXPECT_GE(message->created_at, last);
            last = message->created_at;
        }
        EXPECT_EQ(seq, page->at.head.value);
        return page->messages;
    }

private:
    SystemClock clock_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::map<std::string, std::vector<MessageRef>> heard_;
    std::unique_ptr<KafkaLog> log_;
};

/// A table in a folder of its own.
struct OwnTable {
    OwnTable() {
        auto opened = log::EmbeddedTable::open(dir.path(), clock);
        EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message);
        table = std::move(*opened);
    }
    TempDir dir;
    SystemClock clock;
    std::unique_ptr<log::EmbeddedTable> table;
};

/// What open() says; empty: it opened.
inline std::string refusal(const Settings& settings, log::MessageTable& table) {
    const SystemClock clock;
    const auto log = KafkaLog::open(settings, {}, table, clock);
    return log ? "" : log.error().message;
}

/// The topic as somebody else made it.
inline void make_topic(const Settings& settings, int replication,
                       const std::vector<std::pair<const char*, const char*>>& configs) {
    const auto client = std::move(*Client::open(Client::Kind::kConsumer, settings, {}, nullptr));
    rd_kafka_NewTopic_t* topic =
        rd_kafka_NewTopic_new(settings.topic.c_str(), static_cast<int>(settings.partitions), replication, nullptr, 0);
    for (const auto& [name, value] : configs) rd_kafka_NewTopic_set_config(topic, name, value);
    rd_kafka_queue_t* const queue = rd_kafka_queue_new(client->get());
    rd_kafka_CreateTopics(client->get(), &topic, 1, nullptr, queue);
    rd_kafka_event_t* const event = rd_kafka_queue_poll(queue, 10'000);
    ASSERT_NE(event, nullptr);
    EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
}

inline void remove_topic(const Settings& settings) {
    const auto client = std::move(*Client::open(Client::Kind::kConsumer, settings, {}, nullptr));
    rd_kafka_DeleteTopic_t* order = rd_kafka_DeleteTopic_new(settings.topic.c_str());
    const Queue queue{rd_kafka_queue_new(client->get())};
    rd_kafka_DeleteTopics(client->get(), &order, 1, nullptr, queue.get());
    const Event event{rd_kafka_queue_poll(queue.get(), 30'000)};
    ASSERT_NE(event, nullptr);
    EXPECT_EQ(rd_kafka_event_error(event.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_DeleteTopic_destroy(order);
}

/// As retention does it.
inline void remove_before(const Settings& settings, std::uint32_t partition, std::int64_t offset) {
    const auto client = std::move(*Client::open(Client::Kind::kConsumer, settings, {}, nullptr));
    const PartitionList list{rd_kafka_topic_partition_list_new(1)};
    rd_kafka_topic_partition_list_add(list.get(), settings.topic.c_str(), static_cast<std::int32_t>(partition))
        ->offset = offset;
    rd_kafka_DeleteRecords_t* order = rd_kafka_DeleteRecords_new(list.get());
    const Queue queue{rd_kafka_queue_new(client->get())};
    rd_kafka_DeleteRecords(client->get(), &order, 1, nullptr, queue.get());
    const Event event{rd_kafka_queue_poll(queue.get(), 30'000)};
    ASSERT_NE(event, nullptr);
    EXPECT_EQ(rd_kafka_event_error(event.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_DeleteRecords_destroy(order);
}

inline std::vector<std::string> ids(const std::vector<MessageRef>& messages) {
    std::vector<std::string> out;
    for (const auto& message : messages) out.push_back(message->id.str());
    return out;
}

}  // namespace parley::kafka
