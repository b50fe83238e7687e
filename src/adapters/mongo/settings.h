#pragma once
#include <string>

#include "base/result.h"
#include "base/units.h"

namespace parley::mongo {

/// Where the database is and how long it may take. `url` may hold a password: it is never part of a message.
struct Settings {
    std::string url;  ///< `mongodb://USER:PASSWORD@HOST:PORT/?replicaSet=NAME&tls=true`, `mongodb+srv://…`
    std::string database = "parley";
    std::size_t connections = 8;  ///< the most that are open at once, beside the one of the log's writer
    milliseconds connect_limit{3'000};
    milliseconds answer_limit{5'000};  ///< for one question
};

/// Error: kBadRequest, in words that repeat nothing of the URL: it is none, or asks for less than a durable majority.
[[nodiscard]] Result<> check_url(const std::string& url);
/// The hosts and ports that `url` names, for messages: `a.example.org:27017,b.example.org:27017`.
[[nodiscard]] std::string place(const std::string& url);

}  // namespace parley::mongo
