#pragma once
#include "gateway/admin_call.h"

namespace parley::gateway {

class Core;

/// `?partition=&from-offset=&to-offset=` or `?from-time=`: messages of all rooms, streamed as NDJSON. A few at a time
/// are served; kServerFull beyond. Its answer once begun, a replay holds up no end of the server, which cuts it off.
void serve_replay(Core& core, const AdminCallRef& call);

}  // namespace parley::gateway
