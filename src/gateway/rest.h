#pragma once
#include "gateway/exchange.h"

namespace parley::gateway {

class Core;

/// The REST side of docs/protocol.md section 4: accounts under `/v1`, rooms and messages under `/api`.
/// Thread: core-local.
class Rest {
public:
    explicit Rest(Core& core) : core_(core) {}

    [[nodiscard]] Bytes body_limit(const wire::HttpRequest& request) const;
    /// False: the path is not REST's.
    bool serve(const ExchangeRef& exchange);

private:
    Core& core_;
};

}  // namespace parley::gateway
