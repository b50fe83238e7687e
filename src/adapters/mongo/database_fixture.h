#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "../tests/contract/service.h"
#include "adapters/mongo/database.h"

namespace parley::mongo {

/// The server of this test program.
inline contract::Service& server() {
    static auto* const service = new contract::Service{"mongo"};
    return *service;
}
inline const auto* const kServerRuns = testing::AddGlobalTestEnvironment(&server());

/// Settings for a database of its own in that server.
inline Settings fresh_settings() {
    static std::atomic<int> count{0};
    Settings settings;
    settings.url = server().url();
    settings.database = "test_" + std::to_string(++count);
    return settings;
}

/// The pool of `settings`; the test fails when there is none.
inline std::unique_ptr<Pool> open_pool(const Settings& settings) {
    auto pool = open_database(settings);
    EXPECT_TRUE(pool.has_value()) << (pool ? "" : pool.error().message);
    return pool ? std::move(*pool) : nullptr;
}

/// As an operator at the shell, or a server that stops after this command.
inline Reply shell(const Settings& settings, const Document& command) {
    auto done = Pool{settings}.run(command);
    EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().message);
    return done ? std::move(*done) : Reply{};
}
inline std::vector<Document> shell_find(const Settings& settings, const Document& command) {
    auto found = Pool{settings}.find(command);
    EXPECT_TRUE(found.has_value()) << (found ? "" : found.error().message);
    return found ? std::move(*found) : std::vector<Document>{};
}

}  // namespace parley::mongo
