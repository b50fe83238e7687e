#pragma once
#include <cstdint>
#include <vector>

#include "adapters/mongo/document.h"

/// The collections and their indexes. docs/mongodb.md explains them. Each document begins with the format `v`; ids are
/// ordered by their bytes; times are BSON dates.
namespace parley::mongo {

/// Of every document this version writes; it reads these and those of the version before.
inline constexpr std::uint64_t kFormat = 1;

namespace collection {
inline constexpr const char* kMeta = "meta";
inline constexpr const char* kAccounts = "accounts";
inline constexpr const char* kRevokedMembers = "revoked_members";
inline constexpr const char* kRevokedTokens = "revoked_tokens";
inline constexpr const char* kRooms = "rooms";
inline constexpr const char* kMemberships = "memberships";
inline constexpr const char* kChanges = "changes_in_flight";
inline constexpr const char* kReadMarks = "read_marks";
inline constexpr const char* kHeads = "heads";
inline constexpr const char* kLedger = "ledger";
inline constexpr const char* kMessages = "messages";
}  // namespace collection

/// The one document of `meta`.
inline constexpr const char* kMetaId = "parley";

/// Step N, from 1, brings version N-1 to version N by these commands, which may be given twice and by several servers
/// at once. What has been released is never changed; a new version is a step more.
[[nodiscard]] const std::vector<std::vector<Document>>& schema_steps();

/// A document of our own without anything but its format.
[[nodiscard]] inline Document formatted() { return Document{}.number("v", kFormat); }

}  // namespace parley::mongo
