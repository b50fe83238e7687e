#include "adapters/postgres/database_fixture.h"
#include "adapters/postgres/postgres_directory.h"
#include "store/directory_contract.h"

namespace parley::store {

INSTANTIATE_TEST_SUITE_P(Postgres, DirectoryContract,
                         testing::Values(DirectoryMaker{[]() -> std::unique_ptr<Directory> {
                             return std::make_unique<postgres::PostgresDirectory>(
                                 postgres::open_pool(postgres::fresh_settings()));
                         }}));

}  // namespace parley::store
