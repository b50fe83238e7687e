#include "gateway/stomp_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/uuid.h"
#include "gateway/close_code.h"
#include "gateway/core.h"
#include "gateway/exchange.h"

namespace parley::gateway {
namespace {
constexpr std::string_view kServer = "parley/0.1";
constexpr std::size_t kInputWhileBusy = 64 * 1024;
constexpr std::uint16_t kCloseSilent = 4500;
/// Beyond it a session's next frame waits for an answer to one before: back-pressure, not refusal.
constexpr std::uint32_t kInFlight = 512;
/// A revocation that came while the token was being checked shows in a second look.
constexpr seconds kSecondLook{2};
constexpr milliseconds kFarewell{200};
}  // namespace

StompSession::StompSession(Core& core, auth::Profile profile, std::optional<Identity> identity,
                           std::optional<wire::StompVersion> subprotocol, std::string transport)
    : core_(core),
      last_received_(core.loop().now()),
      last_sent_(last_received_),
      look_at_(last_received_ + core.options().handshake_time),
      profile_(profile),
      subprotocol_(subprotocol),
      decoder_({.max_frame = core.options().message}),
      beat_timer_(rt::Timer::of<&StompSession::beat>(this)) {
    speaker_.session = core_.services().next_session.fetch_add(1);
    if (identity) identify(std::move(*identity));
    core_.add(*this);
    core_.services().counters.sessions(transport).add();
}

StompSession::~StompSession() { leave(); }

// --- input --------------------------------------------------------------------------------------------------------

wire::Flow StompSession::on_message(std::string_view bytes) {
    last_received_ = core_.loop().now();
    if (ended_) return wire::Flow::kContinue;
    if (busy() || input_ != nullptr) {
        if (input_ == nullptr) input_ = std::make_unique<std::string>();
        *input_ += bytes;
        const bool enough = input_->size() > kInputWhileBusy || core_.memory().is_shut();
        return enough ? wire::Flow::kPause : wire::Flow::kContinue;
    }
    if (!decoder_.in_frame()) frame_begun_ = last_received_;
    const auto fed = decoder_.feed(bytes, *this);
    if (ended_) return wire::Flow::kContinue;
    if (fed.fault) {
        fault(fed.fault->message, fed.fault->receipt_id,
              fed.fault->kind == wire::StompFault::Kind::kTooLarge ? 1009 : 1002);
        return wire::Flow::kContinue;
    }
    if (fed.consumed < bytes.size()) input_ = std::make_unique<std::string>(bytes.substr(fed.consumed));
    if (decoder_.in_frame() && core_.memory().is_shut()) wait_for_memory();
    return busy() ? wire::Flow::kPause : wire::Flow::kContinue;
}

/// The rest of a frame comes when there is memory for it.
void StompSession::wait_for_memory() {
    hold();
    core_.memory().wait([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self != nullptr && !self->ended_) self->release();
    });
}

void StompSession::release() {
    holding_ = false;
    go_on();
}

void StompSession::go_on() {
    leave_when_done();
    while (!busy() && !ended_ && input_ != nullptr) {
        const auto bytes = std::move(input_);
        (void)on_message(*bytes);
    }
    if (!busy() && !ended_) link_->resume();
}

void StompSession::on_heartbeat() {
    if (activity_ == nullptr) return;
    for (auto& [room, extended] : activity_->stays) extended = core_.loop().now();
}

wire::Flow StompSession::on_frame(const wire::StompFrame& frame) {
    frame_begun_ = last_received_;  // what comes behind it belongs to the next
    dispatch(frame);
    // A client that does not read its receipts and errors waits with its next frame until it has.
    if (!ended_) clogged_ = link_->queued() >= core_.send_buffer().count;
    return busy() || ended_ ? wire::Flow::kPause : wire::Flow::kContinue;
}

void StompSession::dispatch(const wire::StompFrame& frame) {
    using Command = wire::StompCommand;
    if (!admit(frame)) return;
    switch (frame.command) {
        case Command::kSend: on_send(frame); return;
        case Command::kSubscribe: on_subscribe(frame); return;
        case Command::kUnsubscribe: on_unsubscribe(frame); return;
        case Command::kAck:
        case Command::kNack: on_ack(frame); return;
        case Command::kBegin: on_begin(frame); return;
        case Command::kCommit: on_commit(frame); return;
        case Command::kAbort: on_abort(frame); return;
        case Command::kDisconnect: on_disconnect(frame); return;
        case Command::kConnect:
        case Command::kStomp: on_connect(frame); return;
    }
}

// --- CONNECT, DISCONNECT ------------------------------------------------------------------------------------------

