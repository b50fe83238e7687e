#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "rt/runtime.h"
#include "wire/stomp_decoder.h"

namespace parley::gateway {

class StompSession;
class StompSubscription;

/// The broker profile's topics: what a client SENDs to `/topic/x` goes to every subscriber of it as it is. Nothing is
/// stored.
///
/// Thread: core-local; publish() reaches the hubs of the other cores through their mailboxes.
/// Limit:  a subscriber that cannot take misses the message: there is no log behind it.
class TopicHub {
public:
    /// `hubs`: one per loop, by index; filled before the first session.
    TopicHub(rt::Runtime& runtime, std::vector<TopicHub*>& hubs) : runtime_(runtime), hubs_(hubs) {}

    void add(StompSubscription& subscription, StompSession& session);
    void remove(const StompSubscription& subscription);

    struct Message {
        std::string destination;
        std::vector<std::pair<std::string, std::string>> headers;
        std::string body;
    };
    /// What of a SEND its subscribers get.
    [[nodiscard]] static Message message_of(const wire::StompFrame& frame);
    void publish(Message message);

private:
    struct Entry {
        StompSubscription* subscription;
        StompSession* session;
    };
    void deliver(const Message& message);

    rt::Runtime& runtime_;
    std::vector<TopicHub*>& hubs_;
    std::unordered_map<std::string, std::vector<Entry>> topics_;
};

}  // namespace parley::gateway
