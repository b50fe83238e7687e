#pragma once

namespace parley::mongo {

/// Readies libmongoc, once for the process, and keeps its log lines (which name hosts and commands) out of ours.
void start_library();

}  // namespace parley::mongo
