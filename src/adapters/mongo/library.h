#pragma once

namespace parley::mongo {

/// Readies libmongoc, once for the process. Its log lines, which name hosts and commands, are dropped: what failed is
/// in the Error of the call.
void start_library();

}  // namespace parley::mongo
