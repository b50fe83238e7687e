// The part of Connection that is between the socket and its handler where TLS is spoken.
#include "base/logger.h"
#include "rt/connection.h"

namespace parley::rt {
namespace {

/// What TLS may have to answer to a peer that reads none of it: alerts, changes of keys.
constexpr std::size_t kUnreadAnswers = 64 * 1024;

/// The first byte of a method, which no TLS record begins with.
bool is_plain_text(std::span<const char> bytes) noexcept {
    return !bytes.empty() && bytes.front() >= 'A' && bytes.front() <= 'Z';
}
}  // namespace

void Connection::unseal(std::span<char> arrived) {
    if (!tls_->has_begun() && is_plain_text(arrived)) {
        tls_.reset();
        handler_->on_plain_text(*this);
        return;
    }
    const auto room = set_.record_buffer();
    bool is_shaking = is_shaking_hands();
    Tls::Opened opened{};
    do {
        const auto waiting = static_cast<std::int64_t>(tls_->sealed().bytes());
        opened = tls_->open(arrived, room);
        const std::size_t answers = tls_->sealed().bytes();
        set_.count_queued(static_cast<std::int64_t>(answers) - waiting);
        if (answers > kUnreadAnswers) {
            abort();
            return;
        }
        if (answers > 0) set_.mark_dirty(*this);
        if (is_shaking && tls_->is_established()) set_.add_one(set_.handshakes_);
        is_shaking = is_shaking_hands();
        if (opened.bytes > 0) take_in(room.first(opened.bytes));
    } while (opened.bytes > 0 && state_ == State::kOpen);
    if (state_ != State::kOpen) return;
    if (opened.step == Tls::Step::kEnded) end_of_input_ = peer_ended_ = true;
    if (opened.step != Tls::Step::kFailed) return;
    if (is_shaking) set_.add_one(set_.failed_handshakes_);
    if (logger::enabled(logger::Level::kDebug)) {
        logger::debug("rt", "TLS failed", {{"peer", peer_address()}, {"why", tls_->problem()}});
    }
    finish();  // with the alert that says why
}

/// What the socket has room for leaves the queue that is shared with others and becomes this connection's own.
OutQueue& Connection::seal() {
    OutQueue& sealed = tls_->sealed();
    const std::size_t before = out_.bytes() + sealed.bytes();
    if (sealed.bytes() < Tls::kRecord && !tls_->seal(out_, set_.record_buffer())) abort();
    set_.count_queued(static_cast<std::int64_t>(out_.bytes() + sealed.bytes()) - static_cast<std::int64_t>(before));
    if (state_ == State::kFlushing && out_.empty()) say_goodbye();
    return sealed;
}

void Connection::say_goodbye() {
    const auto before = static_cast<std::int64_t>(tls_->sealed().bytes());
    tls_->end();
    set_.count_queued(static_cast<std::int64_t>(tls_->sealed().bytes()) - before);
}

std::span<char> ConnectionSet::record_buffer() {
    if (record_buffer_ == nullptr) record_buffer_ = std::make_unique_for_overwrite<char[]>(Tls::kRecord);
    return {record_buffer_.get(), Tls::kRecord};
}

}  // namespace parley::rt
