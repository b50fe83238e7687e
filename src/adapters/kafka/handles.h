#pragma once
#include <librdkafka/rdkafka.h>

#include <memory>

/// librdkafka's things, each freed by its own function. For .cpp files alone: it includes librdkafka.
namespace parley::kafka {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* thing) const {
        Free(thing);
    }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Freed<&rd_kafka_metadata_destroy>>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, Freed<&rd_kafka_topic_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Freed<&rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Freed<&rd_kafka_event_destroy>>;
using Options = std::unique_ptr<rd_kafka_AdminOptions_t, Freed<&rd_kafka_AdminOptions_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Freed<&rd_kafka_NewTopic_destroy>>;
using Resource = std::unique_ptr<rd_kafka_ConfigResource_t, Freed<&rd_kafka_ConfigResource_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, Freed<&rd_kafka_topic_partition_list_destroy>>;

}  // namespace parley::kafka
