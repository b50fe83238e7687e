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

/// `log.kind=kafka`: the log over the configured topic, what brings its messages into `table`, and how roles share it.
/// `of_server` ends the names of groups that one server is alone in: where it is given no other may be on the topic.
/// Error: one sentence for the operator that names the key.
[[nodiscard]] Result<> open_kafka_log(Stores& stores, const Config& config, std::unique_ptr<log::MessageTable> table,
                                      const std::string& of_server, Bytes memory, const Clock& clock);

}  // namespace parley::app
