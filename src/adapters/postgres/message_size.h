#pragma once
#include "base/message.h"

namespace parley::postgres {

/// What a message takes, about: its texts and its row in the table and two indexes.
[[nodiscard]] inline std::uint64_t size_of(const Draft& draft) {
    return 150 + 2 * (draft.sender.str().size() + draft.id.str().size()) + draft.nickname.size() +
           draft.content.size() + draft.extra.size();
}

}  // namespace parley::postgres
