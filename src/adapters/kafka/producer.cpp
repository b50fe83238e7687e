#include "adapters/kafka/producer.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include "adapters/kafka/murmur2.h"
#include "base/logger.h"

namespace parley::kafka {
namespace {

constexpr int kPollMs = 50;
constexpr int kLastFlushMs = 100;

}  // namespace

Result<std::unique_ptr<Producer>> Producer::open(const Settings& settings, std::uint32_t partitions, Sent sent) {
    std::unique_ptr<Producer> producer{new Producer{settings, partitions, std::move(sent)}};
    auto client = producer->make_client();
    if (!client) return fail(client.error());
    producer->client_ = std::move(*client);
    producer->thread_ = std::thread{[self = producer.get()] { self->run(); }};
    return producer;
}

Producer::~Producer() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    if (client_ == nullptr) return;
    rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(client_->get(), kLastFlushMs);
}

Result<std::unique_ptr<Client>> Producer::make_client() {
    const Client::Properties properties{
        {"acks", "all"},
        {"enable.idempotence", "true"},
        {"message.send.max.retries", "2"},
        {"retry.backoff.ms", "1000"},
        {"request.timeout.ms", "1500"},
        {"message.timeout.ms", "4500"},
        {"linger.ms", std::to_string(settings_.linger.count())},
        {"batch.size", std::to_string(settings_.batch.count)},
        {"compression.type", settings_.compression},
        {"message.max.bytes", "4194304"},
        // What may wait is bounded in bytes by who sends.
        {"queue.buffering.max.messages", "1000000"},
        {"queue.buffering.max.kbytes", "524288"},
    };
    return Client::open(Client::Kind::kProducer, settings_, properties, this);
}

void Producer::send(const OutRecord& record, std::uint64_t number) {
    const std::shared_lock lock{client_mutex_};
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers)
        rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                            static_cast<ssize_t>(value.size()));
    const std::uint32_t partition = partition_of(record.key, partitions_);
    const rd_kafka_resp_err_t code = rd_kafka_producev(
        client_->get(), RD_KAFKA_V_TOPIC(settings_.topic.c_str()),
        RD_KAFKA_V_PARTITION(static_cast<std::int32_t>(partition)), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
        RD_KAFKA_V_TIMESTAMP(record.timestamp.time_since_epoch().count()), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::uintptr_t>(number))), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    rd_kafka_headers_destroy(headers);
    const Error why = error_of(code);
    sent_(number, partition, &why);
}

void Producer::on_delivered(std::uint64_t number, std::uint32_t partition, const Error* why) {
    if (why == nullptr) {
        sent_(number, partition, nullptr);
        return;
    }
    const Error with_reason{why->code, why->message + (ended_.empty() ? client_->trouble() : ended_)};
    sent_(number, partition, &with_reason);
}

void Producer::run() {
    ::pthread_setname_np(::pthread_self(), "kafka-sent");
    while (!stopping_) {
        rd_kafka_poll(client_->get(), kPollMs);
        if (client_->is_dead()) replace();
    }
}

/// What it had is told as failed; a sender's retry is recognised whether it was stored or not.
void Producer::replace() {
    logger::warn("kafka", "the producer ended and is made anew");
    auto next = make_client();
    if (!next) return;
    std::unique_ptr<Client> old;
    {
        const std::unique_lock lock{client_mutex_};
        old = std::exchange(client_, std::move(*next));
    }
    ended_ = old->trouble();
    rd_kafka_purge(old->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(old->get(), kLastFlushMs);
    ended_.clear();
}

}  // namespace parley::kafka
