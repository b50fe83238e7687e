#include "store/embedded_ledger.h"

#include "store/database.h"
#include "store/directory_records.h"
#include "store/record.h"

namespace parley::store {
namespace {

constexpr std::uint8_t kVersion = 1;

std::optional<LedgerRow> decode(std::string key, std::string_view bytes) {
    RecordReader reader{bytes};
    LedgerRow row{std::move(key), reader.u64(), reader.text()};
    if (!reader.ok() || reader.version() != kVersion) return std::nullopt;
    return row;
}

Error unreadable(const std::string& key) {
    return {Code::kStoreUnavailable, "the ledger's row " + key + " is damaged or of a later version"};
}

}  // namespace

EmbeddedLedger::EmbeddedLedger(std::shared_ptr<Database> database) : database_(std::move(database)) {}

Result<std::optional<LedgerRow>> EmbeddedLedger::row(const std::string& key) {
    const auto bytes = database_->get(records::ledger_key(key));
    if (!bytes) return fail(bytes.error());
    if (!bytes->has_value()) return std::optional<LedgerRow>{};
    auto row = decode(key, **bytes);
    if (!row) return fail(unreadable(key));
    return row;
}

Result<std::vector<LedgerRow>> EmbeddedLedger::rows(const std::string& prefix, const std::string& after,
                                                    std::size_t limit) {
    std::vector<LedgerRow> out;
    std::optional<Error> error;
    const std::string table = records::ledger_key({});
    const auto scanned =
        database_->scan(table + prefix, table + after, [&](std::string_view found, std::string_view bytes) {
            std::string key{found.substr(table.size())};
            if (key == after) return true;
            if (out.size() == limit) return false;
            auto row = decode(key, bytes);
            if (!row) {
                error = unreadable(key);
                return false;
            }
            out.push_back(std::move(*row));
            return true;
        });
    if (!scanned) return fail(scanned.error());
    if (error) return fail(std::move(*error));
    return out;
}

Result<std::vector<bool>> EmbeddedLedger::put(const std::vector<LedgerRow>& rows) {
    const std::lock_guard lock{putting_};
    std::vector<bool> stored;
    std::vector<Change> changes;
    for (const LedgerRow& row : rows) {
        const auto there = this->row(row.key);
        if (!there) return fail(there.error());
        const std::uint64_t revision = *there ? (*there)->revision : 0;
        stored.push_back(revision == row.revision);
        if (!stored.back()) continue;
        changes.push_back(
            {records::ledger_key(row.key), RecordWriter{kVersion}.u64(revision + 1).text(row.value).take()});
    }
    if (changes.empty()) return stored;
    if (auto written = database_->write(changes); !written) return fail(written.error());
    return stored;
}

}  // namespace parley::store
