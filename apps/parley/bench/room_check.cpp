#include "bench/room_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::bench {

void RoomCheck::grow() {
    std::vector<Known> larger(ring_.size() * 2);
    for (const Known& known : ring_) larger[known.seq & (larger.size() - 1)] = known;
    ring_ = std::move(larger);
}

/// nullptr: the seq is older than what is remembered.
RoomCheck::Known* RoomCheck::slot(std::uint64_t seq) {
    while (seq > top_ && seq - checked_ >= ring_.size() && ring_.size() < kLargest) grow();
    Known* known = &ring_[seq & (ring_.size() - 1)];
    if (known->seq > seq) return nullptr;
    return known;
}

void RoomCheck::is(std::uint64_t seq, const Stamp& stamp) {
    Known* const known = slot(seq);
    if (known == nullptr) return;
    if (known->seq == seq) [[likely]] {
        if (known->stamp == stamp) [[likely]]
            return;
        ++tally_.faults.mixed_up;
        tally_.problem(fmt::format("room {}: seq {} is message {} of sender {} and message {} of sender {}", name_, seq,
                                   known->stamp.counter, known->stamp.sender, stamp.counter, stamp.sender));
        return;
    }
    *known = {seq, stamp, false};
    top_ = std::max(top_, seq);
    if (seq == checked_ + 1) check_senders();
}

void RoomCheck::check_senders() {
    for (const Known* next = &ring_[(checked_ + 1) & (ring_.size() - 1)]; next->seq == checked_ + 1;
         next = &ring_[(checked_ + 1) & (ring_.size() - 1)]) {
        ++checked_;
        if (next->stamp == kNobodys) continue;
        Sender& sender = senders_[next->stamp.sender];
        const std::uint32_t counter = next->stamp.counter;
        if (counter <= sender.last) {
            ++tally_.faults.reordered;
            tally_.problem(fmt::format("room {}: message {} of sender {} came after its {} (doubled, or reordered)",
                                       name_, counter, next->stamp.sender, sender.last));
            continue;
        }
        if (counter != sender.last + 1 && !sender.holes) {
            ++tally_.faults.lost;
            tally_.problem(fmt::format("room {}: after message {} of sender {} came {}", name_, sender.last,
                                       next->stamp.sender, counter));
        }
        sender.last = counter;
    }
}

void RoomCheck::acknowledge(std::uint64_t seq, const Stamp& stamp) {
    is(seq, stamp);
    if (Known* const known = slot(seq); known != nullptr && known->seq == seq) {
        if (known->acknowledged) {
            ++tally_.faults.doubled_seqs;
            tally_.problem(fmt::format("room {}: two receipts with seq {}", name_, seq));
        }
        known->acknowledged = true;
    }
    lowest_ = lowest_ == 0 ? seq : std::min(lowest_, seq);
    highest_ = std::max(highest_, seq);
}

std::int64_t RoomCheck::sent_ns(std::uint64_t seq) const noexcept {
    const Known& known = ring_[seq & (ring_.size() - 1)];
    return known.seq == seq ? known.stamp.sent_ns : 0;
}

}  // namespace parley::bench