void StompSession::on_connect(const wire::StompFrame& frame) {
    const auto version = agreed_version(frame);
    wire::HeartBeat client;
    if (const auto text = frame.find("heart-beat")) client = *wire::parse_heart_beat(*text);
    const auto authorization = frame.find("Authorization");
    // The broker profile asks for no token, so it judges none.
    if (identified_ || profile_ != auth::Profile::kPublic || !authorization) {
        finish_connect(client, version);
        return;
    }
    std::string token{*authorization};
    if (token.starts_with("Bearer ")) token.erase(0, 7);
    hold();
    core_.services().guard.check(
        std::move(token), [weak = weak_from_this(), client, version, &loop = core_.loop()](auto checked) mutable {
            loop.post([weak, client, version, checked = std::move(checked)]() mutable {
                const auto self = weak.lock();
                if (self == nullptr || self->ended_) return;
                if (!checked) {
                    self->fault(name(checked.error().code), {}, close_code(checked.error().code));
                    return;
                }
                self->identify({std::move(checked->claims), std::move(checked->sha256_hex)});
                self->finish_connect(client, version);
                self->release();
            });
        });
}

void StompSession::identify(Identity identity) {
    speaker_.member = std::move(identity.claims.member);
    speaker_.nickname = std::string{std::string_view{identity.claims.nickname}};  // without the room it was read into
    speaker_.guest = identity.claims.guest;
    expires_ = identity.claims.expires;
    issued_at_ = identity.claims.issued_at.value_or(WallTime{});
    token_ = auth::TokenHash::from_hex(identity.token_sha256);
    identified_ = true;
}

void StompSession::finish_connect(wire::HeartBeat client, std::optional<wire::StompVersion> version) {
    if (!identified_) {
        auth::Claims guest;
        guest.member = MemberId::trusted("~guest:" + random_hex(12));
        guest.nickname = "guest";
        guest.guest = true;
        guest.expires = WallTime::max();
        identify({std::move(guest), {}});
    }
    decoder_.set_version(*version);
    connected_ = true;
    if (!speaker_.guest) core_.came_online(speaker_.member, speaker_.nickname);
    look_at_ = speaker_.guest ? SteadyTime::max() : core_.loop().now() + kSecondLook;
    beat_ = wire::negotiate_heart_beat(client, core_.options().heart_beat);
    const auto& offered = core_.options().heart_beat;
    const std::string heart_beat = std::to_string(offered.sends) + ',' + std::to_string(offered.expects);
    const std::string session = std::to_string(speaker_.session);
    const std::array<wire::StompHeader, 5> headers{{{"version", wire::name(*version)},
                                                    {"heart-beat", heart_beat},
                                                    {"server", kServer},
                                                    {"session", session},
                                                    {"user-name", speaker_.member.str()}}};
    send("CONNECTED", headers);
    beat();
}

void StompSession::on_disconnect(const wire::StompFrame& frame) {
    if (const auto asked = frame.find("receipt")) last_word_ = std::make_unique<std::string>(*asked);
    disconnecting_ = true;
    // The receipt says that everything before it is done.
    if (in_flight_ == 0) disconnect();
}

void StompSession::disconnect() {
    if (last_word_ != nullptr) receipt(*last_word_);
    const auto self = weak_from_this().lock();  // the answers that were waited for may hold the last reference
    leave();
    // The client closes: where the server is faster, some containers' write of the DISCONNECT ends in an exception.
    core_.loop().arm(beat_timer_, kFarewell);
    link_->resume();
}

// --- what there is -------------------------------------------------------------------------------------------------

StompSubscription* StompSession::subscription(std::string_view id) noexcept {
    for (const auto& subscription : subscriptions_) {
        if (subscription->id() == id) return subscription.get();
    }
    return nullptr;
}

StompSubscription& StompSession::add(std::unique_ptr<StompSubscription> subscription) {
    subscriptions_.push_back(std::move(subscription));
    return *subscriptions_.back();
}

StompSession::Activity& StompSession::activity() {
    if (activity_ == nullptr) {
        activity_ = std::make_unique<Activity>();
        activity_->rate = core_.services().rates.send(speaker_.member.str(), core_.loop().now());
    }
    return *activity_;
}

StompSession::Transaction* StompSession::transaction(std::string_view id) {
    if (activity_ == nullptr) return nullptr;
    const auto found = activity_->transactions.find(id);
    return found == activity_->transactions.end() ? nullptr : &found->second;
}

// --- output -------------------------------------------------------------------------------------------------------

void StompSession::send(std::string_view command, std::span<const wire::StompHeader> headers, std::string_view body) {
    if (ended_) return;
    std::string& frame = core_.scratch();
    frame.clear();
    wire::append_stomp_frame(frame, command, headers, body, decoder_.version());
    last_sent_ = core_.loop().now();
    link_->send(frame);
}

