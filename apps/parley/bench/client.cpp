#include "bench/client.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace parley::bench {
namespace {
constexpr std::size_t kReadSize = 256 * 1024;
constexpr int kSlowBuffer = 32 * 1024;  ///< a slow reader's kernel must not read in its place
constexpr std::size_t kWriteEarly = 256 * 1024;
constexpr std::size_t kKeptCapacity = 4096;
}  // namespace

std::int64_t Shared::steady_ns() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

Client::Client(Shared& shared, Seat seat, Place place, Pace pace, int in_flight, std::unique_ptr<Conversation> talk)
    : shared_(shared),
      seat_(std::move(seat)),
      place_(place),
      pace_(pace),
      in_flight_(static_cast<std::size_t>(in_flight)),
      talk_(std::move(talk)),
      check_(seat_.number, place.room, shared.tally) {
    // What it missed comes before it is live.
    if (seat_.after_seq != 0) check_.live(0, seat_.after_seq);
}

Client::~Client() { close_socket(); }

void Client::close_socket() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

bool Client::connect() {
    began_ns_ = Shared::steady_ns();
    fd_ = ::socket(place_.address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) {
        fail(fmt::format("no socket: {}", std::strerror(errno)));
        return false;
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (pace_ == Pace::kSlow || pace_ == Pace::kStalled) {
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &kSlowBuffer, sizeof kSlowBuffer);
    }
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(place_.address), place_.address_size) != 0 &&
        errno != EINPROGRESS) {
        fail(fmt::format("cannot connect: {}", std::strerror(errno)));
        return false;
    }
    talk_->begin(out_);
    return true;
}

void Client::fail(std::string_view why) {
    if (over()) return;
    if (pace_ == Pace::kStorm) {
        ++shared_.tally.storm.failed;
        shared_.tally.problem(fmt::format("connection {} of the storm: {}", seat_.number, why));
    } else {
        ++shared_.tally.faults.broken;
        shared_.tally.problem(fmt::format("connection {}: {}", seat_.number, why));
    }
    phase_ = Phase::kFailed;
    close_socket();
}

void Client::leave() {
    if (over()) return;
    out_.clear();
    written_ = 0;
    talk_->append_close(out_);
    flush();
    phase_ = Phase::kEnded;
    close_socket();
}

// --- input --------------------------------------------------------------------------------------------------------

