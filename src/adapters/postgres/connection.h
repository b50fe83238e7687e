#pragma once
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/postgres/settings.h"
#include "adapters/postgres/values.h"
#include "base/result.h"
#include "rt/connection_pool.h"

struct pg_conn;

namespace parley::postgres {

using rt::Deadline;
using rt::in;

/// One SQL statement, prepared under its name the first time a connection runs it. Has static storage.
struct Statement {
    const char* name;
    const char* sql;
};

struct Call {
    const Statement& statement;
    Params params{};
};

/// One session with the server. What is run together goes in one round trip and, outside BEGIN, is one transaction.
///
/// Thread: one at a time. Owns the socket.
/// Order:  a session is durable (fsync and synchronous_commit are checked), READ COMMITTED, in UTF-8, in the schema of
///         the settings, and ends a transaction that is idle for 3 s: its locks stop nobody for long. (One that
///         waits for the rows of a COPY is not idle: see PostgresTable.)
/// Fails:  kStoreUnavailable with PostgreSQL's words in one line; kInvalidPayload for a text that no column can hold.
///         After a failure the connection is broken, and whether a transaction that was being committed has been is
///         unknown; only a text with U+0000 is refused before anything is sent. Never waits beyond a deadline, but for
///         the system's name resolution.
class Connection {
public:
    static Result<std::unique_ptr<Connection>> open(const Settings& settings, Deadline deadline);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Result<Rows> run(const Statement& statement, Params params, Deadline deadline);
    /// One Rows for each call. The first failure ends them all.
    Result<std::vector<Rows>> run_all(std::span<const Call> calls, Deadline deadline);
    /// Statements without parameters and answers, with `;` between them. `rows`: what a COPY FROM STDIN of them reads.
    Result<> script(const std::string& sql, Deadline deadline, std::string_view rows = {});

    [[nodiscard]] bool is_broken() const noexcept { return broken_; }
    /// False where the server has ended the session meanwhile. Does not wait.
    [[nodiscard]] bool is_open() noexcept;

private:
    struct Close {
        void operator()(pg_conn* connection) const noexcept;
    };

    Connection() = default;
    Result<> connect(const Settings& settings, Deadline deadline);
    Result<> begin_session(const Settings& settings, Deadline deadline);
    bool send(std::span<const Call> calls, std::vector<bool>& is_answer);
    Result<std::vector<Rows>> receive(const std::vector<bool>& is_answer, Deadline deadline);
    /// Writes what is queued and reads until a result is there.
    Result<> wait_for_result(Deadline deadline);
    [[nodiscard]] Error unavailable() const;

    std::unique_ptr<pg_conn, Close> connection_;
    std::set<const char*> prepared_;  ///< names are static: an address is a name
    bool broken_ = false;
};

}  // namespace parley::postgres