void StompSession::receipt(AskedReceipt id, std::span<const wire::StompHeader> extra) {
    if (!id) return;
    std::array<wire::StompHeader, 3> headers{{{"receipt-id", *id}}};
    std::copy(extra.begin(), extra.end(), headers.begin() + 1);
    send("RECEIPT", std::span{headers}.first(1 + extra.size()));
}

void StompSession::user_message(auth::DestinationKind queue, std::string_view destination, std::string_view json) {
    for (std::size_t i = 0; i < subscriptions_.size(); ++i) {
        if (subscriptions_[i]->kind() != queue) continue;
        const std::string id = std::to_string(speaker_.session) + '-' + core_.random_id();
        const std::array<wire::StompHeader, 4> headers{{{"destination", destination},
                                                        {"subscription", subscriptions_[i]->id()},
                                                        {"message-id", id},
                                                        {"content-type", "application/json"}}};
        send("MESSAGE", headers, json);
    }
}

void StompSession::refuse(const Refusal& refusal) {
    core_.services().counters.refused(refusal.code).add();
    const Error error{refusal.code, std::string{refusal.message}};
    const std::string_view text = told_to_clients(error);
    const bool has_queue = hears(auth::DestinationKind::kErrors);
    if (is_own_fault(refusal.code)) core_.refusals().note(refusal.code, refusal.message, speaker_.member.str());
    const bool cuts_delivery = refusal.code == Code::kHistoryTruncated || refusal.code == Code::kPositionInvalid;
    if (has_queue || refusal.receipt || cuts_delivery) {
        std::string extra{refusal.extra};
        if (refusal.receipt) {
            if (!extra.empty()) extra += ',';
            extra += R"("receiptId":)";
            append_json_string(extra, *refusal.receipt);
        }
        const std::string json = error_json(refusal.code, text, extra);
        if (has_queue) {
            user_message(auth::DestinationKind::kErrors, "/user/queue/errors", json);
        } else {
            fault(fmt::format("{}: {}", name(refusal.code), text), refusal.receipt, close_code(refusal.code), json);
        }
        return;
    }
    if (!is_own_fault(refusal.code)) core_.refusals().note(refusal.code, text, speaker_.member.str());
}

bool StompSession::hears(auth::DestinationKind queue) const noexcept {
    return std::ranges::any_of(subscriptions_, [queue](const auto& entry) { return entry->kind() == queue; });
}

void StompSession::fault(std::string_view message, AskedReceipt receipt_id, std::uint16_t code, std::string_view json) {
    if (ended_) return;
    std::vector<wire::StompHeader> headers{{"message", message},
                                           {"content-type", json.empty() ? "text/plain" : "application/json"}};
    if (receipt_id) headers.push_back({"receipt-id", *receipt_id});
    send("ERROR", headers, json.empty() ? message : json);
    end(code, message);
}

void StompSession::end(std::uint16_t code, std::string_view reason) {
    if (ended_) return;
    const auto self = weak_from_this().lock();  // the link may let go of us
    leave();                                    // first: closing may call back
    link_->close(code, reason);
}

void StompSession::on_closed() {
    leave();
    beat_timer_.cancel();  // nobody is left to wait for
    link_ = nullptr;
}

void StompSession::leave() {
    if (ended_) return;
    ended_ = true;
    if (connected_ && !speaker_.guest) core_.went_offline(speaker_.member);
    if (activity_ != nullptr) {
        for (const auto& [room, extended] : activity_->stays) core_.chat().disconnect(speaker_, room);
        activity_->transactions.clear();
    }
    if (hears(auth::DestinationKind::kNotifications)) core_.notification_queues().remove(speaker_.member, *this);
    // Perhaps from inside one of them: they end now and are destroyed after the turn.
    for (auto& subscription : std::exchange(subscriptions_, {})) {
        subscription->stop();
        if (subscription->kind() == auth::DestinationKind::kTopic) core_.topics().remove(*subscription);
        core_.loop().bury(std::move(subscription));
    }
    beat_timer_.cancel();
    core_.remove(*this);
}

void StompSession::on_drained() {
    const auto self = weak_from_this().lock();
    // Backwards: what one of them sends may end another, or all.
    for (std::size_t i = subscriptions_.size(); i-- > 0;) {
        if (i < subscriptions_.size()) subscriptions_[i]->on_drained();
    }
    if (ended_ || !clogged_ || link_->queued() >= core_.send_buffer().count) return;
    clogged_ = false;
    go_on();
}

// --- time and tokens ----------------------------------------------------------------------------------------------

