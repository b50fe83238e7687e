#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "adapters/redis/client.h"
#include "adapters/redis/redis_cache.h"
#include "rt/timer_wheel.h"

namespace parley::redis {

/// Whether Redis does what the cache asks of it: a round of all its commands at the start, and again and again. A
/// connection stands and answers PING where a right is missing, memory is full, or replicas are.
///
/// Thread: trouble() any. Its timer lives on the client's loop.
/// Fails:  open() with the command that is refused, in Redis's words.
class CacheWatch {
public:
    /// `clock` must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<CacheWatch>> open(std::shared_ptr<Client> client, std::string prefix,
                                                                  const Clock& clock, milliseconds every = seconds{5});
    ~CacheWatch();
    CacheWatch(const CacheWatch&) = delete;
    CacheWatch& operator=(const CacheWatch&) = delete;

    /// What Redis refused in the last round that it answered; empty: nothing.
    [[nodiscard]] std::string trouble() const;

private:
    struct Answers;
    CacheWatch(std::shared_ptr<Client> client, std::string prefix, const Clock& clock, milliseconds every);
    void ask(UniqueFunction<void(std::string refused)> done);
    void run();
    void note(const std::string& refused);

    const std::shared_ptr<Client> client_;
    RedisCache cache_;
    const Clock& clock_;
    const milliseconds every_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    mutable std::mutex mutex_;
    std::string trouble_;
    rt::Timer timer_;
};

}  // namespace parley::redis
