#include "auth/nickname.h"
#include "gateway/core.h"
#include "gateway/stomp_session.h"
#include "wire/json.h"

namespace parley::gateway {
namespace {
constexpr std::size_t kTransactionMessages = 100;
constexpr std::size_t kTransactionBytes = 512 * 1024;
}  // namespace

auth::Decision StompSession::judge(auth::Operation operation, const auth::Destination& destination,
                                   const chat::RoomView& view) const {
    return auth::decide({.profile = profile_,
                         .operation = operation,
                         .destination = destination,
                         .who = {speaker_.member, speaker_.guest},
                         .room = view.room,
                         .membership = view.membership,
                         .auto_create = core_.options().auto_create});
}

// --- what is asked ------------------------------------------------------------------------------------------------

void StompSession::on_send(const wire::StompFrame& frame) {
    const AskedReceipt asked = frame.find("receipt");
    const auto named = frame.find("transaction");
    Transaction* const open = named ? transaction(*named) : nullptr;
    core_.services().counters.messages_in.add();
    const auth::Destination destination = auth::parse_destination(profile_, *frame.find("destination"));
    using Kind = auth::DestinationKind;
    if (destination.kind == Kind::kTopic) {
        on_topic_send(frame, open);
        return;
    }
    if (destination.kind == Kind::kAuthRefresh) {
        on_auth_refresh(frame);
        return;
    }
    const auto allowed = destination.kind == Kind::kPublicSend
                             ? Result<>{}
                             : judge(auth::Operation::kSend, destination, chat::RoomView{}).to_result();
    Result<Request> request = !allowed                                ? Result<Request>{fail(allowed.error())}
                              : destination.kind == Kind::kChatSend   ? parse_chat(frame.body)
                              : destination.kind == Kind::kPublicSend ? parse_public(frame.body)
                                                                      : parse_hint(destination.kind, frame.body);
    if (!request) {
        Request refused;
        refused.receipt = asked;
        refused.transaction = named.value_or("");
        refuse_send(refused, request.error());
        return;
    }
    request->receipt = asked;
    request->transaction = named.value_or("");
    if (const auto wait = activity().rate.take(core_.loop().now())) {
        refuse_send(*request, {Code::kRateLimited, "too many messages; wait " + std::to_string(wait->count()) + " ms"});
        return;
    }
    perform(std::move(*request));
}

Result<StompSession::Request> StompSession::parse_chat(std::string_view body) {
    using enum wire::ChatField;
    auto fields = wire::parse_chat_body(body, {kType, kRoomId, kContent, kMessageId});
    if (!fields) return fail(fields.error());
    if (!fields->type) return fail(Code::kInvalidPayload, "type is missing");
    if (!fields->room_id) return fail(Code::kInvalidPayload, "roomId is missing");
    Request request;
    const bool presence = *fields->type == "PRESENCE";
    const auto type = parse_message_type(*fields->type);
    if (!presence && type != MessageType::kTalk && type != MessageType::kJoin && type != MessageType::kLeave) {
        return fail(Code::kInvalidMessageType, "type must be TALK, JOIN, LEAVE or PRESENCE");
    }
    auto room = RoomId::parse(*fields->room_id);
    if (!room) return fail(room.error());
    request.words.room = std::move(*room);
    if (fields->message_id) {
        auto id = MessageId::parse(*fields->message_id);
        if (!id) return fail(id.error());
        request.words.id = std::move(*id);
    }
    request.words.content = std::move(fields->content).value_or(std::string{});
    if (presence) {
        request.operation = auth::Operation::kPresence;
        return request;
    }
    request.words.type = *type;
    if (type == MessageType::kTalk) {
        if (!fields->content) return fail(Code::kInvalidPayload, "content is missing");
        if (const auto good = core_.chat().check_content(request.words.content); !good) return fail(good.error());
    } else {
        request.operation = type == MessageType::kJoin ? auth::Operation::kEnter : auth::Operation::kPresence;
        if (wire::has_nul(request.words.content)) return fail(Code::kInvalidPayload, "content may not hold U+0000");
    }
    return request;
}

Result<StompSession::Request> StompSession::parse_public(std::string_view body) {
    using enum wire::ChatField;
    auto fields = wire::parse_chat_body(body, {kContent, kSender, kMessageId});
    if (!fields) return fail(fields.error());
    if (!fields->content) return fail(Code::kInvalidPayload, "content is missing");
    if (const auto good = core_.chat().check_content(*fields->content); !good) return fail(good.error());
    Request request;
    request.words.room = auth::public_room();
    request.words.content = std::move(*fields->content);
    if (fields->message_id) {
        auto id = MessageId::parse(*fields->message_id);
        if (!id) return fail(id.error());
        request.words.id = std::move(*id);
    }
    // A guest is who they say they are, in name only: senderId stays the guest's.
    if (speaker_.guest && fields->sender) {
        if (std::string nickname = auth::clean_nickname(*fields->sender); !nickname.empty()) {
            speaker_.nickname = std::move(nickname);
        }
    }
    return request;
}

Result<StompSession::Request> StompSession::parse_hint(auth::DestinationKind kind, std::string_view body) {
    using enum wire::ChatField;
    auto fields = wire::parse_chat_body(body, {kRoomId, kSeq});
    if (!fields) return fail(fields.error());
    if (!fields->room_id) return fail(Code::kInvalidPayload, "roomId is missing");
    auto room = RoomId::parse(*fields->room_id);
    if (!room) return fail(room.error());
    Request request;
    request.words.room = std::move(*room);
    if (kind == auth::DestinationKind::kTyping) {
        request.operation = auth::Operation::kTyping;
        return request;
    }
    if (!fields->seq) return fail(Code::kInvalidPayload, "seq is missing");
    request.operation = auth::Operation::kReadMark;
    request.read_up_to = {*fields->seq};
    return request;
}

void StompSession::refuse_send(const Request& request, const Error& error) {
    if (Transaction* const open = transaction(request.transaction)) open->spoiled = true;
    std::string extra;
    if (!request.words.room.empty()) {
        extra = R"("roomId":)";
        append_json_string(extra, request.words.room.str());
    }
    if (!request.words.id.empty()) {
        extra += extra.empty() ? R"("messageId":)" : R"(,"messageId":)";
        append_json_string(extra, request.words.id.str());
    }
    refuse({error.code, error.message, extra, request.receipt});
}

// --- what is done -------------------------------------------------------------------------------------------------

void StompSession::perform(Request request) {
    if (core_.memory().is_shut()) {
        hold();
        memory::Charge held{memory::Use::kInput, request.words.content.size()};
        core_.memory().wait([weak = weak_from_this(), request = std::move(request), held = std::move(held)]() mutable {
            const auto self = weak.lock();
            if (self == nullptr || self->ended_) return;
            self->holding_ = false;
            self->perform_now(std::move(request));
            self->go_on();
        });
        return;
    }
    perform_now(std::move(request));
}

void StompSession::perform_now(Request request) {
    if (const chat::RoomView* view = core_.chat().book().find(request.words.room, speaker_.member)) {
        (void)perform_in(*view, std::move(request));
        return;
    }
    hold();
    const RoomId room = request.words.room;
    core_.chat().book().learn(
        room, speaker_.member,
        [weak = weak_from_this(), request = std::move(request)](Result<chat::RoomView> view) mutable {
            const auto self = weak.lock();
            if (self == nullptr || self->ended_) return;
            if (!view) {
                self->refuse_send(request, view.error());
                self->release();
            } else if (self->perform_in(*view, std::move(request))) {
                self->release();
            }
        });
}

bool StompSession::perform_in(const chat::RoomView& view, Request request) {
    const auth::Decision decision = judge(request.operation, auth::of_room(request.words.room), view);
    if (!decision.allowed) {
        refuse_send(request, decision.to_result().error());
        return true;
    }
    if (!decision.creates_room) {
        perform_allowed(std::move(request));
        return true;
    }
    hold();
    const RoomId room = request.words.room;
    core_.chat().create_unknown(
        speaker_, room, [weak = weak_from_this(), request = std::move(request)](Result<> made, milliseconds) mutable {
            const auto self = weak.lock();
            if (self == nullptr || self->ended_) return;
            if (made) {
                self->perform_allowed(std::move(request));
            } else {
                self->refuse_send(request, made.error());
            }
            self->release();
        });
    return false;
}

void StompSession::perform_allowed(Request request) {
    using enum auth::Operation;
    const RoomId room = request.words.room;
    const auto now = core_.loop().now();
    if (request.operation == kSend) extend_stay(room, now);
    if (!request.transaction.empty()) {
        add_to_transaction(std::move(request));
        return;
    }
    switch (request.operation) {
        case kSend: talk(std::move(request)); return;
        case kTyping:
            core_.chat().typing(speaker_, room);
            receipt(request.receipt);
            return;
        case kReadMark:
            one_more_in_flight();
            core_.chat().mark_read(speaker_, room, request.read_up_to,
                                   [weak = weak_from_this(), request = std::move(request)](Result<RoomSeq> mark) {
                                       const auto self = weak.lock();
                                       if (self == nullptr || self->ended_) return;
                                       if (mark) {
                                           self->receipt(request.receipt);
                                       } else {
                                           self->refuse_send(request, mark.error());
                                       }
                                       self->one_less_in_flight();
                                   });
            return;
        case kPresence:
            if (request.words.type != MessageType::kLeave) {
                extend_stay(room, now);
                receipt(request.receipt);
                return;
            }
            break;
        default: break;
    }
    // JOIN and LEAVE. One of before, sent again, may change nothing: what comes behind waits until that is known.
    moving_ = !request.words.id.empty();
    one_more_in_flight();
    auto then = [weak = weak_from_this(), room, asked = request.receipt,
                 id = request.words.id](Result<chat::Service::Stay> result) {
        const auto self = weak.lock();
        if (self == nullptr || self->ended_) return;
        if (!id.empty()) self->moved(room, result);
        if (result) {
            const std::string seq = result->stored ? std::to_string(result->stored->seq.value) : std::string{};
            const wire::StompHeader position{"seq", seq};
            self->receipt(asked, {&position, seq.empty() ? 0U : 1U});
        } else {
            Request refused;
            refused.words.room = room;
            refused.words.id = id;
            refused.receipt = asked;
            self->refuse_send(refused, result.error());
        }
        self->one_less_in_flight();
    };
    if (request.words.type == MessageType::kJoin) {
        activity().stays[room] = now;
        core_.chat().join(speaker_, std::move(request.words), std::move(then));
    } else {
        if (activity_ != nullptr) activity_->stays.erase(room);
        core_.chat().leave(speaker_, std::move(request.words), std::move(then));
    }
}

void StompSession::moved(const RoomId& room, const Result<chat::Service::Stay>& result) {
    moving_ = false;
    core_.loop().post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->go_on();
    });
    if (!result) return;
    if (!result->stays) {
        if (activity_ != nullptr) activity_->stays.erase(room);
    } else if (activity().stays.try_emplace(room, core_.loop().now()).second) {
        core_.services().presence.join(room, speaker_.member, speaker_.nickname, speaker_.session);
    }
}

