#pragma once
#include <fmt/format.h>

#include "adapters/postgres/schema.h"
#include "adapters/postgres/values.h"
#include "base/result.h"

namespace parley::postgres {

/// Every row's `column` is a format that this version reads. Error: kStoreUnavailable.
[[nodiscard]] inline Result<> check_format(const Rows& rows, int column) {
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto format = rows.number(row, column);
        if (rows.is_null(row, column) || format <= kRowFormat) continue;
        return fail(Code::kStoreUnavailable,
                    fmt::format("PostgreSQL: a row has format {}; this Parley knows {}", format, kRowFormat));
    }
    return {};
}

}  // namespace parley::postgres
