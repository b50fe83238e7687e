#include "bench/client.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace parley::bench {
namespace {
constexpr std::size_t kReadSize = 256 * 1024;
constexpr int kSlowBuffer = 32 * 1024;  ///< a slow reader's kernel must not read in its place
constexpr std::size_t kWriteEarly = 256 * 1024;
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
      check_(seat_.number, place.room, shared.tally),
      lines_{{{shared.epoll, std::uint64_t{seat_.number} * kLines + kMain},
              {shared.epoll, std::uint64_t{seat_.number} * kLines + kBack}}} {
    // What it missed comes before it is live.
    if (seat_.after_seq != 0) check_.live(0, seat_.after_seq);
}

bool Client::connect() {
    began_ns_ = Shared::steady_ns();
    talk_->begin(lines_[kMain].out);
    if (Conversation* const back = talk_->way_back()) {
        ++unlive_;
        back->begin(lines_[kBack].out);
    }
    flush();
    return !over();
}

bool Client::open(Line& line) {
    const bool slow = pace_ == Pace::kSlow || pace_ == Pace::kStalled;
    const std::string problem = line.open(*place_.address, place_.address_size, slow ? kSlowBuffer : 0, place_.wire);
    if (!problem.empty()) fail(problem);
    return problem.empty();
}

void Client::finish(Phase phase) {
    phase_ = phase;
    for (Line& line : lines_) line.close();
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
    finish(Phase::kFailed);
}

void Client::leave() {
    if (over()) return;
    lines_[kMain].out.clear();
    talk_->append_close(lines_[kMain].out);
    flush();
    finish(Phase::kEnded);
}

// --- input --------------------------------------------------------------------------------------------------------

void Client::on_ready(std::size_t which, std::uint32_t events) {
    Line& line = lines_[which];
    if (over() || line.is_closed()) return;
    if ((events & EPOLLOUT) != 0) {
        const std::uint64_t before = line.sent;
        if (const std::string problem = line.on_writable(); !problem.empty()) {
            fail(problem);
            return;
        }
        count_sent(line.sent - before);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(which, SIZE_MAX);
    if (live()) refill();
    flush();
}

void Client::read_some(std::size_t limit) {
    read(kMain, limit);
    if (live()) refill();
    flush();
}

void Client::read(std::size_t which, std::size_t limit) {
    Line& line = lines_[which];
    while (limit != 0) {
        const std::size_t wanted = std::min(limit, kReadSize);
        const Line::Read read = line.read(shared_.scratch, wanted);
        if (read.closed) {
            on_closed(which);
            return;
        }
        if (!read.problem.empty()) {
            fail(read.problem);
            return;
        }
        if (read.got == 0) return;
        heard_ = true;
        shared_.now_ns = Shared::steady_ns();
        shared_.tally.delivered_bytes += read.got;
        const std::size_t used = talk(which).take({read.bytes.data(), read.bytes.size()}, line.out, *this);
        if (over()) return;
        line.keep(read.bytes.subspan(used));
        limit -= read.got;
        if (read.got < wanted) return;
    }
}

void Client::on_closed(std::size_t which) {
    Line& line = lines_[which];
    line.close();
    if (!talk(which).on_closed(line.out)) fail("the server closed the connection");
}

void Client::set_deaf(bool deaf) {
    deaf_ = deaf;
    if (!over()) lines_[kMain].watch(!deaf_);
}

void Client::tick() {
    talk_->on_tick(lines_[kMain].out);
    flush();
}

void Client::on_live() {
    if (live() || --unlive_ != 0) return;
    phase_ = Phase::kLive;
    for (Line& line : lines_) line.acknowledge_what_is_read();
    ConnectTally& connects = shared_.tally.connects;
    ++connects.count;
    connects.round_trips += static_cast<std::uint64_t>(round_trips_);
    for (const Line& line : lines_) {
        connects.sent_bytes += line.sent;
        connects.received_bytes += line.received;
    }
    if (pace_ == Pace::kStorm) {
        ++shared_.tally.storm.served;
        shared_.tally.storm.took.add(std::chrono::nanoseconds{shared_.now_ns - began_ns_});
    }
    if (seat_.after_seq == 0 && !started_) check_.live(shared_.loaded ? shared_.now_ns : 0, 0);
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

void Client::on_other(std::uint64_t seq) { check_.on_seq(seq, RoomCheck::kNobodys); }

void Client::on_start(std::uint64_t seq) {
    place_.room.check->begin_at(seq);
    check_.live(0, seq);
    started_ = true;
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
    finish(Phase::kEnded);
}

// --- output -------------------------------------------------------------------------------------------------------

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
    const std::size_t which = talk_->way_back() == nullptr ? kMain : kBack;
    talk(which).append_send(lines_[which].out, stamp, shared_.sizes.next());
    if (lines_[which].out.size() >= kWriteEarly) flush();
}

void Client::count_sent(std::uint64_t bytes) {
    shared_.tally.sent_bytes += bytes;
    if (bytes != 0 && std::exchange(heard_, false)) ++round_trips_;
}

void Client::flush() {
    if (over()) return;
    if (Conversation* const back = talk_->way_back()) back->append_waiting(lines_[kBack].out);
    bool opened = false;
    for (Line& line : lines_) {
        if (line.out.empty()) continue;
        if (line.is_closed()) {
            if (!open(line)) return;
            if (!std::exchange(opened, true)) ++round_trips_;
        }
        const std::uint64_t before = line.sent;
        if (const std::string problem = line.flush(); !problem.empty()) {
            fail(problem);
            return;
        }
        count_sent(line.sent - before);
        if (!seat_.sends) line.free_spare();
    }
    lines_[kMain].watch(!deaf_);
    lines_[kBack].watch(true);
}

}  // namespace parley::bench
