#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/units.h"

namespace parley::redis {

/// Where the Redis server is and how long it may take. `password` is never part of a message.
struct Settings {
    std::string host;
    std::uint16_t port = 6379;
    std::string user;
    std::string password;
    int database = 0;
    milliseconds connect_limit{3'000};
    milliseconds answer_limit{1'000};  ///< after it the link counts as broken
};

/// `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`; in user and password %XX stands for a byte.
/// Error: kBadRequest, in words that repeat nothing of the URL.
[[nodiscard]] Result<Settings> parse_url(std::string_view url);
/// For messages: `redis.example.org:6379`.
[[nodiscard]] std::string place(const Settings& settings);

}  // namespace parley::redis