void StompSession::extend_stay(const RoomId& room, SteadyTime now) {
    if (activity_ == nullptr) return;
    if (const auto stay = activity_->stays.find(room); stay != activity_->stays.end()) stay->second = now;
}

void StompSession::talk(Request request) {
    const RoomId room = request.words.room;
    std::vector<Draft> drafts;
    drafts.push_back(core_.chat().draft(speaker_, std::move(request.words)));
    one_more_in_flight();
    core_.chat().append(room, std::move(drafts),
                        [weak = weak_from_this(), room, asked = std::move(request.receipt)](auto result) {
                            if (const auto self = weak.lock()) self->sent(room, asked, result);
                        });
}

void StompSession::sent(const RoomId& room, AskedReceipt asked, const Result<std::vector<log::Appended>>& result) {
    if (ended_) return;
    if (result) {
        const std::string seq = std::to_string(result->front().seq.value);
        const wire::StompHeader position{"seq", seq};
        receipt(asked, {&position, 1});
    } else {
        Request refused;
        refused.words.room = room;
        refused.receipt = asked;
        refuse_send(refused, result.error());
    }
    one_less_in_flight();
}

void StompSession::on_topic_send(const wire::StompFrame& frame, Transaction* transaction) {
    const AskedReceipt asked = frame.find("receipt");
    if (transaction == nullptr) {
        core_.topics().publish(TopicHub::message_of(frame));
        receipt(asked);
        return;
    }
    transaction->add(frame.body.size());
    if (!fits(*transaction, asked)) return;
    transaction->topic_messages.push_back(TopicHub::message_of(frame));
    if (asked) transaction->receipts.emplace_back(*asked);
}

