#include "adapters/kafka/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace parley::kafka {
namespace {

/// What would lose, double or reorder messages, or has a key of its own; under each of its names.
constexpr auto kOurs = std::to_array<std::string_view>({
    "acks",
    "allow.auto.create.topics",
    "api.version.request",
    "auto.commit.enable",
    "auto.offset.reset",
    "batch.size",
    "bootstrap.servers",
    "compression.codec",
    "compression.type",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol.type",
    "isolation.level",
    "linger.ms",
    "message.max.bytes",
    "message.send.max.retries",
    "message.timeout.ms",
    "metadata.broker.list",
    "offset.store.method",
    "partition.assignment.strategy",
    "partitioner",
    "queue.buffering.max.ms",
    "queuing.strategy",
    "request.required.acks",
    "request.timeout.ms",
    "retries",
    "retry.backoff.ms",
    "transactional.id",
});

/// librdkafka takes a topic's properties with this before them, too.
constexpr std::string_view kOfTopics = "topic.";

bool is_ours(std::string_view name) {
    if (name.starts_with(kOfTopics)) name.remove_prefix(kOfTopics.size());
    return std::ranges::find(kOurs, name) != kOurs.end();
}

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> parse_properties(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> out;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        const auto equals = line.find('=');
        const std::string_view name = trimmed(line.substr(0, equals));
        if (equals == std::string_view::npos || name.empty())
            return fail(
                Code::kBadRequest,
                fmt::format("line {}: expected a property of librdkafka, such as security.protocol=SASL_SSL", number));
        if (is_ours(name))
            return fail(Code::kBadRequest,
                        fmt::format("line {}: {} is not to be set: it has a key of its own, or the promises rest on it",
                                    number, name));
        out.emplace_back(name, trimmed(line.substr(equals + 1)));
    }
    return out;
}

}  // namespace parley::kafka
