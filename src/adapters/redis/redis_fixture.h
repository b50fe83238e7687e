#pragma once
#include <atomic>
#include <string>

#include "../tests/contract/service.h"
#include "adapters/redis/client.h"

namespace parley::redis {

/// The Redis of this test program.
inline contract::Service& server() {
    static auto* const service = new contract::Service{"redis"};
    return *service;
}
inline const auto* const kServerRuns = testing::AddGlobalTestEnvironment(&server());

inline const SystemClock kClock;

inline Settings settings() {
    auto parsed = parse_url(server().url());
    EXPECT_TRUE(parsed.has_value()) << server().url();
    return parsed ? *parsed : Settings{};
}

/// A client of that server; the test fails when it cannot be had.
inline std::shared_ptr<Client> client(const Settings& wanted) {
    auto opened = Client::open(wanted, kClock);
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message);
    return opened ? std::move(*opened) : nullptr;
}
inline std::shared_ptr<Client> client() { return client(settings()); }

/// Keys and channels of its own in that server.
inline std::string fresh_prefix() {
    static std::atomic<int> count{0};
    return "test" + std::to_string(++count);
}

}  // namespace parley::redis