void StompSession::on_auth_refresh(const wire::StompFrame& frame) {
    std::optional<std::string> asked{frame.find("receipt")};
    const auto token = frame.find("token");
    if (!token || token_.empty()) {
        refuse({Code::kAuthRequired, "the header token is missing", {}, asked});
        return;
    }
    hold();
    core_.services().guard.check(std::string{*token}, [weak = weak_from_this(), asked = std::move(asked),
                                                       &loop = core_.loop()](auto checked) mutable {
        loop.post([weak, asked = std::move(asked), checked = std::move(checked)]() mutable {
            const auto self = weak.lock();
            if (self == nullptr || self->ended_) return;
            if (!checked) {
                self->refuse({checked.error().code, checked.error().message, {}, asked});
            } else if (checked->claims.member != self->speaker_.member) {
                self->refuse({Code::kForbidden, "the token is another member's", {}, asked});
            } else {
                self->expires_ = checked->claims.expires;
                self->issued_at_ = checked->claims.issued_at.value_or(WallTime{});
                self->token_ = auth::TokenHash::from_hex(checked->sha256_hex);
                self->look_at_ = self->core_.loop().now() + seconds{2};
                self->receipt(asked);
            }
            self->release();
        });
    });
}

// --- transactions -------------------------------------------------------------------------------------------------

