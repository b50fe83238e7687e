#pragma once
#include "base/result.h"
#include "rt/listener.h"

namespace parley::rt {

/// A socket that is on its way to an IP address: how it goes shows when it is written to, or by its error. The kernel
/// finds out within half a minute that the other machine has gone, also while nothing is said.
/// Error: kBadRequest for what is no IP address, else the system's reason.
[[nodiscard]] Result<int> begin_connect(const Endpoint& to);

}  // namespace parley::rt
