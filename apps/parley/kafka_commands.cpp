#include "kafka_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "adapters/kafka/group_admin.h"
#include "adapters/kafka/topic_replay.h"
#include "base/clock.h"
#include "base/config_keys.h"
#include "command_line.h"
#include "kafka_stores.h"
#include "stores.h"

namespace parley::app {
namespace {

int not_a_topic(const Config& config) {
    return fault(fmt::format("log.kind ({}): partitions, offsets and groups are Kafka's (log.kind=kafka)",
                             config.origin(keys::log_kind)));
}

Result<std::optional<WallTime>> time_of(const std::string& text, const char* flag) {
    if (text.empty()) return std::optional<WallTime>{};
    const auto time = parse_time(flag, text);
    if (!time) return fail(time.error());
    return std::optional{*time};
}

struct Move {
    std::uint32_t partition = 0;
    std::optional<std::uint64_t> from;
    std::uint64_t to = 0;
};

std::string line_of(const Move& move) {
    if (!move.from) return fmt::format("partition {}: not begun -> {}", move.partition, move.to);
    const std::uint64_t from = *move.from;
    if (move.to == from) return fmt::format("partition {}: {} stays", move.partition, from);
    return fmt::format("partition {}: {} -> {} ({} records {})", move.partition, from, move.to,
                       move.to < from ? from - move.to : move.to - from, move.to < from ? "again" : "left out");
}

/// What the request means for each partition; what is not kept any more, or not there yet, is left out.
Result<std::vector<Move>> plan(kafka::GroupAdmin& admin, const GroupResetRequest& request) {
    const auto time = time_of(request.to_time, "--to-time");
    if (!time) return fail(time.error());
    const auto kept = admin.ranges();
    if (!kept) return fail(kept.error());
    const auto now = admin.positions();
    if (!now) return fail(now.error());
    std::vector<std::optional<std::uint64_t>> to(kept->size(), request.to_offset);
    if (*time) {
        auto at = admin.offsets_at(**time);
        if (!at) return fail(at.error());
        to = std::move(*at);
    }
    std::vector<Move> out;
    for (std::uint32_t i = 0; i < kept->size(); ++i) {
        const auto [begin, end] = (*kept)[i];
        if (!request.partition || *request.partition == i)
            out.push_back({i, (*now)[i], std::clamp(to[i].value_or(end), begin, end)});
    }
    return out;
}

}  // namespace

int replay_topic(const Config& config, const TopicReplayRequest& request) {
    if (config.get(keys::log_kind) != "kafka") return not_a_topic(config);
    const auto from_time = time_of(request.from_time, "--from-time");
    if (!from_time) return fault(from_time.error().message);
    const auto settings = kafka_settings(config);
    if (!settings) return fault(settings.error().message);
    const SystemClock clock;
    const auto table = table_to_read(config, clock);
    if (!table) return fault(table.error().message);
    const kafka::ReplayRange range{request.partition, request.from_offset, *from_time, request.to_offset};
    const auto replay = kafka::TopicReplay::open(*settings, **table, range);
    if (!replay) return fault(replay.error().message);
    kafka::TopicReplay::Tell print = [](const kafka::ReplayedMessage& replayed) {
        fmt::print("{}\n", to_json(replayed));
    };
    while (!(*replay)->is_done()) {
        if (const auto read = (*replay)->read(print); !read) return fault(read.error().message);
    }
    return 0;
}

int reset_group(const Config& config, const GroupResetRequest& request) {
    if (config.get(keys::log_kind) != "kafka") return not_a_topic(config);
    if (request.group.starts_with(kafka::kTableWriters))
        return fault(
            fmt::format("--group: {} goes on where its table is, whatever the group's position: rows and "
                        "position change together. To have them read anew, empty the table while no server "
                        "runs (docs/kafka.md)",
                        request.group));
    const auto settings = kafka_settings(config);
    if (!settings) return fault(settings.error().message);
    const std::string group = settings->group_prefix + request.group;
    const auto partitions = kafka::partitions_of(*settings);
    if (!partitions) return fault(partitions.error().message);
    if (request.partition && *request.partition >= *partitions)
        return fault(fmt::format("--partition: topic {} has the partitions 0 to {}", settings->topic, *partitions - 1));
    const auto admin = kafka::GroupAdmin::open(*settings, group, *partitions, settings->connect_limit);
    if (!admin) return fault(admin.error().message);
    const auto moves = plan(**admin, request);
    if (!moves) return fault(moves.error().message);
    fmt::print("group {}, topic {}\n", group, settings->topic);
    std::vector<log::Position> to;
    for (const Move& move : *moves) {
        fmt::print("{}\n", line_of(move));
        to.push_back({move.partition, move.to});
    }
    const auto members = (*admin)->members();
    if (!members) return fault(members.error().message);
    if (*members > 0) {
        fmt::print(stderr, "parley: nothing was changed: {} read{} in this group now; stop them first\n", *members,
                   *members == 1 ? "s" : "");
        return 1;
    }
    if (!request.execute) {
        fmt::print("nothing was changed; --execute does it\n");
        return 0;
    }
    if (const auto moved = (*admin)->move(to); !moved) return fault(moved.error().message);
    fmt::print("done\n");
    return 0;
}

}  // namespace parley::app
