#include "adapters/kafka/dead_letter_topic.h"

#include "adapters/kafka/record.h"
#include "adapters/kafka/topic.h"

namespace parley::kafka {

DeadLetterTopic::DeadLetterTopic(Settings settings, std::string topic, const Clock& clock)
    : settings_(std::move(settings)), clock_(clock) {
    settings_.topic = std::move(topic);
}

Result<> DeadLetterTopic::open() {
    if (producer_ != nullptr) return {};
    const auto client = Client::open(Client::Kind::kConsumer, settings_, {}, nullptr);
    if (!client) return fail(client.error());
    const auto topic = open_topic(**client, settings_);
    if (!topic) return fail(topic.error());
    auto producer = Producer::open(settings_, static_cast<std::uint32_t>(topic->partitions.size()),
                                   [this](std::uint64_t, std::uint32_t, const Error* why) {
                                       const auto sent = sent_;
                                       sent->set_value(why == nullptr ? Result<>{} : fail(*why));
                                   });
    if (!producer) return fail(producer.error());
    producer_ = std::move(*producer);
    return {};
}

Result<> DeadLetterTopic::put(const std::string& role, const Message& message, const std::string& reason) {
    const std::lock_guard lock{mutex_};
    if (auto opened = open(); !opened) return opened;
    OutRecord record = encode({message.room, {static_cast<const Draft&>(message)}}, message.created_at, {});
    record.headers.emplace_back("role", role);
    record.headers.emplace_back("reason", reason);
    record.headers.emplace_back("seq", std::to_string(message.seq.value));
    record.headers.emplace_back("at", format_iso(clock_.wall()));
    record.timestamp = clock_.wall();
    auto sent = send(record);
    if (sent || sent.error().code != Code::kMessageTooLarge) return sent;
    record.value.clear();
    return send(record);
}

Result<> DeadLetterTopic::send(const OutRecord& record) {
    sent_ = std::make_shared<std::promise<Result<>>>();
    auto sent = sent_->get_future();
    producer_->send(record, 0);
    return sent.get();
}

}  // namespace parley::kafka
