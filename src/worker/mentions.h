#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace parley::worker {

/// Who can be mentioned.
struct Named {
    MemberId member;
    std::string nickname;
};

/// Whose `@nickname` stands in `content`, each once, in the order of `people`; at most 50.
///
/// An `@` counts where no ASCII letter or digit stands before it, so that `a@b.c` is nobody. The longest nickname that
/// fits is meant; ASCII letters in either case. A nickname that ends in an ASCII letter or digit ends there: `@bob` is
/// not in `@bobby`. Others may go on, as Korean does: `@앨리스님`.
[[nodiscard]] std::vector<MemberId> find_mentions(std::string_view content, const std::vector<Named>& people);

}  // namespace parley::worker
