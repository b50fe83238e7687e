#include "adapters/postgres/postgres_ledger.h"

#include <algorithm>
#include <set>

#include "adapters/postgres/row_format.h"

namespace parley::postgres {
namespace {

using store::LedgerRow;

constexpr Statement kRow{"ledger_row", "SELECT v, key, revision, value FROM ledger WHERE key = $1"};
constexpr Statement kRows{"ledger_rows", R"(
    SELECT v, key, revision, value FROM ledger WHERE key > $1 AND key >= $2 AND key < $3 ORDER BY key LIMIT $4)"};
// In the order of their keys: two servers that put the same rows wait for each other, not crosswise.
constexpr Statement kPut{"ledger_put", R"(
    INSERT INTO ledger (key, revision, value)
    SELECT key, revision, value FROM unnest($1, $2, $3) AS new (key, revision, value) ORDER BY key COLLATE "C"
    ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, value = excluded.value
    WHERE ledger.revision = excluded.revision - 1 RETURNING key)"};

LedgerRow row_of(const Rows& rows, std::size_t i) { return {rows.text(i, 1), rows.number(i, 2), rows.text(i, 3)}; }

}  // namespace

Result<std::optional<LedgerRow>> PostgresLedger::row(const std::string& key) {
    const auto rows = pool_->run(kRow, Params{}.text(key));
    if (!rows) return fail(rows.error());
    if (auto known = check_format(*rows, 0); !known) return fail(known.error());
    if (rows->empty()) return std::optional<LedgerRow>{};
    return row_of(*rows, 0);
}

Result<std::vector<LedgerRow>> PostgresLedger::rows(const std::string& prefix, const std::string& after,
                                                    std::size_t limit) {
    // No key has a letter above `~`.
    const auto rows = pool_->run(kRows, Params{}.text(after).text(prefix).text(prefix + '\x7f').number(limit));
    if (!rows) return fail(rows.error());
    if (auto known = check_format(*rows, 0); !known) return fail(known.error());
    std::vector<LedgerRow> out;
    for (std::size_t i = 0; i < rows->size(); ++i) out.push_back(row_of(*rows, i));
    return out;
}

Result<std::vector<bool>> PostgresLedger::put(const std::vector<LedgerRow>& rows) {
    if (rows.empty()) return std::vector<bool>{};
    Params params;
    params.texts(rows, [](const LedgerRow& row) -> const std::string& { return row.key; });
    params.numbers(rows, [](const LedgerRow& row) { return row.revision + 1; });
    params.texts(rows, [](const LedgerRow& row) -> const std::string& { return row.value; });
    const auto answer = pool_->run(kPut, params);
    if (!answer) return fail(answer.error());
    std::set<std::string> keys;
    for (std::size_t i = 0; i < answer->size(); ++i) keys.insert(answer->text(i, 0));
    std::vector<bool> stored;
    for (const LedgerRow& row : rows) stored.push_back(keys.contains(row.key));
    return stored;
}

}  // namespace parley::postgres
