#include "gateway/rest.h"

namespace parley::gateway {

Bytes Rest::body_limit(const wire::HttpRequest&) const { return Bytes{1024 * 1024}; }

bool Rest::serve(const ExchangeRef&) { return false; }

}  // namespace parley::gateway
