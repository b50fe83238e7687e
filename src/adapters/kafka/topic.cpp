#include "adapters/kafka/topic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <span>
#include <thread>

#include "adapters/kafka/handles.h"
#include "base/logger.h"

namespace parley::kafka {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kBetweenLooks{50};
/// Room for a transaction of 512 KiB whose every byte JSON escapes.
constexpr const char* kLargestRecord = "4194304";

int limit_of(const Settings& settings) { return static_cast<int>(settings.connect_limit.count()); }

/// What brokers say of the topic. Error: none of them answers.
Result<Metadata> look_up(Client& client, const Settings& settings) {
    const TopicHandle topic{rd_kafka_topic_new(client.get(), settings.topic.c_str(), nullptr)};
    const rd_kafka_metadata_t* raw = nullptr;
    const auto code = rd_kafka_metadata(client.get(), 0, topic.get(), &raw, limit_of(settings));
    Metadata found{raw};
    rd_kafka_poll(client.get(), 0);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return found;
    return fail(unavailable(
        fmt::format("{} cannot be reached: {}{}", settings.brokers, rd_kafka_err2str(code), client.trouble())));
}

class Opening {
public:
    Opening(Client& client, const Settings& settings)
        : client_(client), settings_(settings), end_(steady_clock::now() + settings.connect_limit) {}

    Result<TopicFacts> run() {
        auto replicas = wait_for_leaders();
        if (!replicas) return fail(replicas.error());
        // A topic that was just made is not known to all brokers at once.
        if (auto checked = patiently([&] { return check_settings(*replicas); }); !checked) return fail(checked.error());
        if (*replicas < static_cast<int>(settings_.replication) && *replicas < brokers_)
            logger::warn("kafka",
                         "the topic has fewer replicas than it could have; docs/kafka.md says how it gets more",
                         {{"topic", settings_.topic}, {"replicas", *replicas}, {"brokers", brokers_}});
        TopicFacts facts;
        for (std::uint32_t partition = 0; partition < partitions_; ++partition) {
            const auto at = range(partition);
            if (!at) return fail(at.error());
            facts.partitions.push_back(*at);
        }
        if (char* const id = rd_kafka_clusterid(client_.get(), limit_of(settings_)); id != nullptr) {
            facts.cluster = id;
            rd_kafka_mem_free(client_.get(), id);
        }
        return facts;
    }

    Result<TopicFacts::Range> range(std::uint32_t partition) {
        return patiently([&]() -> Result<TopicFacts::Range> {
            const auto begin = offset_at(partition, RD_KAFKA_OFFSET_BEGINNING);
            if (!begin) return fail(begin.error());
            const auto end = offset_at(partition, RD_KAFKA_OFFSET_END);
            if (!end) return fail(end.error());
            return TopicFacts::Range{*begin, *end};
        });
    }

    Result<TopicFacts::Range> range_up_to(std::uint32_t partition, std::uint64_t known) {
        for (;;) {
            const auto at = range(partition);
            if (!at || at->end >= known || steady_clock::now() >= end_) return at;
            std::this_thread::sleep_for(kBetweenLooks);
        }
    }

private:
    template <class Try>
    std::invoke_result_t<Try&> patiently(Try one_try) {
        for (;;) {
            passing_ = false;
            auto answer = one_try();
            if (answer || !passing_ || steady_clock::now() >= end_) return answer;
            std::this_thread::sleep_for(kBetweenLooks);
        }
    }

    /// Not by rd_kafka_query_watermark_offsets(), which before librdkafka 2.3 waits for a broker that is gone for ever.
    Result<std::uint64_t> offset_at(std::uint32_t partition, std::int64_t which) {
        const PartitionList one{rd_kafka_topic_partition_list_new(1)};
        rd_kafka_topic_partition_list_add(one.get(), settings_.topic.c_str(), static_cast<std::int32_t>(partition))
            ->offset = which;
        auto code = rd_kafka_offsets_for_times(client_.get(), one.get(), limit_of(settings_));
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = one->elems[0].err;
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(failed("its offsets cannot be read", code));
        return static_cast<std::uint64_t>(one->elems[0].offset);
    }

