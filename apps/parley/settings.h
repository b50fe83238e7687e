#pragma once
#include <optional>
#include <string>
#include <vector>

#include "auth/jwt.h"
#include "auth/rate_limit.h"
#include "base/config.h"
#include "base/result.h"
#include "gateway/services.h"
#include "rt/listener.h"

namespace parley::app {

/// What the operator configured, in the words of the parts. Error messages name the key.
[[nodiscard]] Result<rt::Endpoint> endpoint(const Config& config);
/// Empty where there is no admin listener.
[[nodiscard]] Result<std::optional<rt::Endpoint>> admin_endpoint(const Config& config);
[[nodiscard]] gateway::Options gateway_options(const Config& config, const rt::Endpoint& endpoint, bool test_endpoints);
/// What the whole process may have. Half of the machine where nothing is configured.
[[nodiscard]] Result<Bytes> memory_limit(const Config& config);
[[nodiscard]] auth::RateOptions rate_options(const Config& config);
/// With the generated secret where none is configured: made once, kept in `data_dir/secret` with mode 0600.
[[nodiscard]] Result<auth::TokenOptions> token_options(const Config& config);
/// What seals the cursors of polls: from the secrets above, or from the generated one where tokens have a public key.
[[nodiscard]] Result<std::vector<std::string>> cursor_keys(const Config& config);

}  // namespace parley::app
