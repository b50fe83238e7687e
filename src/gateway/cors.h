#pragma once
#include <string_view>

#include "gateway/exchange.h"

namespace parley::gateway {

struct Options;

/// Whether the page of another origin may use REST: adds the fields that let it read the answer where its origin is
/// allowed. An origin that is not allowed reads nothing; it is refused (false) where it asks first, or where the
/// browser itself calls the request another site's. Origin alone does not say that: a proxy may have changed Host.
[[nodiscard]] bool admit_origin(const Options& options, Exchange& exchange);

/// The answer to OPTIONS, asked by a browser in advance or not; `methods` is what the address takes.
void answer_options(Exchange& exchange, std::string_view methods);

}  // namespace parley::gateway
