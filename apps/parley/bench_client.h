#pragma once
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench_tally.h"

namespace parley::app {

/// What all clients of a run share.
struct BenchPlan {
    sockaddr_storage address{};
    socklen_t address_size = 0;
    std::string host;  ///< for the Host header
    std::string path;
    int in_flight = 1;
    std::size_t payload = 0;
    bool message_ids = false;
    std::uint64_t messages = 0;  ///< SENDs of the whole run; 0: no limit
    bool sending = false;        ///< senders go on as their receipts come
};

enum class BenchRole : std::uint8_t { kIdle = 0, kSends = 1, kReceives = 2, kBoth = 3 };

/// One connection of the load generator: WebSocket upgrade, CONNECT, SUBSCRIBEs, then SENDs as receipts come.
/// Thread: one. Owns its socket; borrows plan, tally and room, which outlive it.
/// Order:  a receiver's seqs must rise by one each; what is not so is counted in the tally.
/// Fails:  a refusal of the handshake, an ERROR frame and a lost connection end it: failed(), with a line in the tally.
class BenchClient {
public:
    BenchClient(const BenchPlan& plan, Tally& tally, BenchRoom& room, BenchRole role, int number);
    ~BenchClient();
    BenchClient(const BenchClient&) = delete;
    BenchClient& operator=(const BenchClient&) = delete;

    /// False: no socket; the line is in the tally.
    [[nodiscard]] bool connect(const std::string& token);
    [[nodiscard]] int fd() const noexcept { return fd_; }
    /// `scratch` is lent for the call.
    void on_readable(std::string& scratch);
    void on_writable();
    [[nodiscard]] bool wants_write() const noexcept {
        return !failed() && (phase_ == Phase::kConnecting || written_ < out_.size());
    }

    [[nodiscard]] bool ready() const noexcept { return phase_ == Phase::kReady; }
    [[nodiscard]] bool failed() const noexcept { return phase_ == Phase::kFailed; }
    [[nodiscard]] bool sends() const noexcept { return (static_cast<unsigned>(role_) & 1U) != 0; }
    [[nodiscard]] bool receives() const noexcept { return (static_cast<unsigned>(role_) & 2U) != 0; }
    /// Sends as much as may be in flight.
    void start();
    [[nodiscard]] std::size_t unanswered() const noexcept { return slots_.size() - free_.size(); }
    /// Whether every acknowledged message of the room has arrived here, the first one included.
    [[nodiscard]] bool complete() const noexcept;

private:
    enum class Phase : std::uint8_t { kConnecting, kUpgrading, kOpening, kSubscribing, kReady, kFailed };
    struct Slot {
        std::uint64_t receipt = 0;
        SteadyTime sent{};
    };

    void fail(std::string_view why);
    std::size_t take_upgrade(std::string_view bytes);
    std::size_t take_frames(std::string_view bytes);
    void on_stomp(std::string_view frame);
    void on_receipt(std::string_view id, std::string_view seq);
    void on_delivery(std::string_view seq, std::string_view body);
    void on_error_message(std::string_view body);
    void subscribe();
    void refill();
    void send_one(SteadyTime now);
    void stomp(std::string_view frame);
    void flush();

    const BenchPlan& plan_;
    Tally& tally_;
    BenchRoom& room_;
    const BenchRole role_;
    Phase phase_ = Phase::kConnecting;
    int fd_ = -1;
    const int number_;
    std::uint32_t random_;
    std::string key_;  ///< Sec-WebSocket-Key
    std::string in_;   ///< an incomplete frame
    std::string out_;
    std::size_t written_ = 0;
    SteadyTime now_{};         ///< when the bytes at hand were read
    std::vector<Slot> slots_;  ///< SENDs in flight
    std::vector<int> free_;
    std::uint64_t next_ = 1;   ///< receipt = next_ * in_flight + slot: unique, and says its slot
    std::uint64_t first_ = 0;  ///< first and last seq received
    std::uint64_t last_ = 0;
};

}  // namespace parley::app
