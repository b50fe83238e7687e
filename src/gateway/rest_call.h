#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/service.h"
#include "gateway/exchange.h"
#include "gateway/services.h"
#include "gateway/stomp_session.h"
#include "wire/query.h"

namespace parley::gateway {

/// A whole number ≥ 0 of a query; nullopt where it is not there. Error kBadRequest, naming it.
[[nodiscard]] Result<std::optional<std::uint64_t>> whole_number(const wire::QueryParams& query, std::string_view name);

/// One REST request under way: who asks, about which room, and how an answer looks.
///
/// Thread: core-local. Shared by the continuations that work on it; outlives the connection.
/// Order:  one answer.
class RestCall {
public:
    RestCall(ExchangeRef exchange, Services& services)
        : exchange_(std::move(exchange)), counters_(services.counters), under_way_(services.calls) {}

    [[nodiscard]] const wire::HttpRequest& request() const noexcept { return exchange_->request(); }
    [[nodiscard]] const ExchangeRef& exchange() const noexcept { return exchange_; }
    [[nodiscard]] const MemberId& member() const noexcept { return identity.claims.member; }
    [[nodiscard]] chat::Speaker speaker() const { return {member(), identity.claims.nickname, false, 0}; }

    [[nodiscard]] Result<std::optional<std::uint64_t>> number(std::string_view name) const {
        return whole_number(query, name);
    }

    /// Under /v1 `json` becomes the envelope's data.
    void answer(int status, std::string_view json, std::vector<wire::HttpField> fields = {});
    void refuse(const Error& error, std::vector<wire::HttpField> fields = {}, milliseconds wait = {});
    /// CHAT_RATE_LIMITED: `wait` is what the rate said.
    void refuse_rate(milliseconds wait, std::string message) {
        refuse({Code::kRateLimited, std::move(message)}, {}, wait);
    }

    Identity identity;
    RoomId room;                      ///< of a path that names one
    std::vector<std::string> values;  ///< of the path's pattern
    wire::QueryParams query;
    bool enveloped = false;

private:
    ExchangeRef exchange_;
    Counters& counters_;
    const UnderWay under_way_;  ///< a server that goes waits for it
};
using RestCallRef = std::shared_ptr<RestCall>;

}  // namespace parley::gateway
