#pragma once
#include <memory>
#include <utility>

#include "gateway/exchange.h"
#include "gateway/services.h"

namespace parley::gateway {

/// What an operator asked for and waits to hear of. Thread: core-local. Shared by the continuations that work on it.
struct AdminCall {
    AdminCall(ExchangeRef asked, Services& services) : exchange(std::move(asked)), under_way(services.calls) {}
    const ExchangeRef exchange;
    const UnderWay under_way;  ///< a server that goes waits for it
};
using AdminCallRef = std::shared_ptr<const AdminCall>;

}  // namespace parley::gateway
