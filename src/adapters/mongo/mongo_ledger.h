#pragma once
#include <memory>

#include "adapters/mongo/pool.h"
#include "store/ledger.h"

namespace parley::mongo {

/// The Ledger that several servers share: one document a row.
/// Thread: any; put() is one round trip for each row. Owns the pool, together with others.
/// Fails:  as Pool does, and for a document of a later format.
class MongoLedger final : public store::Ledger {
public:
    explicit MongoLedger(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

    Result<std::optional<store::LedgerRow>> row(const std::string& key) override;
    Result<std::vector<store::LedgerRow>> rows(const std::string& prefix, const std::string& after,
                                               std::size_t limit) override;
    Result<std::vector<bool>> put(const std::vector<store::LedgerRow>& rows) override;

private:
    Result<bool> put(const store::LedgerRow& row);
    Result<std::vector<store::LedgerRow>> list(const Document& filter, std::size_t limit);

    const std::shared_ptr<Pool> pool_;
};

}  // namespace parley::mongo
