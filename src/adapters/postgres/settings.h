#pragma once
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace parley::postgres {

/// Where the database is and how long it may take. `url` may hold a password: it is never part of a message.
struct Settings {
    std::string url;  ///< `postgres://user:password@host:port/database?sslmode=verify-full`, or libpq's `key=value …`
    std::string schema = "parley";  ///< the tables are in this schema, which is made when missing
    std::size_t connections = 8;    ///< the most that are open at once, beside the one of the log's writer
    milliseconds connect_limit{3'000};
    milliseconds answer_limit{5'000};  ///< for one question, waiting for a connection included
};

/// libpq's options as the URL gives them. Error: kBadRequest, in words that repeat nothing of the URL.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> parse_url(const std::string& url);
/// The host and port that `url` names, for messages: `db.example.org:5432`.
[[nodiscard]] std::string place(const std::string& url);

}  // namespace parley::postgres
