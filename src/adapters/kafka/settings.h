#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/kafka/partition_counter.h"
#include "base/result.h"
#include "base/units.h"

namespace parley::kafka {

/// The group that writes a topic's messages into a table; of a table of one server its epoch follows.
inline constexpr const char* kTableWriters = "db-writer";

/// Which topic, and how it is spoken with. `properties` may hold a password: they are part of no message.
struct Settings {
    std::string brokers;  ///< `host:port,host:port`: where to begin
    std::string topic = "chat-messages";
    // Of a topic that this server makes; one that is there keeps its own.
    std::uint32_t partitions = 30;
    std::uint32_t replication = 3;  ///< or as many as the cluster has brokers
    milliseconds retention{std::chrono::hours{7 * 24}};

    std::string compression = "snappy";
    milliseconds linger{10};
    Bytes batch{16'384};
    std::string group_prefix;
    std::uint64_t dedup_window = kDedupWindow;
    std::vector<std::pair<std::string, std::string>> properties;  ///< librdkafka's: SASL, TLS, …
    milliseconds connect_limit{10'000};                           ///< for each question at the start
};

/// `security.protocol=SASL_SSL` and the like, one a line; `#` begins a comment line. Error: kBadRequest with the line's
/// number: no `=`, or a property whose value the promises rest on.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> parse_properties(std::string_view text);

}  // namespace parley::kafka
