#pragma once
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "bench/client.h"
#include "bench/dialect.h"
#include "bench/options.h"
#include "bench/target.h"

namespace parley::bench {

/// All connections of a run on one epoll, and who of them sends, receives and dawdles; those of its storm are another
/// crowd.
/// Thread: one. Owns connections and rooms; borrows options, targets, dialects and what is shared.
class Crowd {
public:
    enum class Kind : std::uint8_t { kLoad, kStorm };
    /// `dialects`: one for each target.
    Crowd(Kind kind, const LoadOptions& options, const std::vector<Target>& targets,
          const std::vector<std::unique_ptr<Dialect>>& dialects, Shared& shared);
    ~Crowd();
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    /// The next connection, while there are fewer than asked for. False: it cannot even be begun.
    bool open_next();
    [[nodiscard]] int opened() const noexcept { return opened_; }
    [[nodiscard]] int live() const noexcept { return live_; }
    /// Ends one that does not send, and opens another in its place. False: nobody can be exchanged.
    bool exchange_one(bool resume);

    /// Handles what is there, waiting for at most `wait_ns`.
    void turn(std::int64_t wait_ns);
    /// Lets slow readers read their share of `bytes` each.
    void feed_slow(std::size_t bytes);
    /// From now on slow and stalled readers are as slow as asked for, or all read what is there.
    void set_dawdling(bool on);

    [[nodiscard]] Client& at(std::uint32_t number) { return *clients_[number]; }
    /// Nobody waits for an answer, and every receiver has what was acknowledged.
    [[nodiscard]] bool settled() const;
    /// Counts what never came.
    void count_missing(Tally& tally) const;
    [[nodiscard]] bool all_failed() const;

private:
    [[nodiscard]] Seat seat(std::uint32_t number) const;
    [[nodiscard]] Pace pace(std::uint32_t number) const;
    [[nodiscard]] ReceiverCheck::Room room_of(int room);
    bool open(std::unique_ptr<Client>& place, Seat seat, Pace pace);
    void tick();

    const Kind kind_;
    const std::string_view name_;  ///< what its rooms' and members' names begin with
    const LoadOptions& options_;
    const std::vector<Target>& targets_;
    const std::vector<std::unique_ptr<Dialect>>& dialects_;
    Shared& shared_;
    const std::int64_t every_ns_;  ///< of the dialect's ticks; 0: it has none
    const int epoll_;
    std::vector<std::unique_ptr<RoomCheck>> rooms_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<Client*> slow_;
    struct Tick {
        std::int64_t at_ns;
        std::uint32_t client;
        friend bool operator<(const Tick& a, const Tick& b) { return a.at_ns > b.at_ns; }
    };
    std::priority_queue<Tick> ticks_;  ///< the earliest first
    int opened_ = 0;
    int live_ = 0;
    std::uint32_t exchange_at_ = 0;
};

}  // namespace parley::bench
