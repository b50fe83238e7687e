#pragma once
#include <memory>

#include "adapters/postgres/pool.h"
#include "store/ledger.h"

namespace parley::postgres {

/// The Ledger that several servers share. A call is one statement.
/// Thread: any. Owns the pool, together with others. Fails as Pool does, and for a row of a later format.
class PostgresLedger final : public store::Ledger {
public:
    explicit PostgresLedger(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

    Result<std::optional<store::LedgerRow>> row(const std::string& key) override;
    Result<std::vector<store::LedgerRow>> rows(const std::string& prefix, const std::string& after,
                                               std::size_t limit) override;
    Result<std::vector<bool>> put(const std::vector<store::LedgerRow>& rows) override;

private:
    const std::shared_ptr<Pool> pool_;
};

}  // namespace parley::postgres
