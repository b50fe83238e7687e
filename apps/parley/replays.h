#pragma once
#include "base/config.h"
#include "gateway/replay_source.h"
#include "stores.h"

namespace parley::app {

/// What operators replay over HTTP: the topic where messages are in one, else the log's rooms. Borrows `stores`.
/// Error: one sentence for the operator.
[[nodiscard]] Result<gateway::OpenReplay> open_replays(const Config& config, const Stores& stores);

}  // namespace parley::app
