#pragma once
#include <memory>
#include <mutex>

#include "store/ledger.h"

namespace parley::store {

class Database;

/// The Ledger of a single server, in its directory's RocksDB.
/// Thread: any; one put() at a time. Owns the database, together with the directory.
class EmbeddedLedger final : public Ledger {
public:
    explicit EmbeddedLedger(std::shared_ptr<Database> database);

    Result<std::optional<LedgerRow>> row(const std::string& key) override;
    Result<std::vector<LedgerRow>> rows(const std::string& prefix, const std::string& after,
                                        std::size_t limit) override;
    Result<std::vector<bool>> put(const std::vector<LedgerRow>& rows) override;

private:
    const std::shared_ptr<Database> database_;
    std::mutex putting_;
};

}  // namespace parley::store
