#include "adapters/postgres/database_fixture.h"
#include "adapters/postgres/postgres_ledger.h"
#include "store/ledger_contract.h"

namespace parley::store {

INSTANTIATE_TEST_SUITE_P(Postgres, LedgerContract, testing::Values(LedgerMaker{[]() -> std::unique_ptr<Ledger> {
                             return std::make_unique<postgres::PostgresLedger>(
                                 postgres::open_pool(postgres::fresh_settings()));
                         }}));

}  // namespace parley::store
