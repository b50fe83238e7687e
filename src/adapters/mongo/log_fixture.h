#pragma once
#include "../tests/contract/log_node.h"
#include "adapters/mongo/commands.h"
#include "adapters/mongo/database_fixture.h"
#include "adapters/mongo/mongo_log.h"
#include "adapters/mongo/schema.h"

namespace parley::mongo {

using namespace std::literals;

/// One Parley server's log in the database of `settings`.
class Node : public contract::LogNode<MongoLog> {
public:
    explicit Node(const Settings& settings, MongoLogOptions options = {})
        : LogNode([&](const Clock& clock) {
              return std::move(*MongoLog::open(open_pool(settings), std::move(options), clock));
          }) {}
};

}  // namespace parley::mongo
