#pragma once
#include <atomic>
#include <memory>
#include <shared_mutex>
#include <thread>

#include "adapters/kafka/client.h"
#include "adapters/kafka/record.h"
#include "base/function.h"

namespace parley::kafka {

/// Sends records: idempotent, to all replicas in sync, three tries a second apart.
///
/// Thread: send() from any; a thread of its own tells `sent`. Owns its client and, when that has ended by a fatal
///         error, its next.
/// Order:  a partition's records are stored in the order of send().
/// Fails:  each number is told once. After an error the record may be there all the same.
class Producer final : private Client::Listener {
public:
    /// `why` is null when all replicas in sync have the record. Comes on the producer's thread, or inside send().
    using Sent = UniqueFunction<void(std::uint64_t number, std::uint32_t partition, const Error* why)>;

    static Result<std::unique_ptr<Producer>> open(const Settings& settings, std::uint32_t partitions, Sent sent);
    /// What was not sent is told as failed.
    ~Producer() override;
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    /// The records's bytes are copied. Never blocks.
    void send(const OutRecord& record, std::uint64_t number);

private:
    Producer(Settings settings, std::uint32_t partitions, Sent sent)
        : settings_(std::move(settings)), partitions_(partitions), sent_(std::move(sent)) {}
    [[nodiscard]] Result<std::unique_ptr<Client>> make_client();
    void on_delivered(std::uint64_t number, std::uint32_t partition, const Error* why) override;
    void run();
    void replace();

    const Settings settings_;
    const std::uint32_t partitions_;
    Sent sent_;
    mutable std::shared_mutex client_mutex_;  ///< exclusive only to replace it
    std::unique_ptr<Client> client_;
    std::string ended_;  ///< why, while what the last client had is told as failed; the thread's own
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace parley::kafka
