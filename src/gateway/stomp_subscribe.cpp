#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "gateway/core.h"
#include "gateway/iso_time.h"
#include "gateway/stomp_session.h"

namespace parley::gateway {
namespace {

constexpr std::size_t kPrefetchMost = 100'000;

/// What is too large for 64 bits counts as the largest.
std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range && end == text.data() + text.size()) return UINT64_MAX;
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

/// Where the headers of SUBSCRIBE say to begin. `read_mark`: after the member's, which has to be asked for.
Result<room::Start> parse_start(const wire::StompFrame& frame, bool& read_mark) {
    room::Start start;
    if (const auto epoch = frame.find("epoch")) {
        const auto value = number(*epoch);
        // An epoch that is no number is another epoch than any of ours.
        start.epoch = Epoch{value.value_or(0)};
    }
    if (const auto after = frame.find("after-seq")) {
        if (*after == "read") {
            read_mark = true;
            return start;
        }
        const auto value = number(*after);
        if (!value) return fail(Code::kInvalidPayload, "after-seq must be a number or 'read'");
        start.from = room::Start::From::kAfter;
        start.after = {*value};
    } else if (const auto since = frame.find("since")) {
        const auto time = parse_iso_time(*since);
        if (!time) return fail(Code::kInvalidPayload, "since must be an ISO 8601 time such as 2026-11-20T12:34:56Z");
        start.from = room::Start::From::kSince;
        start.since = *time;
    } else if (const auto last = frame.find("last")) {
        const auto value = number(*last);
        if (!value) return fail(Code::kInvalidPayload, "last must be a number");
        start.from = room::Start::From::kLast;
        start.last = *value;
    }
    return start;
}

}  // namespace

void StompSession::on_subscribe(const wire::StompFrame& frame) {
    const AskedReceipt asked = frame.find("receipt");
    const std::string_view destination = *frame.find("destination");
    const auto mode = frame.find("ack").value_or("auto");
    if (subscriptions_.size() >= core_.options().subscriptions) {
        refuse({Code::kSubscriptionLimit, {}, {}, asked});
        return;
    }
    const auth::Destination parsed = auth::parse_destination(profile_, destination);
    auto subscription = std::make_unique<StompSubscription>(*this, std::string{*subscription_id(frame)}, parsed.kind);
    if (mode != "auto") {
        const auto prefetch = number(frame.find("prefetch-count").value_or("1000"));
        if (!prefetch || *prefetch == 0) {
            refuse({Code::kInvalidPayload, "prefetch-count must be a number above 0", {}, asked});
            return;
        }
        subscription->set_ack_mode(mode == "client" ? AckMode::kClient : AckMode::kClientIndividual,
                                   std::min<std::size_t>(*prefetch, kPrefetchMost));
    }
    using Kind = auth::DestinationKind;
    switch (parsed.kind) {
        case Kind::kNotifications:
            if (!hears(parsed.kind)) core_.notification_queues().add(speaker_.member, *this);
            [[fallthrough]];
        case Kind::kErrors:
            add(std::move(subscription));
            receipt(asked);
            return;
        case Kind::kTopic:
            subscription->set_topic(std::string{destination});
            core_.topics().add(*subscription, *this);
            add(std::move(subscription));
            receipt(asked);
            return;
        case Kind::kRoom:
        case Kind::kRoomEvents: break;
        default: {
            const auth::Decision decision = judge(auth::Operation::kSubscribe, parsed, chat::RoomView{});
            refuse({decision.code, decision.rule, {}, asked});
            return;
        }
    }
    subscription->set_receipt(std::optional<std::string>{asked});
    bool read_mark = false;
    auto start = parse_start(frame, read_mark);
    if (!start) {
        refuse({start.error().code, start.error().message, {}, asked});
        return;
    }
    if (read_mark) {
        subscribe_after_read_mark(std::move(subscription), parsed, *start);
    } else {
        subscribe_room(std::move(subscription), parsed, *start);
    }
}

/// The mark is asked for first: a right is judged in the same turn in which the subscription begins.
void StompSession::subscribe_after_read_mark(std::unique_ptr<StompSubscription> subscription,
                                             const auth::Destination& destination, room::Start start) {
    hold();
    core_.read_mark(destination.room, speaker_.member,
                    [weak = weak_from_this(), subscription = std::move(subscription), destination,
                     start](Result<RoomSeq> mark) mutable {
                        const auto self = weak.lock();
                        if (self == nullptr || self->ended_) return;
                        if (!mark) {
                            self->refuse({mark.error().code, mark.error().message, {}, subscription->take_receipt()});
                            self->release();
                            return;
                        }
                        start.from = room::Start::From::kAfter;
                        start.after = *mark;
                        self->subscribe_room(std::move(subscription), destination, start);
                    });
}