void StompSession::on_begin(const wire::StompFrame& frame) {
    activity().transactions.try_emplace(std::string{*frame.find("transaction")});
    receipt(frame.find("receipt"));
}

bool StompSession::fits(const Transaction& transaction, AskedReceipt asked) {
    const std::size_t messages = transaction.drafts.size() + transaction.topic_messages.size();
    if (messages < kTransactionMessages && transaction.bytes <= kTransactionBytes) return true;
    fault("a transaction holds at most 100 messages and 512 KiB", asked);
    return false;
}

void StompSession::add_to_transaction(Request request) {
    Transaction& transaction = *this->transaction(request.transaction);  // no frame came since on_send() saw it
    if (request.operation != auth::Operation::kSend) {
        refuse_send(request, {Code::kInvalidMessageType, "a transaction takes TALK only"});
        return;
    }
    if (transaction.room && *transaction.room != request.words.room) {
        fault("a transaction stores to one room", request.receipt);
        return;
    }
    transaction.add(request.words.content.size());
    if (!fits(transaction, request.receipt)) return;
    transaction.room = request.words.room;
    transaction.drafts.push_back(core_.chat().draft(speaker_, std::move(request.words)));
    if (request.receipt) transaction.receipts.push_back(std::move(*request.receipt));
}

void StompSession::on_commit(const wire::StompFrame& frame) {
    const std::optional<std::string> asked{frame.find("receipt")};
    const std::string_view named = *frame.find("transaction");
    Transaction transaction = std::move(*this->transaction(named));
    activity_->transactions.erase(std::string{named});
    if (transaction.spoiled) {
        refuse({Code::kTransactionInvalid, "a SEND of this transaction was refused; nothing was stored", {}, asked});
        return;
    }
    for (const auto& [id, seq] : transaction.acks) {
        if (StompSubscription* const entry = subscription(id)) (void)entry->acknowledge(seq);
    }
    for (auto& message : transaction.topic_messages) core_.topics().publish(std::move(message));
    if (transaction.drafts.empty()) {
        for (const std::string& id : transaction.receipts) receipt(id);
        receipt(asked);
        return;
    }
    one_more_in_flight();
    const RoomId room = *transaction.room;
    extend_stay(room, core_.loop().now());
    core_.chat().append(
        room, std::move(transaction.drafts),
        [weak = weak_from_this(), room, asked, receipts = std::move(transaction.receipts)](auto result) {
            const auto self = weak.lock();
            if (self == nullptr || self->ended_) return;
            if (result) {
                for (const std::string& id : receipts) self->receipt(id);
            }
            self->sent(room, asked, result);
        });
}

void StompSession::on_abort(const wire::StompFrame& frame) {
    activity_->transactions.erase(std::string{*frame.find("transaction")});
    receipt(frame.find("receipt"));
}

}  // namespace parley::gateway
