#pragma once
#include "bench/options.h"

namespace CLI {
class App;
}

namespace parley::bench {

/// The options that every program of this kind takes. `options` outlives the parsing.
void add_load_options(CLI::App& command, LoadOptions& options);

}  // namespace parley::bench