void Client::on_readable(std::size_t limit) {
    while (!over()) {
        // What is left of the frame before goes in front, so that a frame is always in one piece.
        std::vector<char>& scratch = shared_.scratch;
        const std::size_t wanted = std::min(limit, kReadSize);
        if (scratch.size() < in_.size() + wanted) scratch.resize(in_.size() + wanted);
        std::copy(in_.begin(), in_.end(), scratch.begin());
        const ssize_t got = ::recv(fd_, scratch.data() + in_.size(), wanted, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
        if (got <= 0) {
            fail(got == 0 ? "the server closed the connection" : std::strerror(errno));
            return;
        }
        const auto size = static_cast<std::size_t>(got);
        shared_.now_ns = Shared::steady_ns();
        shared_.tally.delivered_bytes += size;
        const std::size_t whole = in_.size() + size;
        const std::size_t used = take(whole);
        in_.assign(scratch.data() + used, whole - used);
        if (in_.empty() && in_.capacity() > kKeptCapacity) in_.shrink_to_fit();
        limit -= size;
        if (size < wanted || limit == 0) break;
    }
    if (live()) refill();
    flush();
}

std::size_t Client::take(std::size_t size) {
    const std::size_t used = talk_->take({shared_.scratch.data(), size}, out_, *this);
    return over() ? size : used;
}

void Client::on_live() {
    if (live()) return;
    phase_ = Phase::kLive;
    if (pace_ == Pace::kStorm) {
        ++shared_.tally.storm.served;
        shared_.tally.storm.took.add(std::chrono::nanoseconds{shared_.now_ns - began_ns_});
    }
    if (seat_.after_seq == 0) check_.live(shared_.loaded ? shared_.now_ns : 0, 0);
}

void Client::count_latency(std::int64_t sent_ns) {
    if (pace_ != Pace::kNormal) return;
    const std::chrono::nanoseconds took{shared_.now_ns - sent_ns};
    if (shared_.tally.counts(sent_ns)) shared_.tally.delivery.add(took);
    shared_.tally.delivery_of_second.add(took);
}

void Client::on_delivery(std::uint64_t seq, const Stamp& stamp) {
    ++shared_.tally.delivered;
    if (shared_.traits.seqs) {
        check_.on_seq(seq, stamp);
    } else {
        check_.on_counter(stamp);
    }
    count_latency(stamp.sent_ns);
    if (!shared_.traits.receipts && stamp.sender == seat_.number) answered(stamp.counter, seq);
}

void Client::on_event(std::uint32_t sender) {
    ++shared_.tally.delivered;
    const std::uint32_t counter = check_.on_event(sender);
    if (counter == 0) return;
    count_latency(shared_.senders.event_times[sender * Senders::kRemembered + counter % Senders::kRemembered]);
}

void Client::on_unreadable(std::string_view what) {
    ++shared_.tally.faults.unreadable;
    shared_.tally.problem(
        fmt::format("connection {}: a delivery that is none of ours: {}", seat_.number, what.substr(0, 200)));
}

void Client::on_receipt(std::uint32_t counter, std::uint64_t seq) { answered(counter, seq); }

void Client::answered(std::uint32_t counter, std::uint64_t seq) {
    const auto stamp = flights_.end(counter);
    if (!stamp) {
        ++shared_.tally.faults.doubled_receipts;
        shared_.tally.problem(fmt::format("connection {}: the answer to {} was not waited for", seat_.number, counter));
        return;
    }
    ++shared_.tally.acknowledged;
    if (shared_.tally.counts(stamp->sent_ns)) {
        shared_.tally.receipt.add(std::chrono::nanoseconds{shared_.now_ns - stamp->sent_ns});
    }
    std::uint32_t& highest = shared_.senders.acknowledged[seat_.number];
    highest = std::max(highest, counter);
    if (shared_.traits.seqs) place_.room.check->acknowledge(seq, *stamp);
}

void Client::on_refusal(std::uint32_t counter, std::string_view why) {
    ++shared_.tally.faults.refused;
    shared_.tally.problem(fmt::format("connection {}: refused: {}", seat_.number, why));
    if (counter == 0 || !flights_.end(counter)) return;
    place_.room.check->refused(seat_.number);
}

void Client::on_end(End end, std::string_view why) {
    if (end == End::kBusy && pace_ == Pace::kStorm) {
        ++shared_.tally.storm.refused;
        shared_.tally.storm.took.add(std::chrono::nanoseconds{shared_.now_ns - began_ns_});
    } else if (end == End::kTooSlow && (pace_ == Pace::kSlow || pace_ == Pace::kStalled)) {
        ++shared_.tally.slow_closed;
    } else {
        fail(why);
        return;
    }
    phase_ = Phase::kEnded;
    close_socket();
}

// --- output -------------------------------------------------------------------------------------------------------

void Client::on_writable() {
    if (phase_ == Phase::kConnecting) {
        int problem = 0;
        socklen_t size = sizeof problem;
        ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &problem, &size);
        if (problem != 0) {
            fail(fmt::format("cannot connect: {}", std::strerror(problem)));
            return;
        }
        phase_ = Phase::kOpening;
    }
    flush();
}

void Client::refill() {
    if (!shared_.closed_loop || !seat_.sends) return;
    while (shared_.sending && flights_.size() < in_flight_) {
        if (shared_.messages != 0 && shared_.tally.sent >= shared_.messages) return;
        send_one(Shared::steady_ns());
    }
}

void Client::send_one(std::int64_t intended_ns) {
    const Stamp stamp{intended_ns, seat_.number, flights_.next()};
    flights_.begin(stamp);
    ++shared_.tally.sent;
    if (shared_.traits.counted) {
        shared_.senders.event_times[seat_.number * Senders::kRemembered + stamp.counter % Senders::kRemembered] =
            intended_ns;
    }
    talk_->append_send(out_, stamp, shared_.sizes.next());
    if (out_.size() - written_ >= kWriteEarly) flush();
}

void Client::flush() {
    while (!over() && phase_ != Phase::kConnecting && written_ < out_.size()) {
        const ssize_t sent = ::send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (sent < 0) {
            fail(fmt::format("sending: {}", std::strerror(errno)));
            return;
        }
        written_ += static_cast<std::size_t>(sent);
    }
    if (over() || phase_ == Phase::kConnecting) return;
    out_.clear();
    written_ = 0;
    if (out_.capacity() > kKeptCapacity && !seat_.sends) out_.shrink_to_fit();
}

}  // namespace parley::bench
