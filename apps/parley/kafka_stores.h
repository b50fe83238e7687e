#pragma once
#include <memory>
#include <string>

#include "adapters/kafka/settings.h"
#include "base/clock.h"
#include "base/config.h"
#include "log/message_table.h"
#include "stores.h"

namespace parley::app {

[[nodiscard]] Result<kafka::Settings> kafka_settings(const Config& config);

/// What this process is to the table behind a topic.
struct TableUse {
    TableWriting writing = TableWriting::kHere;
    /// Ends the names of groups that one server is alone in: where it is given no other may be on the topic.
    std::string of_server{};
};

/// `log.kind=kafka`: the log over the configured topic, what brings its messages into `table` where that is done here,
/// and how roles share it. Error: one sentence for the operator that names the key.
[[nodiscard]] Result<> open_kafka_log(Stores& stores, const Config& config, std::unique_ptr<log::MessageTable> table,
                                      const TableUse& use, Bytes memory, const Clock& clock);

}  // namespace parley::app
