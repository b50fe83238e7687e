#include "adapters/postgres/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace parley::postgres {
namespace {

using namespace std::chrono;

// Every question of ours goes by a key. A plan that reads a whole table, made while the table was small, would be kept
// while it grows. Such settings make plans look dear, and jit would compile them anew each time, for longer than they
// run.
constexpr Statement kBeginSession{"begin_session", R"(
    SELECT current_setting('fsync') = 'off', current_setting('synchronous_commit') = 'off',
           current_setting('server_encoding'),
           set_config('synchronous_commit', current_setting('synchronous_commit'), false),
           set_config('default_transaction_isolation', 'read committed', false),
           set_config('idle_in_transaction_session_timeout', '3000', false),
           set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_seqscan', 'off', false),
           set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false), set_config('jit', 'off', false),
           set_config('statement_timeout', $1, false), set_config('search_path', $2, false))"};

/// PostgreSQL's sentences, which may be several lines, in one.
std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool space = c == '\n' || c == '\t' || c == ' ';
        if (space && (out.empty() || out.back() == ' ')) continue;
        out += space ? ' ' : c;
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

Error explain(const PGresult* result) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (state == nullptr || primary == nullptr)
        return {Code::kStoreUnavailable, "PostgreSQL: " + one_line(PQresultErrorMessage(result))};
    // Class 22 is "data exception": the value is at fault, not the database.
    const Code code = std::string_view{state}.starts_with("22") ? Code::kInvalidPayload : Code::kStoreUnavailable;
    return {code, fmt::format("PostgreSQL: {} ({})", one_line(primary), state)};
}

/// False: nothing happened until the deadline.
bool wait_for(int socket, short events, Deadline deadline) {
    for (;;) {
        const auto left = ceil<milliseconds>(deadline - steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd wanted{socket, events, 0};
        const int ready = ::poll(&wanted, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
        if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    }
}

}  // namespace

void Connection::Close::operator()(pg_conn* connection) const noexcept { PQfinish(connection); }

Connection::~Connection() = default;

Error Connection::unavailable() const {
    const std::string why = one_line(PQerrorMessage(connection_.get()));
    return {Code::kStoreUnavailable, "PostgreSQL: " + (why.empty() ? "the connection is lost" : why)};
}

Result<std::unique_ptr<Connection>> Connection::open(const Settings& settings, Deadline deadline) {
    std::unique_ptr<Connection> out{new Connection};
    deadline = std::min(deadline, in(settings.connect_limit));
    if (auto connected = out->connect(settings, deadline); !connected) return fail(connected.error());
    if (auto begun = out->begin_session(settings, deadline); !begun) return fail(begun.error());
    return out;
}

Result<> Connection::connect(const Settings& settings, Deadline deadline) {
    auto options = parse_url(settings.url);
    if (!options) return fail(options.error());
    // What the URL does not say. A peer that vanished is noticed, and a standby is not taken for the primary.
    static constexpr std::array<std::pair<const char*, const char*>, 7> kDefaults{
        {{"client_encoding", "UTF8"},
         {"fallback_application_name", "parley"},
         {"target_session_attrs", "read-write"},
         {"tcp_user_timeout", "10000"},
         {"keepalives_idle", "10"},
         {"keepalives_interval", "3"},
         {"keepalives_count", "3"}}};
    for (const auto& [name, value] : kDefaults) {
        const auto given =
            std::find_if(options->begin(), options->end(), [&](const auto& o) { return o.first == name; });
        if (given == options->end()) options->emplace_back(name, value);
    }
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : *options) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    connection_.reset(PQconnectStartParams(names.data(), values.data(), 0));
    if (connection_ == nullptr) return fail(Code::kStoreUnavailable, "PostgreSQL: out of memory");
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
    for (auto state = PGRES_POLLING_WRITING;;) {
        if (PQstatus(connection_.get()) == CONNECTION_BAD) return fail(unavailable());
        const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (!wait_for(PQsocket(connection_.get()), events, deadline)) {
            return fail(Code::kStoreUnavailable, fmt::format("PostgreSQL: {} does not answer", place(settings.url)));
        }
        state = PQconnectPoll(connection_.get());
        if (state == PGRES_POLLING_FAILED) return fail(unavailable());
        if (state == PGRES_POLLING_OK) break;
    }
    if (PQsetnonblocking(connection_.get(), 1) != 0 || PQenterPipelineMode(connection_.get()) != 1)
        return fail(unavailable());
    return {};
}

Result<> Connection::begin_session(const Settings& settings, Deadline deadline) {
    Params params;
    params.text(std::to_string(settings.answer_limit.count())).text("\"" + settings.schema + "\"");
    const auto session = run(kBeginSession, std::move(params), deadline);
    if (!session) return fail(session.error());
    const char* volatile_setting = session->flag(0, 0) ? "fsync" : session->flag(0, 1) ? "synchronous_commit" : nullptr;
    if (volatile_setting != nullptr) {
        return fail(Code::kStoreUnavailable,
                    fmt::format("PostgreSQL: {} is off there: a crash would lose messages that were acknowledged",
                                volatile_setting));
    }
    if (const auto encoding = session->text(0, 2); encoding != "UTF8") {
        return fail(Code::kStoreUnavailable,
                    fmt::format("PostgreSQL: the database's encoding is {}; it has to be UTF8", encoding));
    }
    return {};
}

