#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "adapters/mongo/document.h"
#include "adapters/mongo/settings.h"
#include "base/result.h"
#include "rt/connection_pool.h"

struct _mongoc_client_t;

namespace parley::mongo {

using rt::Deadline;
using rt::in;

/// What the server answered to a command.
struct Reply {
    Document body;
    /// The places, in the command, of the writes that a unique index refused.
    std::vector<std::size_t> duplicates;
    /// Documents that matched an update's filter, or were inserted, made by an upsert or deleted.
    [[nodiscard]] std::size_t changed() const { return body.number("n"); }
};

/// How often connections to this server have broken; those opened before the last time are taken for broken too.
using Breaks = std::shared_ptr<std::atomic<unsigned>>;

/// One connection to the primary, for one command after the other on the database of the settings.
///
/// Thread: one at a time. Owns the socket. Waits for an answer for Settings::answer_limit at most, and for a server for
/// connect_limit, but for the system's name resolution.
/// Fails:  kStoreUnavailable with the server's words in one line, which holds nothing of the command; kInvalidPayload,
///         before anything is sent, for a text that is not UTF-8 and a command above 16 MB. After another failure what
///         the command wrote is unknown; the connection may be broken.
class Connection {
public:
    static Result<std::unique_ptr<Connection>> open(const Settings& settings, const Breaks& breaks, Deadline deadline);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Result<Reply> run(const Document& command);
    /// Every document that the `find` gives.
    Result<std::vector<Document>> find(const Document& command);

    [[nodiscard]] bool is_broken() const noexcept { return broken_; }
    [[nodiscard]] bool is_open() const noexcept { return !broken_ && breaks_->load() == breaks_before_; }

private:
    struct Close {
        void operator()(_mongoc_client_t* client) const noexcept;
    };

    Connection(_mongoc_client_t* client, std::string database, Breaks breaks);
    Error broken(const std::string& why);

    std::unique_ptr<_mongoc_client_t, Close> client_;
    const std::string database_;
    const Breaks breaks_;
    const unsigned breaks_before_;
    bool broken_ = false;
};

}  // namespace parley::mongo
