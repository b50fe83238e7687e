#include "adapters/kafka/other_writers.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>

#include "adapters/kafka/client.h"
#include "adapters/kafka/handles.h"
#include "base/units.h"

namespace parley::kafka {
namespace {

using std::chrono::steady_clock;
using Groups = std::unique_ptr<const rd_kafka_group_list, Freed<&rd_kafka_group_list_destroy>>;

constexpr int kAnswerMs = 5'000;
constexpr milliseconds kBetween{200};
/// Longer than a new group waits for its members (the brokers' group.initial.rebalance.delay.ms).
constexpr milliseconds kGathering{5'000};

enum class Reads : std::uint8_t { kNot, kPerhaps, kYes };

std::size_t number_of(std::string_view bytes) {
    std::size_t out = 0;
    for (const char byte : bytes) out = out << 8U | static_cast<unsigned char>(byte);
    return out;
}

Reads reads(const rd_kafka_group_info& group, const std::string& topic) {
    auto out = Reads::kNot;
    for (const auto& member : std::span{group.members, static_cast<std::size_t>(group.member_cnt)}) {
        const auto topics = topics_of(
            {static_cast<const char*>(member.member_metadata), static_cast<std::size_t>(member.member_metadata_size)});
        if (!topics) {
            out = Reads::kPerhaps;
        } else if (std::ranges::find(*topics, topic) != topics->end()) {
            return Reads::kYes;
        }
    }
    return out;
}

}  // namespace

std::optional<std::vector<std::string>> topics_of(std::string_view metadata) {
    const auto number = [&metadata](std::size_t size) -> std::optional<std::size_t> {
        if (metadata.size() < size) return {};
        const std::size_t out = number_of(metadata.substr(0, size));
        metadata.remove_prefix(size);
        return out;
    };
    const auto version = number(2);
    const auto count = number(4);
    if (!version || !count) return {};
    std::vector<std::string> out;
    while (out.size() < *count) {
        const auto size = number(2);
        if (!size || metadata.size() < *size) return {};
        out.emplace_back(metadata.substr(0, *size));
        metadata.remove_prefix(*size);
    }
    return out;
}

Result<std::optional<std::string>> other_table_writers(const Settings& settings, const std::string& own) {
    auto client = Client::open(Client::Kind::kConsumer, settings, {}, nullptr);
    if (!client) return fail(client.error());
    const std::string all = settings.group_prefix + kTableWriters;
    const auto writes_a_table = [&](std::string_view name) {
        return name != own && name.starts_with(all) && (name.size() == all.size() || name[all.size()] == '.');
    };
    for (const auto end = steady_clock::now() + kGathering;; std::this_thread::sleep_for(kBetween)) {
        const rd_kafka_group_list* raw = nullptr;
        const auto code = rd_kafka_list_groups((*client)->get(), nullptr, &raw, kAnswerMs);
        const Groups groups{raw};
        // Part of the brokers may be away; what the others know counts.
        if (groups == nullptr || (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__PARTIAL))
            return fail(error_of(code));
        std::optional<std::string> gathering;
        for (const auto& group : std::span{groups->groups, static_cast<std::size_t>(groups->group_cnt)}) {
            if (!writes_a_table(group.group)) continue;
            const auto whether = reads(group, settings.topic);
            if (whether == Reads::kYes) return std::optional<std::string>{group.group};
            if (whether == Reads::kPerhaps) gathering = group.group;
        }
        if (!gathering || steady_clock::now() > end) return gathering;
    }
}

}  // namespace parley::kafka
