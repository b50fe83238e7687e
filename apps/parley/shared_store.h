#pragma once
#include <memory>
#include <string>

#include "base/config.h"
#include "stores.h"

namespace parley::app {

/// What `store.kind` names besides `embedded`: a database that several servers can share.
class SharedStore {
public:
    /// A log in it is called so by claim(); an embedded one by its epoch.
    static constexpr const char* kLog = "store";

    struct LogSettings {
        milliseconds max_age;
        Bytes max_room_bytes;
        Bytes queue_limit;  ///< of the default, at most
        UniqueFunction<void(const std::string& reason)> on_trouble;
    };
    struct Log {
        std::unique_ptr<log::RoomLog> log;
        std::function<log::LogStats()> stats;
    };

    virtual ~SharedStore() = default;
    [[nodiscard]] virtual std::unique_ptr<store::Directory> directory() = 0;
    [[nodiscard]] virtual Result<Log> open_log(LogSettings settings, const Clock& clock) = 0;
    [[nodiscard]] virtual std::unique_ptr<store::Ledger> ledger() = 0;
    /// Of the log that is here.
    [[nodiscard]] virtual log::ListRooms list_rooms() = 0;
    /// For a look beside a running server.
    [[nodiscard]] virtual Result<LogToRead> log_to_read() = 0;
    /// For the messages of a log that is a topic. Error: this store has none.
    [[nodiscard]] virtual Result<std::unique_ptr<log::MessageTable>> table() = 0;
    /// Memberships are positions in one log: the database notes whose. Error: it is another one.
    [[nodiscard]] virtual Result<> claim(const std::string& log) = 0;
    /// The line that says where members and rooms are.
    virtual void announce(bool with_messages) const = 0;
};

enum class Use : std::uint8_t { kServe, kLook };  ///< kLook makes and changes nothing

/// Error: one sentence that names the key. `store.kind` is not `embedded`.
[[nodiscard]] Result<std::unique_ptr<SharedStore>> open_shared_store(const Config& config, Use use);

}  // namespace parley::app