Result<Rows> Connection::run(const Statement& statement, Params params, Deadline deadline) {
    const std::array calls{Call{statement, std::move(params)}};
    auto answers = run_all(calls, deadline);
    if (!answers) return fail(std::move(answers.error()));
    return std::move(answers->front());
}

Result<std::vector<Rows>> Connection::run_all(std::span<const Call> calls, Deadline deadline) {
    for (const Call& call : calls) {
        if (call.params.holds_nul()) return fail(Code::kInvalidPayload, "U+0000 cannot be stored");
    }
    std::vector<bool> is_answer;
    if (!send(calls, is_answer)) {
        broken_ = true;
        return fail(unavailable());
    }
    auto answers = receive(is_answer, deadline);
    broken_ = !answers;
    return answers;
}

bool Connection::send(std::span<const Call> calls, std::vector<bool>& is_answer) {
    PGconn* const to = connection_.get();
    for (const Call& call : calls) {
        const Params& params = call.params;
        const int count = static_cast<int>(params.size());
        std::vector<Oid> types;
        std::vector<const char*> values;
        std::vector<int> lengths;
        for (std::size_t i = 0; i < params.size(); ++i) {
            types.push_back(params.type(i));
            values.push_back(params.bytes(i).data());
            lengths.push_back(static_cast<int>(params.bytes(i).size()));
        }
        const std::vector<int> binary(params.size(), 1);
        if (prepared_.insert(call.statement.name).second) {
            if (PQsendPrepare(to, call.statement.name, call.statement.sql, count, types.data()) != 1) return false;
            is_answer.push_back(false);
        }
        if (PQsendQueryPrepared(to, call.statement.name, count, values.data(), lengths.data(), binary.data(), 1) != 1)
            return false;
        is_answer.push_back(true);
    }
    return PQpipelineSync(to) == 1;
}

Result<std::vector<Rows>> Connection::receive(const std::vector<bool>& is_answer, Deadline deadline) {
    std::vector<Rows> out;
    std::optional<Error> failure;
    for (std::size_t at = 0;;) {
        if (auto there = wait_for_result(deadline); !there) return fail(there.error());
        PGresult* const result = PQgetResult(connection_.get());
        if (result == nullptr) {  // the end of one statement's results
            if (PQstatus(connection_.get()) == CONNECTION_BAD) return fail(failure.value_or(unavailable()));
            ++at;
            continue;
        }
        Rows rows{result};
        switch (PQresultStatus(result)) {
            case PGRES_PIPELINE_SYNC:
                if (failure) return fail(std::move(*failure));
                return out;
            case PGRES_TUPLES_OK:
            case PGRES_COMMAND_OK:
                if (is_answer[at]) out.push_back(std::move(rows));
                break;
            case PGRES_PIPELINE_ABORTED: break;
            default:
                if (!failure) failure = explain(result);
        }
    }
}

Result<> Connection::wait_for_result(Deadline deadline) {
    PGconn* const from = connection_.get();
    for (;;) {
        const int unsent = PQflush(from);
        if (unsent < 0) return fail(unavailable());
        if (unsent == 0 && PQisBusy(from) == 0) return {};
        const short events = unsent > 0 ? POLLIN | POLLOUT : POLLIN;
        if (!wait_for(PQsocket(from), events, deadline))
            return fail(Code::kStoreUnavailable, "PostgreSQL: no answer in time");
        // What came before the end may be a result that says why.
        if (PQconsumeInput(from) != 1 && PQisBusy(from) != 0) return fail(unavailable());
    }
}

Result<> Connection::script(const std::string& sql, Deadline deadline, std::string_view rows) {
    PGconn* const to = connection_.get();
    std::optional<Error> failure;
    broken_ = true;  // until all of it has gone well
    if (PQexitPipelineMode(to) != 1 || PQsendQuery(to, sql.c_str()) != 1) return fail(unavailable());
    for (;;) {
        if (auto there = wait_for_result(deadline); !there) return fail(there.error());
        PGresult* const result = PQgetResult(to);
        if (result == nullptr) break;
        const auto status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR && !failure) failure = explain(result);
        PQclear(result);
        if (status == PGRES_COPY_IN &&
            (PQputCopyData(to, rows.data(), static_cast<int>(rows.size())) != 1 || PQputCopyEnd(to, nullptr) != 1))
            return fail(unavailable());
    }
    if (failure) return fail(std::move(*failure));
    if (PQenterPipelineMode(to) != 1) return fail(unavailable());
    broken_ = false;
    return {};
}

bool Connection::is_open() noexcept {
    if (broken_ || PQstatus(connection_.get()) != CONNECTION_OK) return false;
    // Nothing was asked: what has come is the server's farewell.
    pollfd unasked{PQsocket(connection_.get()), POLLIN, 0};
    return ::poll(&unasked, 1, 0) == 0;
}

}  // namespace parley::postgres
