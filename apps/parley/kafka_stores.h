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

/// `log.kind=kafka`: the log over the configured topic, and what brings its messages into `table`.
/// Error: one sentence for the operator that names the key.
[[nodiscard]] Result<> open_kafka_log(Stores& stores, const Config& config, std::unique_ptr<log::MessageTable> table,
                                      const std::string& writers, Bytes memory, const Clock& clock);

}  // namespace parley::app
