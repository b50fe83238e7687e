#pragma once
#include <map>
#include <string>
#include <vector>

#include "adapters/mongo/blocks.h"
#include "adapters/mongo/connection.h"

/// Where rooms stand: `heads` remembers it, the blocks decide.
namespace parley::mongo {

/// By room; one for each that was asked for.
using Heads = std::map<std::string, Head>;

/// A room's document in `heads` may be behind its blocks, when a server stopped between the two writes, but never
/// before them. So the block that would come next is looked for, until there is none, and the document is set right.
Result<Heads> look_up_heads(Connection& connection, const std::vector<std::string>& rooms);

/// Raises the documents to the end of `blocks`, the last of each room. Answers the places of those that lie in a part
/// of their room that has been trimmed already.
Result<std::vector<std::size_t>> raise_heads(Connection& connection, const std::vector<Block>& blocks);

}  // namespace parley::mongo
