#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/kafka/settings.h"

namespace parley::kafka {

/// A consumer group that brings the topic's messages into another table than the group `own` does, and has members
/// now; none: nobody does. Both names are whole. Waits some seconds for a group that is just gathering.
/// Error: the groups cannot be seen.
[[nodiscard]] Result<std::optional<std::string>> other_table_writers(const Settings& settings, const std::string& own);

/// What a member of a group has subscribed to, of its metadata as brokers have it (Kafka's consumer protocol: a
/// version, then the names). None: it is not there yet.
[[nodiscard]] std::optional<std::vector<std::string>> topics_of(std::string_view metadata);

}  // namespace parley::kafka
