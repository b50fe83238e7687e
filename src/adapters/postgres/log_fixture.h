#pragma once
#include "../tests/contract/log_node.h"
#include "adapters/postgres/database_fixture.h"
#include "adapters/postgres/postgres_log.h"

namespace parley::postgres {

using namespace std::literals;

/// One Parley server's log in the tables of `settings`.
class Node : public contract::LogNode<PostgresLog> {
public:
    explicit Node(const Settings& settings, PostgresLogOptions options = {})
        : LogNode([&](const Clock& clock) {
              return std::move(*PostgresLog::open(open_pool(settings), std::move(options), clock));
          }) {}
};

}  // namespace parley::postgres
