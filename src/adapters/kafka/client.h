#pragma once
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/kafka/settings.h"

struct rd_kafka_s;
struct rd_kafka_message_s;
struct rd_kafka_topic_partition_list_s;

namespace parley::kafka {

/// One librdkafka instance: its threads, its connections, and what it says about them.
///
/// Thread: any, as librdkafka; callbacks come from where it is polled.
/// Fails:  open() for a property that librdkafka does not know or take, in its words.
class Client {
public:
    enum class Kind : std::uint8_t { kProducer, kConsumer };
    using Properties = std::vector<std::pair<std::string, std::string>>;
    /// Who is told; outlives the client.
    class Listener {
    public:
        virtual ~Listener() = default;
        /// A record was stored by all replicas in sync, or not (then `why` is not null).
        virtual void on_delivered(std::uint64_t /*number*/, std::uint32_t /*partition*/, const Error* /*why*/) {}
        /// Of a group's partitions; nothing is fetched of them here.
        virtual void on_assigned(rd_kafka_topic_partition_list_s& /*partitions*/) {}
        virtual void on_revoked(rd_kafka_topic_partition_list_s& /*partitions*/) {}
    };

    /// `more` goes over our standards, the settings' own properties over both.
    static Result<std::unique_ptr<Client>> open(Kind kind, const Settings& settings, Properties more,
                                                Listener* listener);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] rd_kafka_s* get() const noexcept { return handle_; }
    /// What is wrong with the connections, as librdkafka told it last to who polls: `: 127.0.0.1:9092: Connection
    /// refused`, or empty.
    [[nodiscard]] std::string trouble() const;
    /// Leaves it to the end of the process, threads and all.
    void abandon() { handle_ = nullptr; }
    /// It cannot go on and must be made anew.
    [[nodiscard]] bool is_dead() const;

private:
    struct Calls;  // librdkafka's callbacks
    Client() = default;

    rd_kafka_s* handle_ = nullptr;
    Listener* listener_ = nullptr;
    mutable std::mutex mutex_;
    std::string trouble_;
};

/// What librdkafka's code says about a record: kMessageTooLarge, else kStoreUnavailable.
[[nodiscard]] Error error_of(int code);
/// kStoreUnavailable: `Kafka: ` and the sentence.
[[nodiscard]] Error unavailable(std::string_view sentence);

}  // namespace parley::kafka
