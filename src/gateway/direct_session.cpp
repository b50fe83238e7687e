#include "gateway/direct_session.h"

#include <limits>
#include <utility>

#include "chat/pair_room.h"
#include "gateway/close_code.h"
#include "gateway/core.h"
#include "gateway/direct_chats.h"
#include "gateway/notifications.h"
#include "gateway/rest_json.h"
#include "gateway/stomp_session.h"
#include "wire/json.h"

namespace parley::gateway {
namespace {

std::string json_member(std::string_view name, std::string_view text) {
    std::string out{name};
    append_json_string(out, text);
    return out;
}

/// `{content, messageId?}`, or the text as it is. An object that is none of this is nobody's words.
Result<chat::Words> parse_words(std::string_view payload) {
    chat::Words words;
    const auto first = payload.find_first_not_of(" \t\r\n");
    const bool may_be_object = first != std::string_view::npos && payload[first] == '{';
    if (!may_be_object || wire::parse_json_strings(payload).kind == wire::JsonStrings::Kind::kBroken) {
        words.content = payload;
        return words;
    }
    auto body = wire::parse_chat_body(payload, {wire::ChatField::kContent, wire::ChatField::kMessageId});
    if (!body) return fail(body.error());
    if (!body->content) return fail(Code::kInvalidPayload, "content is missing");
    words.content = std::move(*body->content);
    if (!body->message_id) return words;
    auto id = MessageId::parse(*body->message_id);
    if (!id) return fail(id.error());
    words.id = std::move(*id);
    return words;
}

}  // namespace

DirectSession::DirectSession(Core& core, DirectChats& chats, Identity identity, MemberId receiver, room::Start start)
    : core_(core),
      chats_(chats),
      receiver_(std::move(receiver)),
      room_(chat::pair_room(identity.claims.member, receiver_)),
      start_(std::move(start)),
      token_(identity, core.loop().now()),
      rate_(core.services().rates.send(identity.claims.member.str(), core.loop().now())) {
    speaker_.member = std::move(identity.claims.member);
    speaker_.nickname = std::move(identity.claims.nickname);
    speaker_.session = core.services().next_session.fetch_add(1);
}

DirectSession::~DirectSession() = default;

void DirectSession::on_open(WsSession& socket) {
    socket_ = &socket;
    core_.add(*this);
    core_.services().counters.sessions("websocket-direct").add();
    core_.came_online(speaker_.member, speaker_.nickname);
    reader_ = core_.hub().subscribe(room_, *this, chats_.form(socket.deflate_bits()), {}, start_);
}

void DirectSession::on_closed() {
    socket_ = nullptr;
    alive_.reset();
    if (reader_ != nullptr) reader_->stop();
    core_.remove(*this);
    core_.went_offline(speaker_.member);
}

// --- what this side says ------------------------------------------------------------------------------------------

wire::Flow DirectSession::on_message(wire::Opcode opcode, std::string_view payload) {
    core_.services().counters.messages_in.add();
    if (opcode != wire::Opcode::kText) {
        refuse(Code::kInvalidPayload, "text messages only", {});
        return flow();
    }
    auto words = parse_words(payload);
    if (!words) {
        refuse(words.error().code, words.error().message, {});
        return flow();
    }
    const std::string named = words->id.empty() ? std::string{} : json_member(R"("messageId":)", words->id.str());
    if (const auto fine = core_.chat().check_content(words->content); !fine) {
        refuse(fine.error().code, fine.error().message, named);
    } else if (rate_.take(core_.loop().now())) {
        refuse(Code::kRateLimited, {}, named);
    } else {
        words->extra = json_member(R"("receiverId":)", receiver_.str());
        store(core_.chat().draft(speaker_, std::move(*words)));
    }
    return flow();
}

void DirectSession::store(Draft draft) {
    if (!room_is_there_) {
        waiting_.push_back(std::move(draft));
        if (waiting_.size() == 1) make_room();
        return;
    }
    ++in_flight_;
    Said said{draft.id, draft.content};
    core_.chat().append(room_, {std::move(draft)},
                        [this, &core = core_, from = speaker_, to = receiver_, alive = std::weak_ptr<bool>{alive_},
                         said = std::move(said)](auto result) {
                            // Also where the sender has left since: the message is there.
                            if (result && !result->front().repeated)
                                tell_receiver(core, from, to, said, result->front().seq);
                            if (!alive.expired()) stored(said.id, result);
                        });
}

void DirectSession::make_room() {
    core_.asker().ask(
        [&directory = core_.services().directory, one = chat::PairMember{speaker_.member, speaker_.nickname},
         other = receiver_,
         now = core_.loop().clock().wall()] { return chat::make_pair_room(directory, one, other, now); },
        [this, alive = std::weak_ptr<bool>{alive_}, &bus = core_.services().bus, room = room_](Result<bool> made) {
            if (made && *made) bus.notify({bus::Notice::Kind::kRoomChanged, room.str(), {}, {}});
            if (alive.expired()) return;
            room_is_there_ = made.has_value();
            for (Draft& draft : std::exchange(waiting_, {})) {
                if (room_is_there_) {
                    store(std::move(draft));
                } else {
                    refuse(made.error().code, made.error().message, json_member(R"("messageId":)", draft.id.str()));
                }
            }
            go_on();
        });
}

void DirectSession::stored(const MessageId& id, const Result<std::vector<log::Appended>>& result) {
    --in_flight_;
    if (!result) {
        refuse(result.error().code, result.error().message, json_member(R"("messageId":)", id.str()));
    } else {
        const RoomSeq seq = result->front().seq;
        socket_->send_text(json_member(R"({"ack":)", id.str()) + R"(,"seq":)" + std::to_string(seq.value) + '}');
    }
    go_on();
}

void DirectSession::tell_receiver(Core& core, const chat::Speaker& from, const MemberId& to, const Said& said,
                                  RoomSeq seq) {
    if (to == from.member) return;
    notify_member(core, to,
                  JsonObject{}
                      .text("notification", "direct-message")
                      .text("memberId", from.member.str())
                      .text("nickName", from.nickname)
                      .text("messageId", said.id.str())
                      .number("seq", seq.value)
                      .text("content", said.content)
                      .str(),
                  [] {});
}

wire::Flow DirectSession::flow() {
    // on_too_large() and refusals may have come while the socket was closing.
    if (socket_ == nullptr) return wire::Flow::kContinue;
    paused_ = back_in_ || !waiting_.empty() || in_flight_ >= kInFlight || !socket_->connection().can_take();
    if (!paused_ && !std::exchange(let_through_, false) && core_.memory().is_shut()) {
        paused_ = true;
        if (!std::exchange(at_gate_, true)) {
            core_.memory().wait([this, alive = std::weak_ptr<bool>{alive_}] {
                if (alive.expired()) return;
                at_gate_ = false;
                let_through_ = true;
                go_on();
            });
        }
    }
    return paused_ ? wire::Flow::kPause : wire::Flow::kContinue;
}

void DirectSession::go_on() {
    leave_when_done();
    if (socket_ != nullptr && paused_ && flow() == wire::Flow::kContinue) socket_->resume();
}

// --- what the pair says -------------------------------------------------------------------------------------------

void DirectSession::on_drained() {
    reader_->on_drained();
    go_on();
}

std::size_t DirectSession::can_take() const {
    return socket_ != nullptr && socket_->connection().can_take() ? std::numeric_limits<std::size_t>::max() : 0;
}

void DirectSession::take(const rt::Slice& frames) {
    if (socket_ == nullptr) return;
    core_.services().counters.messages_out.add(reader_->cursor().value - reader_->taken_after().value);
    socket_->send_encoded(frames);
}

void DirectSession::on_set_back(const RoomId&, RoomSeq written) {
    core_.services().counters.set_back.add();
    refuse(Code::kResync, {}, R"("afterSeq":)" + std::to_string(written.value));
}

void DirectSession::on_truncated(const RoomId&, RoomSeq first) {
    refuse(Code::kHistoryTruncated, {}, R"("firstSeq":)" + std::to_string(first.value));
}

void DirectSession::on_position_invalid(std::string_view, const RoomId&, const log::RoomHead& at) {
    end(Code::kPositionInvalid, R"("epoch":")" + std::to_string(at.epoch.value) + R"(","firstSeq":)" +
                                    std::to_string(at.first.value) + R"(,"headSeq":)" + std::to_string(at.head.value));
}

void DirectSession::on_ended(std::string_view, const RoomId&) { end(Code::kForbidden); }

// --- its end ------------------------------------------------------------------------------------------------------

void DirectSession::refuse(Code code, std::string_view message, std::string_view extra) {
    if (socket_ == nullptr) return;
    core_.services().counters.refused(code).add();
    const Error error{code, std::string{message}};
    if (is_own_fault(code)) core_.refusals().note(code, message);
    socket_->send_text(error_json(code, told_to_clients(error), extra));
}

void DirectSession::end(Code code, std::string_view extra) {
    if (socket_ == nullptr) return;
    refuse(code, {}, extra);
    socket_->close(close_code(code), name(code));
}

void DirectSession::on_second(WallTime wall, SteadyTime now) {
    if (token_.has_expired(wall)) {
        end(Code::kAuthExpired);
        return;
    }
    token_.look_again(core_, now, [this](Code code) { end(code); });
    socket_->on_second(now, core_.options().patience);
}

void DirectSession::on_token_revoked(std::string_view sha256_hex) {
    if (token_.is_token(sha256_hex)) end(Code::kAuthExpired);
}

void DirectSession::on_member_revoked(const MemberId& member, WallTime before) {
    if (token_.is_revoked(member, before)) end(Code::kAuthExpired);
}

void DirectSession::add_token(std::vector<auth::HeldToken>& to) const { token_.add_to(to); }

void DirectSession::drain(milliseconds reconnect_after) {
    if (!back_in_) back_in_ = reconnect_after;
    leave_when_done();
}

void DirectSession::leave_when_done() {
    if (!back_in_ || socket_ == nullptr || in_flight_ != 0 || !waiting_.empty()) return;
    socket_->close(1001, std::to_string(back_in_->count()));
}

}  // namespace parley::gateway
