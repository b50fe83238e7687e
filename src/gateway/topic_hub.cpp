#include "gateway/topic_hub.h"

#include <memory>

#include "gateway/stomp_session.h"

namespace parley::gateway {

void TopicHub::add(StompSubscription& subscription, StompSession& session) {
    topics_[subscription.topic()].push_back({&subscription, &session});
}

void TopicHub::remove(const StompSubscription& subscription) {
    const auto topic = topics_.find(subscription.topic());
    if (topic == topics_.end()) return;
    std::erase_if(topic->second, [&](const Entry& entry) { return entry.subscription == &subscription; });
    if (topic->second.empty()) topics_.erase(topic);
}

TopicHub::Message TopicHub::message_of(const wire::StompFrame& frame) {
    Message message;
    message.destination = frame.find("destination").value_or("");
    message.body = frame.body;
    for (const auto& header : frame.headers) {
        // What concerns this SEND alone, and what the server writes itself.
        if (header.name == "receipt" || header.name == "transaction" || header.name == "content-length" ||
            header.name == "subscription" || header.name == "message-id" || header.name == "ack") {
            continue;
        }
        message.headers.emplace_back(header.name, header.value);
    }
    return message;
}

void TopicHub::publish(Message sent) {
    const auto message = std::make_shared<const Message>(std::move(sent));
    for (std::size_t i = 0; i < runtime_.size(); ++i) {
        runtime_.loop(i).post([&hubs = hubs_, i, message] {
            if (hubs[i] != nullptr) hubs[i]->deliver(*message);
        });
    }
}

void TopicHub::deliver(const Message& message) {
    const auto topic = topics_.find(message.destination);
    if (topic == topics_.end()) return;
    const std::vector<Entry> entries = topic->second;
    for (const Entry& entry : entries) {
        if (entry.subscription->can_take() == 0) continue;
        const std::string seq = std::to_string(entry.subscription->track().value);
        const std::string id = entry.subscription->id() + ':' + seq;
        std::vector<wire::StompHeader> headers;
        for (const auto& [name, value] : message.headers) headers.push_back({name, value});
        headers.push_back({"subscription", entry.subscription->id()});
        headers.push_back({"message-id", id});
        if (entry.subscription->mode() != AckMode::kAuto) headers.push_back({"ack", id});
        entry.session->send("MESSAGE", headers, message.body);
    }
}

}  // namespace parley::gateway
