#include "adapters/mongo/mongo_ledger.h"

#include "adapters/mongo/commands.h"
#include "adapters/mongo/database.h"
#include "adapters/mongo/schema.h"

namespace parley::mongo {

using store::LedgerRow;

Result<std::vector<LedgerRow>> MongoLedger::list(const Document& filter, std::size_t limit) {
    const auto found = pool_->find(find(collection::kLedger, filter, limit));
    if (!found) return fail(found.error());
    std::vector<LedgerRow> out;
    for (const Document& row : *found) {
        if (auto known = check_format(row); !known) return fail(std::move(known.error()));
        out.push_back({row.text("_id"), row.number("revision"), row.text("value")});
    }
    return out;
}

Result<std::optional<LedgerRow>> MongoLedger::row(const std::string& key) {
    auto found = list(Document{}.text("_id", key), 1);
    if (!found) return fail(std::move(found.error()));
    if (found->empty()) return std::optional<LedgerRow>{};
    return std::move(found->front());
}

Result<std::vector<LedgerRow>> MongoLedger::rows(const std::string& prefix, const std::string& after,
                                                 std::size_t limit) {
    // No key has a letter above `~`.
    Document keys;
    if (after < prefix) {
        keys.text("$gte", prefix);
    } else {
        keys.text("$gt", after);
    }
    return list(Document{}.document("_id", keys.text("$lt", prefix + '\x7f')), limit);
}

Result<bool> MongoLedger::put(const LedgerRow& row) {
    Document fields = formatted();
    fields.number("revision", row.revision + 1).text("value", row.value);
    if (row.revision == 0) {
        Document made = Document{}.text("_id", row.key);
        made.number("v", kFormat).number("revision", 1).text("value", row.value);
        const auto inserted = pool_->run(insert(collection::kLedger, {made}));
        if (!inserted) return fail(inserted.error());
        return inserted->duplicates.empty();
    }
    const Document known = Document{}.text("_id", row.key).number("revision", row.revision);
    const auto changed = pool_->run(update(collection::kLedger, {change(known, Document{}.document("$set", fields))}));
    if (!changed) return fail(changed.error());
    return changed->changed() != 0;
}

Result<std::vector<bool>> MongoLedger::put(const std::vector<LedgerRow>& rows) {
    std::vector<bool> stored;
    for (const LedgerRow& row : rows) {
        const auto one = put(row);
        if (!one) return fail(one.error());
        stored.push_back(*one);
    }
    return stored;
}

}  // namespace parley::mongo
