#include "store/directory.h"

namespace parley::store {

Result<std::vector<std::string>> Directory::revoked_among(const std::vector<HeldToken>& tokens) {
    std::vector<std::string> out;
    for (const HeldToken& token : tokens) {
        auto revoked = is_token_revoked(token.sha256_hex);
        if (!revoked) return fail(revoked.error());
        if (!*revoked) {
            const auto before = revoked_before(token.member);
            if (!before) return fail(before.error());
            revoked = before->has_value() && token.issued_at < **before;
        }
        if (*revoked) out.push_back(token.sha256_hex);
    }
    return out;
}

}  // namespace parley::store
