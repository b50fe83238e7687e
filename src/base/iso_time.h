#pragma once
#include <string>

#include "base/units.h"

namespace parley {

/// Appends what format_iso() gives.
void append_iso(std::string& out, WallTime time);

}  // namespace parley
