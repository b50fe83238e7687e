#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "auth/jwt.h"
#include "auth/rate_limit.h"
#include "base/config.h"
#include "base/result.h"
#include "gateway/services.h"

namespace parley::app {

/// Purposes of fleet_keys().
inline constexpr std::string_view kFrames = "parley fleet";
inline constexpr std::string_view kRelays = "parley relay";

/// What the operator configured, in the words of the parts. Error messages name the key.
/// Every way in, the main one first, that of the other servers last. Ports are free ones where 0 was asked for.
[[nodiscard]] Result<std::vector<gateway::Door>> doors(const Config& config);
/// Where `parley worker` tells what it is up to; nothing where it does not.
[[nodiscard]] Result<std::optional<gateway::Door>> worker_door(const Config& config);
/// `http://127.0.0.1:8080`, `unix:/run/parley.sock`.
[[nodiscard]] std::string url(const gateway::Door& door);
[[nodiscard]] Result<gateway::Options> gateway_options(const Config& config, std::vector<gateway::Door> doors,
                                                       bool test_endpoints);
/// What the whole process may have. Half of the machine where nothing is configured.
[[nodiscard]] Result<Bytes> memory_limit(const Config& config);
/// What servers of one fleet sign with, for this purpose; the first signs, all are believed. Empty: they have no secret
/// in common.
[[nodiscard]] std::vector<std::string> fleet_keys(const Config& config, std::string_view purpose);
/// Sessions are known to all servers of the fleet, which bring each other their requests.
[[nodiscard]] bool shares_sessions(const Config& config);
/// A warning for each address that nothing in this version speaks to.
void warn_of_unused(const Config& config);
[[nodiscard]] auth::RateOptions rate_options(const Config& config);
/// The folder of `data_dir`, made where it is not there: for its owner alone.
[[nodiscard]] Result<std::filesystem::path> make_data_dir(const Config& config);
/// Of the generated secret where none is configured: made once, kept in `data_dir/secret` with mode 0600.
[[nodiscard]] Result<auth::TokenKeys> token_keys(const Config& config);
/// What seals the cursors of polls: from the secrets above; where tokens have a public key from the fleet's secret, or
/// from the generated one.
[[nodiscard]] Result<std::vector<std::string>> cursor_keys(const Config& config);

}  // namespace parley::app
