#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "bench/histogram.h"

namespace parley::bench {

/// Each is something that must not happen.
struct Faults {
    std::uint64_t refused = 0;           ///< SENDs answered by an error
    std::uint64_t broken = 0;            ///< connections that ended: ERROR frame, close, reset
    std::uint64_t doubled_receipts = 0;  ///< a receipt nobody waited for
    std::uint64_t doubled_seqs = 0;      ///< two receipts of a room with one seq
    std::uint64_t mixed_up = 0;          ///< one seq for two messages
    std::uint64_t reordered = 0;         ///< a sender's later message stands before its earlier one, or twice
    std::uint64_t lost = 0;              ///< a message of a sender is missing between two others
    std::uint64_t gaps = 0;              ///< a receiver saw a number above the next one
    std::uint64_t repeats = 0;           ///< a receiver saw a number again, or a lower one
    std::uint64_t unreadable = 0;        ///< a delivery without the stamp of this run
    std::uint64_t unanswered = 0;        ///< SENDs without receipt at the end
    std::uint64_t incomplete = 0;        ///< receivers, or rooms, without every acknowledged message
    [[nodiscard]] std::uint64_t total() const noexcept {
        return refused + broken + doubled_receipts + doubled_seqs + mixed_up + reordered + lost + gaps + repeats +
               unreadable + unanswered + incomplete;
    }
};

/// What happened to connections that were all made at once, beside the others' (Storm).
struct StormTally {
    std::uint64_t asked = 0;
    std::uint64_t served = 0;
    std::uint64_t refused = 0;  ///< 503 with Retry-After
    std::uint64_t failed = 0;   ///< anything else: each is a fault of the run
    Histogram took;             ///< from connect to subscribed, or refused
};

/// What it took until clients were live. Sums.
struct ConnectTally {
    std::uint64_t count = 0;
    std::uint64_t round_trips = 0;  ///< with those of TCP
    std::uint64_t sent_bytes = 0;   ///< by the client
    std::uint64_t received_bytes = 0;
};

/// Once a second.
struct Sample {
    double at = 0;  ///< seconds since the beginning of what counts; negative: warm-up
    std::uint64_t acknowledged = 0;
    std::uint64_t delivered = 0;
    double delivery_p50 = 0;
    double delivery_p99 = 0;
    double delivery_p999 = 0;
    std::uint64_t resident_bytes = 0;
};

/// What all connections of a run add up to. Thread: one.
struct Tally {
    /// What is sent in this time counts towards latencies, what happens in it towards rates.
    std::int64_t begun_ns = std::numeric_limits<std::int64_t>::max();
    std::int64_t ended_ns = std::numeric_limits<std::int64_t>::max();
    Histogram receipt;
    Histogram delivery;
    Histogram delivery_of_second;
    std::vector<Sample> samples;

    // The whole run.
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t delivered = 0;
    std::uint64_t delivered_bytes = 0;  ///< as read from the sockets
    std::uint64_t sent_bytes = 0;       ///< as written to them
    ConnectTally connects;
    std::uint64_t resyncs = 0;
    std::uint64_t slow_closed = 0;  ///< slow or stalled readers that the server gave up (4408)
    std::uint64_t churned = 0;
    std::uint64_t late_sends = 0;  ///< open loop: sent more than a millisecond after their time
    StormTally storm;

    // Within the time that counts.
    std::uint64_t measured_sent = 0;
    std::uint64_t measured_acknowledged = 0;
    std::uint64_t measured_delivered = 0;
    std::uint64_t measured_bytes = 0;
    std::uint64_t measured_sent_bytes = 0;
    double measured_own_seconds = 0;  ///< of CPU, the generator's own
    double seconds = 0;

    Faults faults;
    std::vector<std::string> problems;  ///< the first few, as lines
    void problem(std::string line);
    [[nodiscard]] bool good() const noexcept { return faults.total() + storm.failed == 0; }
    [[nodiscard]] bool counts(std::int64_t sent_ns) const noexcept { return sent_ns >= begun_ns && sent_ns < ended_ns; }
};

}  // namespace parley::bench
