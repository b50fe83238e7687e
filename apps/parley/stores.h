#pragma once
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "log/listed_room.h"
#include "log/log_stats.h"
#include "log/message_table.h"
#include "log/reader_lag.h"
#include "log/room_log.h"
#include "log/shared_reading.h"
#include "store/directory.h"
#include "store/ledger.h"

namespace parley::app {

/// `error`, which `key` is the cause of, with the key and where it was set.
template <class Key>
auto at_key(const Config& config, const Key& key, const Error& error) {
    return fail(error.code, fmt::format("{} ({}): {}", key.spec.name, config.origin(key), error.message));
}

/// Where this server keeps messages, members and rooms, as log.kind and store.kind say.
struct Stores {
    std::unique_ptr<log::MessageTable> table;  ///< behind a log that is a topic
    std::unique_ptr<log::RoomLog> log;
    /// Of a log that tells every server every message: who hears this server's own. Else empty.
    std::function<void(log::RoomLog::CommitListener)> on_own_commit;
    std::shared_ptr<void> table_writer;  ///< what fills `table`; null where others do
    log::ReaderLags lags;                ///< of a log that is a topic; else empty
    std::uint32_t lag_partitions = 0;    ///< that each of `lags` has
    std::shared_ptr<void> lag_watch;     ///< what looks them up; goes before `log`
    /// What is wrong behind a log that takes messages all the same, in /ready's words.
    std::function<std::vector<std::string>()> faults = [] { return std::vector<std::string>{}; };
    /// What only this server's restart ends, in a sentence; else empty.
    std::function<std::string()> own_fault = [] { return std::string{}; };
    std::function<log::LogStats()> log_stats;  ///< for as long as `log` lives
    std::unique_ptr<store::Directory> directory;
    std::unique_ptr<store::Ledger> ledger;  ///< what workers remember
    bool ledger_is_shared = false;          ///< with other servers
    log::ListRooms list_rooms;              ///< for as long as `log` lives; empty where that cannot be asked
    /// Of a log that is a topic, else empty: how worker roles share it, and where else they tell what they gave up.
    log::ShareReading share_reading;
    std::function<Result<>(const std::string& role, const Message& message, const std::string& reason)> put_dead_letter;
};

/// Who brings the messages of a log that is a topic into its table: the role db-writer.
enum class TableWriting : bool { kElsewhere, kHere };
[[nodiscard]] TableWriting table_writing(const std::vector<std::string>& roles);

/// `memory` is the process's budget. Error: one sentence for the operator that names the key.
[[nodiscard]] Result<Stores> open_stores(const Config& config, TableWriting writing, Bytes memory, const Clock& clock);

/// Says in the server's log that storing began to fail (why), or works again (empty).
void report_trouble(const std::string& reason);

/// The same directory and messages beside a server that may be running; nothing may be changed.
/// A null directory: there is none yet.
[[nodiscard]] Result<std::unique_ptr<store::Directory>> directory_to_read(const Config& config, const Clock& clock);
struct LogToRead {
    std::function<Result<log::Page>(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max)> read;
    std::function<Result<RoomSeq>(const RoomId& room, WallTime time)> seek;
};
/// What a topic's messages are kept in, likewise.
[[nodiscard]] Result<std::unique_ptr<log::MessageTable>> table_to_read(const Config& config, const Clock& clock);
[[nodiscard]] Result<LogToRead> log_to_read(const Config& config, const Clock& clock);

}  // namespace parley::app
