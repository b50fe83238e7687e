#include "adapters/mongo/database_fixture.h"
#include "adapters/mongo/mongo_ledger.h"
#include "store/ledger_contract.h"

namespace parley::store {

INSTANTIATE_TEST_SUITE_P(Mongo, LedgerContract, testing::Values(LedgerMaker{[]() -> std::unique_ptr<Ledger> {
                             return std::make_unique<mongo::MongoLedger>(mongo::open_pool(mongo::fresh_settings()));
                         }}));

}  // namespace parley::store
