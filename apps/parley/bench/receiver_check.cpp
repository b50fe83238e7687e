#include "bench/receiver_check.h"

#include <fmt/format.h>

namespace parley::bench {

void ReceiverCheck::live(std::int64_t ns, std::uint64_t resumed_after) noexcept {
    live_ns_ = resumed_after == 0 ? ns : 0;
    first_ = last_ = resumed_after;
}

void ReceiverCheck::jumped(std::uint64_t from, std::uint64_t to, const char* what) {
    ++(to > from ? tally_.faults.gaps : tally_.faults.repeats);
    tally_.problem(
        fmt::format("connection {}, room {}: {} {} came after {}", number_, room_.check->name(), what, to, from));
}

void ReceiverCheck::on_seq(std::uint64_t seq, const Stamp& stamp) {
    if (seq == last_ + 1 && last_ != 0) [[likely]] {
        last_ = seq;
    } else if (last_ == 0) {
        first_ = last_ = seq;
        const std::int64_t before = room_.check->sent_ns(seq - 1);
        if (before > live_ns_ || (live_ns_ == 0 && seq != 1)) jumped(0, seq, "seq");
    } else {
        jumped(last_, seq, "seq");
        if (seq > last_) last_ = seq;
    }
    room_.check->is(seq, stamp);
}

std::uint32_t* ReceiverCheck::counter_of(std::uint32_t sender) {
    if (counters_.empty()) counters_.resize(room_.count, live_ns_ == 0 ? 0 : kUnknown);
    const std::uint32_t place = (sender - room_.first_sender) / room_.stride;
    if (sender < room_.first_sender || (sender - room_.first_sender) % room_.stride != 0 || place >= room_.count) {
        ++tally_.faults.unreadable;
        tally_.problem(
            fmt::format("connection {}, room {}: a message of sender {}", number_, room_.check->name(), sender));
        return nullptr;
    }
    return &counters_[place];
}

void ReceiverCheck::on_counter(const Stamp& stamp) {
    std::uint32_t* const last = counter_of(stamp.sender);
    if (last == nullptr) return;
    if (*last != kUnknown && stamp.counter != *last + 1) {
        jumped(*last, stamp.counter, "message");
        if (stamp.counter < *last) return;
    }
    *last = stamp.counter;
}

std::uint32_t ReceiverCheck::on_event(std::uint32_t sender) {
    std::uint32_t* const count = counter_of(sender);
    return count == nullptr || *count == kUnknown ? 0 : ++*count;
}

bool ReceiverCheck::complete(bool by_seq) const noexcept {
    if (by_seq) {
        const RoomCheck& check = *room_.check;
        if (last_ >= check.highest()) return true;
        return last_ == 0 && live_ns_ != 0 && check.sent_ns(check.highest()) <= live_ns_;
    }
    for (std::uint32_t place = 0; place < room_.count; ++place) {
        const std::uint32_t told = room_.senders->acknowledged[room_.first_sender + place * room_.stride];
        const std::uint32_t heard = counters_.empty() ? (live_ns_ == 0 ? 0 : kUnknown) : counters_[place];
        if (heard != kUnknown && heard != told) return false;
    }
    return true;
}

}  // namespace parley::bench