    Error failed(std::string_view what, rd_kafka_resp_err_t code) {
        passing_ = is_passing(code);
        return unavailable(fmt::format("topic {}: {}: {}{}", settings_.topic, what, rd_kafka_err2str(code), trouble()));
    }
    std::string trouble() const {
        rd_kafka_poll(client_.get(), 0);
        return client_.trouble();
    }

    /// Makes the topic where it is missing. The least number of replicas that a partition has.
    Result<int> wait_for_leaders() {
        for (bool asked_to_make = false;;) {
            const auto found = look_up(client_, settings_);
            if (!found) return fail(found.error());
            brokers_ = (*found)->broker_cnt;
            const auto& about = (*found)->topics[0];
            const bool missing = about.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
            if (missing && !asked_to_make) {
                if (auto made = make((*found)->broker_cnt); !made) return fail(made.error());
                asked_to_make = true;
            } else if (about.err == RD_KAFKA_RESP_ERR_NO_ERROR && has_leaders(about)) {
                partitions_ = static_cast<std::uint32_t>(about.partition_cnt);
                int replicas = about.partitions[0].replica_cnt;
                for (int i = 1; i < about.partition_cnt; ++i)
                    replicas = std::min(replicas, about.partitions[i].replica_cnt);
                return replicas;
            } else if (about.err != RD_KAFKA_RESP_ERR_NO_ERROR && !missing && !is_passing(about.err)) {
                return fail(failed("it cannot be used", about.err));
            }
            if (steady_clock::now() >= end_)
                return fail(
                    failed("it is not there yet", about.err != 0 ? about.err : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE));
            std::this_thread::sleep_for(kBetweenLooks);
        }
    }
    static bool is_passing(rd_kafka_resp_err_t code) {
        return code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
               code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
    }
    static bool has_leaders(const rd_kafka_metadata_topic_t& topic) {
        const std::span partitions{topic.partitions, static_cast<std::size_t>(topic.partition_cnt)};
        return !partitions.empty() &&
               std::all_of(partitions.begin(), partitions.end(), [](const auto& one) { return one.leader >= 0; });
    }

