#pragma once
#include "gateway/admin_call.h"

namespace parley::gateway {

class Core;

/// `{token}` or `{memberId}`: that token, or all that the member has until now, hold nowhere any more. Answered once it
/// is durable; open sessions end on every server.
void serve_revoke(Core& core, const AdminCallRef& call);
/// `{memberId, roomId}`: out of that chat room, as its owner does it. `{memberId}`: off the service, by its tokens.
void serve_kick(Core& core, const AdminCallRef& call);

}  // namespace parley::gateway
