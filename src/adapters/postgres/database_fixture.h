#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "../tests/contract/service.h"
#include "adapters/postgres/database.h"

namespace parley::postgres {

/// The PostgreSQL of this test program.
inline contract::Service& server() {
    static auto* const service = new contract::Service{"postgres"};
    return *service;
}
inline const auto* const kServerRuns = testing::AddGlobalTestEnvironment(&server());

/// Settings for tables of its own in that server.
inline Settings fresh_settings() {
    static std::atomic<int> count{0};
    Settings settings;
    settings.url = server().url();
    settings.schema = "test_" + std::to_string(++count);
    return settings;
}

/// The pool of `settings`; the test fails when there is none.
inline std::unique_ptr<Pool> open_pool(const Settings& settings) {
    auto pool = open_database(settings);
    EXPECT_TRUE(pool.has_value()) << (pool ? "" : pool.error().message);
    return pool ? std::move(*pool) : nullptr;
}

}  // namespace parley::postgres
