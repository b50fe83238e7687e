#pragma once
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "bench/dialect.h"
#include "bench/flights.h"
#include "bench/line.h"
#include "bench/options.h"
#include "bench/receiver_check.h"
#include "bench/room_check.h"
#include "bench/tally.h"

namespace parley::bench {

/// What all connections of a run share. Thread: one.
struct Shared {
    Tally& tally;
    PayloadSizes& sizes;
    Senders& senders;
    Dialect::Traits traits;
    std::uint64_t messages = 0;  ///< SENDs of the whole run; 0: no limit
    bool closed_loop = true;
    bool loaded = false;        ///< the first SEND has been allowed
    bool sending = false;       ///< senders go on as their answers come
    std::int64_t now_ns = 0;    ///< when the bytes at hand were read
    std::vector<char> scratch;  ///< lent for a read
    int epoll = -1;

    [[nodiscard]] static std::int64_t steady_ns() noexcept;
};

enum class Pace : std::uint8_t { kNormal, kSlow, kStalled, kStorm };

/// One client of the generator: its sockets, its SENDs in flight, and the judgement of what it receives. A second
/// socket is opened where its conversation has a way back of its own.
///
/// Thread: one. Owns its sockets and conversation; borrows what is shared and its room, which outlive it.
/// Order:  bytes leave in the order they were made, at most one send() each time it is flushed.
/// Fails:  failed(), with a line in the tally; polite refusals of a storm and readers given up are only counted.
class Client final : private Events {
public:
    struct Place {
        const sockaddr_storage* address = nullptr;
        socklen_t address_size = 0;
        Line::Wire wire = Line::Wire::kPlain;
        ReceiverCheck::Room room;
    };
    Client(Shared& shared, Seat seat, Place place, Pace pace, int in_flight, std::unique_ptr<Conversation> talk);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// False: it cannot even be begun; the line is in the tally.
    [[nodiscard]] bool connect();
    /// What epoll gives back: whose socket it is, and which.
    struct Tag {
        std::uint32_t client;
        std::size_t line;
    };
    [[nodiscard]] static Tag read_tag(std::uint64_t tag) noexcept {
        return {static_cast<std::uint32_t>(tag / kLines), static_cast<std::size_t>(tag % kLines)};
    }
    void on_ready(std::size_t line, std::uint32_t events);
    /// Reads up to `limit` bytes, answers, and sends what may be sent.
    void read_some(std::size_t limit);
    /// Whether it leaves alone what has come for it.
    void set_deaf(bool deaf);
    /// The dialect's regular time has come.
    void tick();

    [[nodiscard]] bool live() const noexcept { return phase_ == Phase::kLive; }
    [[nodiscard]] bool over() const noexcept { return phase_ == Phase::kFailed || phase_ == Phase::kEnded; }
    [[nodiscard]] bool failed() const noexcept { return phase_ == Phase::kFailed; }
    [[nodiscard]] const Seat& seat() const noexcept { return seat_; }
    [[nodiscard]] Pace pace() const noexcept { return pace_; }
    void set_pace(Pace pace) noexcept { pace_ = pace; }
    [[nodiscard]] std::uint64_t last_seq() const noexcept { return check_.last_seq(); }

    /// Closed loop: sends as much as may be in flight.
    void refill();
    /// One SEND that was meant for `intended_ns`.
    void send_one(std::int64_t intended_ns);
    void flush();
    /// Ends it in order; nothing is asked of it any more.
    void leave();
    [[nodiscard]] std::size_t unanswered() const noexcept { return flights_.size(); }
    [[nodiscard]] bool complete() const noexcept { return !seat_.receives || check_.complete(shared_.traits.seqs); }

private:
    enum class Phase : std::uint8_t { kOpening, kLive, kFailed, kEnded };
    enum : std::size_t { kMain, kBack, kLines };

    void on_live() override;
    void on_delivery(std::uint64_t seq, const Stamp& stamp) override;
    void on_other(std::uint64_t seq) override;
    void on_start(std::uint64_t seq) override;
    void on_event(std::uint32_t sender) override;
    void on_unreadable(std::string_view what) override;
    void on_receipt(std::uint32_t counter, std::uint64_t seq) override;
    void on_refusal(std::uint32_t counter, std::string_view why) override;
    void on_resync() override { ++shared_.tally.resyncs; }
    void on_end(End end, std::string_view why) override;

    void answered(std::uint32_t counter, std::uint64_t seq);
    void count_latency(std::int64_t sent_ns);
    void fail(std::string_view why);
    void finish(Phase phase);
    void read(std::size_t line, std::size_t limit);
    void on_closed(std::size_t line);
    [[nodiscard]] bool open(Line& line);
    /// Has `bytes` left just now?
    void count_sent(std::uint64_t bytes);
    [[nodiscard]] Conversation& talk(std::size_t line) noexcept { return line == kBack ? *talk_->way_back() : *talk_; }

    Shared& shared_;
    const Seat seat_;
    const Place place_;
    Pace pace_;
    Phase phase_ = Phase::kOpening;
    bool deaf_ = false;
    bool started_ = false;  ///< behind a seq that it was told
    bool heard_ = true;     ///< since it wrote last
    int unlive_ = 1;        ///< conversations that are not live yet
    int round_trips_ = 0;   ///< until it was live
    const std::size_t in_flight_;
    std::int64_t began_ns_ = 0;
    std::unique_ptr<Conversation> talk_;
    ReceiverCheck check_;
    std::array<Line, kLines> lines_;
    Flights flights_;
};

}  // namespace parley::bench