void StompSession::subscribe_room(std::unique_ptr<StompSubscription> subscription, const auth::Destination& destination,
                                  room::Start start) {
    hold();
    const RoomId room = destination.room;
    auto judged = [weak = weak_from_this(), subscription = std::move(subscription), destination,
                   start](Result<chat::RoomView> view) mutable {
        const auto self = weak.lock();
        if (self == nullptr || self->ended_) return;
        StompSession& session = *self;
        const auto asked = subscription->take_receipt();
        if (!view) {
            session.refuse({view.error().code, view.error().message, {}, asked});
            session.release();
            return;
        }
        const auto allowed = session.judge(auth::Operation::kSubscribe, destination, *view).to_result();
        if (!allowed) {
            session.refuse({allowed.error().code, allowed.error().message, {}, asked});
            session.release();
            return;
        }
        StompSubscription& added = session.add(std::move(subscription));
        auto& hub = session.core_.hub();
        const bool events = destination.kind == auth::DestinationKind::kRoomEvents;
        auto& form = session.core_.forms().get(
            {.framing = session.link_->framing(),
             .version = session.decoder_.version(),
             .acks = added.mode() != AckMode::kAuto,
             .deflate_bits = session.link_->deflate_bits(),
             .destination = session.profile_ == auth::Profile::kPublic ? "/topic/" : "/sub/chat/room/",
             .events_suffix = events ? "/events" : ""});
        if (events) {
            added.start(hub.subscribe_events(destination.room, added, form, added.id()));
            session.events_receipt(destination.room, asked);
            session.release();
            return;
        }
        added.set_receipt(asked);
        added.start(hub.subscribe(destination.room, added, form, added.id(), start));
        session.release();
    };
    core_.chat().view(room, speaker_.member, std::move(judged));
}

void StompSession::events_receipt(const RoomId& room, std::optional<std::string> asked) {
    if (!asked) return;
    one_more_in_flight();
    core_.asker().ask([&log = core_.services().log, room] { return log.head(room); },
                      [weak = weak_from_this(), asked = std::move(asked)](const Result<log::RoomHead>& at) {
                          const auto self = weak.lock();
                          if (self == nullptr || self->ended_) return;
                          const std::string epoch = at ? std::to_string(at->epoch.value) : std::string{};
                          const wire::StompHeader position{"epoch", epoch};
                          self->receipt(asked, {&position, at ? 1U : 0U});
                          self->one_less_in_flight();
                      });
}

void StompSession::drop(std::string_view id) {
    const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                    [&](const auto& subscription) { return subscription->id() == id; });
    if (found == subscriptions_.end()) return;
    (*found)->stop();
    if ((*found)->kind() == auth::DestinationKind::kTopic) core_.topics().remove(**found);
    const auto kind = (*found)->kind();
    core_.loop().bury(std::move(*found));
    subscriptions_.erase(found);
    if (kind == auth::DestinationKind::kNotifications && !hears(kind))
        core_.notification_queues().remove(speaker_.member, *this);
}

void StompSession::end_of_right(std::string_view extra) {
    constexpr std::string_view kText = "the right to read this room has ended";
    if (hears(auth::DestinationKind::kErrors)) {
        refuse({Code::kForbidden, kText, extra, {}});
    } else {
        fault(fmt::format("{}: {}", name(Code::kForbidden), kText), {}, wire::kCloseForbidden,
              error_json(Code::kForbidden, kText, extra));
    }
}

void StompSession::on_unsubscribe(const wire::StompFrame& frame) {
    drop(*subscription_id(frame));
    receipt(frame.find("receipt"));
}

void StompSession::on_ack(const wire::StompFrame& frame) {
    const AskedReceipt asked = frame.find("receipt");
    std::string subscription{frame.find("subscription").value_or("")};
    std::string_view id;
    if (decoder_.version() == wire::StompVersion::k12) {
        id = frame.find("id").value_or("");
        const auto colon = id.rfind(':');
        if (colon != std::string_view::npos) subscription = id.substr(0, colon);
    } else {
        id = frame.find("message-id").value_or("");
    }
    const auto named = frame.find("transaction");
    Transaction* const open = named ? transaction(*named) : nullptr;
    const auto colon = id.rfind(':');
    const auto seq = colon == std::string_view::npos ? std::nullopt : number(id.substr(colon + 1));
    bool known = false;
    if (seq) {
        for (const auto& candidate : subscriptions_) {
            // 1.0 names no subscription: the first that waits for it.
            if (!subscription.empty() && candidate->id() != subscription) continue;
            if (decoder_.version() != wire::StompVersion::k12 && id.substr(0, colon) != candidate->message_scope()) {
                continue;
            }
            if (candidate->mode() == AckMode::kAuto || !candidate->is_waiting({*seq})) continue;
            known = true;
            if (open != nullptr) {
                if (open->acks.size() >= kPrefetchMost) {
                    fault("too many acknowledgements in a transaction", asked);
                    return;
                }
                open->acks.emplace_back(candidate->id(), RoomSeq{*seq});
            } else {
                (void)candidate->acknowledge({*seq});
            }
            break;
        }
    }
    if (!known) {
        fault("nothing waits for this acknowledgement", asked);
        return;
    }
    receipt(asked);
}

}  // namespace parley::gateway
