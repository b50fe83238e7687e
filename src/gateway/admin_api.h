#pragma once
#include "gateway/exchange.h"

namespace parley::gateway {

class Core;

/// What operators do over their own listener, under `/admin/api`. The admin token has been checked.
/// Thread: core-local. False: the path is none of these.
bool serve_admin_api(Core& core, const ExchangeRef& exchange);

}  // namespace parley::gateway