void StompSession::beat() {
    if (ended_) {
        link_->close(1000, "");
        return;
    }
    const auto now = core_.loop().now();
    if (busy()) last_received_ = now;  // it is this side that does not read
    if (beat_.expects != 0 && now - last_received_ > milliseconds{beat_.expects} * 2 + seconds{1}) {
        fault("no heart-beat from the client", {}, kCloseSilent);
        return;
    }
    milliseconds next{0};
    if (beat_.sends != 0) {
        const milliseconds every{beat_.sends};
        // A little early, so that the network's delay does not make it late.
        const milliseconds margin = std::min(every / 5, milliseconds{1000});
        if (rt::Connection* const direct = link_->direct()) last_sent_ = std::max(last_sent_, direct->last_write());
        if (now - last_sent_ >= every - margin) {
            link_->send("\n");
            last_sent_ = now;
        }
        next = every - margin - std::chrono::floor<milliseconds>(now - last_sent_);
    }
    if (beat_.expects != 0) {
        const milliseconds check{beat_.expects};
        next = next == milliseconds{0} ? check : std::min(next, check);
    }
    if (next > milliseconds{0}) core_.loop().arm(beat_timer_, next);
}

void StompSession::on_second(WallTime wall, SteadyTime now) {
    if (!connected_) {
        if (now > look_at_) fault("CONNECT did not come in time");
        return;
    }
    if (expires_ <= wall) {
        fault(name(Code::kAuthExpired), {}, wire::kCloseToken);
        return;
    }
    if (decoder_.in_frame() && now - frame_begun_ > core_.options().patience.message) {
        fault("a frame took too long", {}, wire::kCloseTooSlow);
        return;
    }
    if (now >= look_at_) recheck_token();
    if (activity_ != nullptr) tidy(now);
    link_->keep_alive(now, core_.options().patience);
}

/// Ends the stays that ran out, and lets go of what a client that only listens does not need.
void StompSession::tidy(SteadyTime now) {
    auto& stays = activity_->stays;
    for (auto it = stays.begin(); it != stays.end();) {
        if (now - it->second < core_.options().session_ttl) {
            ++it;
            continue;
        }
        core_.chat().expire(speaker_, it->first);
        it = stays.erase(it);
    }
    if (stays.empty() && activity_->transactions.empty() && activity_->rate.is_idle(now)) activity_.reset();
}

void StompSession::recheck_token() {
    look_at_ = SteadyTime::max();
    auth::Claims claims;
    claims.member = speaker_.member;
    claims.expires = expires_;
    claims.issued_at = issued_at_;
    core_.services().guard.recheck({std::move(claims), token_.hex()}, [weak = weak_from_this(), &loop = core_.loop()](
                                                                          Result<auth::VerifiedToken> checked) {
        // Not knowing is no reason to end a session: it is asked again.
        loop.post([weak, checked = std::move(checked)] {
            const auto self = weak.lock();
            if (self == nullptr || self->ended_ || checked) return;
            if (checked.error().code == Code::kAuthUnavailable) {
                self->look_at_ = self->core_.loop().now() + kSecondLook;
            } else {
                self->fault(name(checked.error().code), {}, close_code(checked.error().code));
            }
        });
    });
}

void StompSession::on_token_revoked(std::string_view sha256_hex) {
    if (!token_.empty() && token_ == auth::TokenHash::from_hex(sha256_hex))
        fault(name(Code::kAuthExpired), {}, wire::kCloseToken);
}

void StompSession::on_member_revoked(const MemberId& member, WallTime before) {
    if (identified_ && speaker_.member == member && issued_at_ < before)
        fault(name(Code::kAuthExpired), {}, wire::kCloseToken);
}

void StompSession::add_token(std::vector<auth::HeldToken>& to) const {
    if (!token_.empty()) to.push_back({token_, speaker_.member, issued_at_});
}

void StompSession::notify(std::string_view json) {
    if (ended_) return;
    user_message(auth::DestinationKind::kNotifications, "/user/queue/notifications", json);
}

void StompSession::drain(milliseconds reconnect_after) {
    if (disconnecting_ || draining_) return;  // it ends by itself
    draining_ = true;
    last_word_ = std::make_unique<std::string>(std::to_string(reconnect_after.count()));
    leave_when_done();
}

void StompSession::leave_when_done() {
    if (draining_ && in_flight_ == 0 && !holding_) end(1001, *last_word_);
}

void StompSession::one_more_in_flight() noexcept {
    if (++in_flight_ >= kInFlight) throttled_ = true;
}

void StompSession::one_less_in_flight() {
    --in_flight_;
    if (ended_) return;
    if (disconnecting_ && in_flight_ == 0) disconnect();
    leave_when_done();
    if (ended_) return;
    if (throttled_ && in_flight_ <= kInFlight / 2) {
        throttled_ = false;
        go_on();
    }
}

}  // namespace parley::gateway
