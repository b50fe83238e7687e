#pragma once
#include <cstdint>
#include <string>

#include "base/units.h"

namespace parley {

/// A UUIDv7 (RFC 9562): sorts by `now`, the rest random. Thread: any.
[[nodiscard]] std::string make_uuid7(WallTime now);
/// `bytes` random bytes from the system's generator, as lower-case hex.
[[nodiscard]] std::string random_hex(std::size_t bytes);

/// The same generator's, for names that no two servers may share.
[[nodiscard]] std::uint64_t random_number();

}  // namespace parley
