#include "adapters/kafka/client.h"

#include <librdkafka/rdkafka.h>

#include <array>

#include "base/logger.h"

namespace parley::kafka {
namespace {

/// What both kinds have. Connections that fail are tried again soon, and nothing hangs on a broker that is silent.
const Client::Properties kStandards{
    {"client.id", "parley"},
    {"allow.auto.create.topics", "false"},
    {"log.connection.close", "false"},
    {"log.queue", "true"},
    {"reconnect.backoff.ms", "100"},
    {"reconnect.backoff.max.ms", "1000"},
    {"socket.connection.setup.timeout.ms", "3000"},
    {"socket.timeout.ms", "5000"},
    {"socket.keepalive.enable", "true"},
    {"topic.metadata.refresh.interval.ms", "30000"},
};

struct Conf {
    Conf() : conf(rd_kafka_conf_new()) {}
    ~Conf() {
        if (conf != nullptr) rd_kafka_conf_destroy(conf);
    }
    Conf(const Conf&) = delete;
    Conf& operator=(const Conf&) = delete;
    rd_kafka_conf_t* conf;
};

Result<> set(Conf& to, const Client::Properties& properties) {
    std::array<char, 512> why{};
    for (const auto& [name, value] : properties) {
        if (rd_kafka_conf_set(to.conf, name.c_str(), value.c_str(), why.data(), why.size()) == RD_KAFKA_CONF_OK)
            continue;
        // librdkafka repeats a wrong value; one of the operator's may be a password.
        return fail(Code::kBadRequest, "Kafka: the property " + name + " is unknown or its value is not one it takes");
    }
    return {};
}

}  // namespace

Error unavailable(std::string_view sentence) { return {Code::kStoreUnavailable, "Kafka: " + std::string{sentence}}; }

Error error_of(int code) {
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return {Code::kMessageTooLarge, "the message is larger than a record of the topic may be"};
    return unavailable(rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code)));
}

struct Client::Calls {
    static Client& of(void* opaque) { return *static_cast<Client*>(opaque); }

    static void error(rd_kafka_t* /*client*/, int code, const char* reason, void* opaque) {
        Client& self = of(opaque);
        // "All brokers are down" hides which and why.
        if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
        const std::lock_guard lock{self.mutex_};
        self.trouble_ = reason;
    }
    static void log(const rd_kafka_t* /*client*/, int /*level*/, const char* /*facility*/, const char* text) {
        logger::debug("kafka", text);
    }
    static void delivered(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
        Client& self = of(opaque);
        const auto number = reinterpret_cast<std::uintptr_t>(message->_private);
        const auto partition = static_cast<std::uint32_t>(message->partition);
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            const Error why = error_of(message->err);
            self.listener_->on_delivered(number, partition, &why);
            return;
        }
        {
            const std::lock_guard lock{self.mutex_};
            self.trouble_.clear();
        }
        self.listener_->on_delivered(number, partition, nullptr);
    }
    static void rebalance(rd_kafka_t* client, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions,
                          void* opaque) {
        Client& self = of(opaque);
        rd_kafka_error_t* error = nullptr;
        if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
            self.listener_->on_assigned(*partitions);
            error = rd_kafka_incremental_assign(client, partitions);
            // They are read by another client, which no member's comings and goings touch.
            rd_kafka_pause_partitions(client, partitions);
        } else {
            self.listener_->on_revoked(*partitions);
            error = rd_kafka_incremental_unassign(client, partitions);
        }
        if (error == nullptr) return;
        logger::warn("kafka", "a group's partitions could not be taken", {{"why", rd_kafka_error_string(error)}});
        rd_kafka_error_destroy(error);
    }
};

Result<std::unique_ptr<Client>> Client::open(Kind kind, const Settings& settings, Properties more, Listener* listener) {
    std::unique_ptr<Client> client{new Client};
    client->listener_ = listener;
    Conf conf;
    more.emplace_back("bootstrap.servers", settings.brokers);
    for (const auto* properties : {&kStandards, &std::as_const(more), &settings.properties}) {
        if (auto done = set(conf, *properties); !done) return fail(done.error());
    }
    rd_kafka_conf_set_opaque(conf.conf, client.get());
    rd_kafka_conf_set_error_cb(conf.conf, &Calls::error);
    rd_kafka_conf_set_log_cb(conf.conf, &Calls::log);
    if (kind == Kind::kProducer) rd_kafka_conf_set_dr_msg_cb(conf.conf, &Calls::delivered);
    if (kind == Kind::kConsumer && listener != nullptr) rd_kafka_conf_set_rebalance_cb(conf.conf, &Calls::rebalance);
    std::array<char, 512> why{};
    const auto type = kind == Kind::kProducer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
    client->handle_ = rd_kafka_new(type, conf.conf, why.data(), why.size());
    if (client->handle_ == nullptr) return fail(Code::kBadRequest, std::string{"Kafka: "} + why.data());
    conf.conf = nullptr;                               // the client's now
    rd_kafka_set_log_queue(client->handle_, nullptr);  // told where it is polled, not on librdkafka's threads
    return client;
}

Client::~Client() {
    if (handle_ != nullptr) rd_kafka_destroy(handle_);
}

std::string Client::trouble() const {
    const std::lock_guard lock{mutex_};
    if (!trouble_.empty()) return ": " + trouble_;
    // It may have ended before what it says of that was polled.
    std::array<char, 512> why{};
    if (handle_ == nullptr || rd_kafka_fatal_error(handle_, why.data(), why.size()) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return {};
    return std::string{": "} + why.data();
}

bool Client::is_dead() const {
    std::array<char, 8> ignored{};
    return rd_kafka_fatal_error(handle_, ignored.data(), ignored.size()) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace parley::kafka