    Result<> make(int brokers) {
        const int replication = std::min(static_cast<int>(settings_.replication), brokers);
        std::array<char, 512> why{};
        const NewTopic topic{rd_kafka_NewTopic_new(settings_.topic.c_str(), static_cast<int>(settings_.partitions),
                                                   replication, why.data(), why.size())};
        if (topic == nullptr) return fail(Code::kBadRequest, std::string{"Kafka: "} + why.data());
        const std::string retention = std::to_string(settings_.retention.count());
        rd_kafka_NewTopic_set_config(topic.get(), "cleanup.policy", "delete");
        rd_kafka_NewTopic_set_config(topic.get(), "retention.ms", retention.c_str());
        rd_kafka_NewTopic_set_config(topic.get(), "max.message.bytes", kLargestRecord);
        rd_kafka_NewTopic_set_config(topic.get(), "unclean.leader.election.enable", "false");
        rd_kafka_NewTopic_set_config(topic.get(), "min.insync.replicas", replication >= 3 ? "2" : "1");
        std::array<rd_kafka_NewTopic_t*, 1> topics{topic.get()};
        const auto event = ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, [&](const auto* options, auto* queue) {
            rd_kafka_CreateTopics(client_.get(), topics.data(), topics.size(), options, queue);
        });
        if (!event) return fail(event.error());
        std::size_t count = 0;
        const auto* const* const made =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
        const auto code = count == 1 ? rd_kafka_topic_result_error(made[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
        // Another server was quicker.
        if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return {};
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(failed("it is missing and cannot be made", code));
        logger::info("kafka", "the topic was made",
                     {{"topic", settings_.topic}, {"partitions", settings_.partitions}, {"replication", replication}});
        if (replication < static_cast<int>(settings_.replication))
            logger::warn(
                "kafka", "fewer brokers answer than kafka.replication asks for; the topic keeps that many replicas",
                {{"topic", settings_.topic}, {"replicas", replication}, {"kafka.replication", settings_.replication}});
        return {};
    }

    Result<> check_settings(int replicas) {
        const Resource resource{rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, settings_.topic.c_str())};
        std::array<rd_kafka_ConfigResource_t*, 1> resources{resource.get()};
        const auto event = ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, [&](const auto* options, auto* queue) {
            rd_kafka_DescribeConfigs(client_.get(), resources.data(), resources.size(), options, queue);
        });
        if (!event) return fail(event.error());
        std::size_t count = 0;
        const auto* const* const described =
            rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event->get()), &count);
        if (const auto code = rd_kafka_ConfigResource_error(described[0]); code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return fail(failed("its settings cannot be read", code));
        const auto* const* const entries = rd_kafka_ConfigResource_configs(described[0], &count);
        std::map<std::string, std::string> values;
        for (std::size_t i = 0; i < count; ++i) {
            const char* const value = rd_kafka_ConfigEntry_value(entries[i]);
            values[rd_kafka_ConfigEntry_name(entries[i])] = value != nullptr ? value : "";
        }
        const auto refuse = [&](const std::string& name, std::string_view why) {
            return fail(Code::kBadRequest,
                        fmt::format("Kafka: topic {} has {}={}: {}", settings_.topic, name, values[name], why));
        };
        if (values["cleanup.policy"] != "delete")
            return refuse("cleanup.policy", "records would vanish from the middle; it has to be delete");
        if (values["unclean.leader.election.enable"] != "false")
            return refuse("unclean.leader.election.enable", "acknowledged messages could be lost; it has to be false");
        const std::string& in_sync = values["min.insync.replicas"];
        if (replicas >= 3 && (in_sync.empty() || in_sync == "0" || in_sync == "1"))
            return refuse("min.insync.replicas",
                          "acknowledged messages could be lost with one broker; with three "
                          "replicas it has to be 2 or more");
        return {};
    }

    template <class Send>
    Result<Event> ask(rd_kafka_admin_op_t operation, Send send) {
        const Options options{rd_kafka_AdminOptions_new(client_.get(), operation)};
        std::array<char, 512> why{};
        rd_kafka_AdminOptions_set_request_timeout(options.get(), limit_of(settings_), why.data(), why.size());
        const Queue queue{rd_kafka_queue_new(client_.get())};
        send(options.get(), queue.get());
        Event event{rd_kafka_queue_poll(queue.get(), 2 * limit_of(settings_))};
        if (event == nullptr) return fail(unavailable(settings_.brokers + " does not answer" + trouble()));
        if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return fail(failed(operation == RD_KAFKA_ADMIN_OP_CREATETOPICS ? "it is missing and cannot be made"
                                                                           : "its settings cannot be read",
                               code));
        return event;
    }

    Client& client_;
    const Settings& settings_;
    const steady_clock::time_point end_;
    std::uint32_t partitions_ = 0;
    int brokers_ = 0;
    bool passing_ = false;  ///< the last failure was one of a cluster in motion
};

}  // namespace

Result<TopicFacts> open_topic(Client& client, const Settings& settings) { return Opening{client, settings}.run(); }

Result<std::uint32_t> partitions_of(const Settings& settings) {
    const auto client = Client::open(Client::Kind::kConsumer, settings, {}, nullptr);
    if (!client) return fail(client.error());
    const auto found = look_up(**client, settings);
    if (!found) return fail(found.error());
    const auto& about = (*found)->topics[0];
    if (about.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return fail(Code::kNotFound, fmt::format("Kafka: there is no topic {}", settings.topic));
    if (about.err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(
            unavailable(fmt::format("topic {}: it cannot be used: {}", settings.topic, rd_kafka_err2str(about.err))));
    return static_cast<std::uint32_t>(about.partition_cnt);
}

Result<TopicFacts::Range> range_of(Client& client, const Settings& settings, std::uint32_t partition,
                                   std::uint64_t known) {
    return Opening{client, settings}.range_up_to(partition, known);
}

}  // namespace parley::kafka
