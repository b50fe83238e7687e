#include "gateway/long_poll.h"

#include <algorithm>
#include <utility>

#include "gateway/core.h"
#include "gateway/stomp_session.h"

namespace parley::gateway {

void LongPoll::begin(Core& core, ExchangeRef exchange, const Identity& identity, PollQuestion question,
                     milliseconds timeout) {
    if (!exchange->is_open()) return;
    auto poll = std::make_shared<LongPoll>(core, std::move(exchange), identity, std::move(question));
    poll->self_ = poll;
    poll->exchange_->on_gone([poll = poll.get()] { poll->finish(); });
    if (timeout > milliseconds{0} && !poll->exchange_->has_input_ended()) {
        poll->waits_ = poll->listed_ = true;
        poll->exchange_->forget_request();
        poll->exchange_->on_end_of_input([poll = poll.get()] { poll->on_timeout(); });
        core.add(*poll);
        core.came_online(identity.claims.member, identity.claims.nickname);
        core.loop().arm(poll->timer_, timeout);
        // It listens before it looks: nothing falls between.
        if (poll->question_.room) poll->listen({*poll->question_.room});
    }
    poll->read();
}

LongPoll::LongPoll(Core& core, ExchangeRef exchange, const Identity& identity, PollQuestion question)
    : core_(core),
      exchange_(std::move(exchange)),
      token_(identity, core.loop().now()),
      question_(std::move(question)),
      timer_(rt::Timer::of<&LongPoll::on_timeout>(this)) {}

LongPoll::~LongPoll() = default;

void LongPoll::finish() noexcept {
    if (std::exchange(done_, true)) return;
    timer_.cancel();
    for (NewsBoard::Spot* spot : spots_) core_.news().unwatch(*spot, *this);
    spots_.clear();
    if (listed_) {
        core_.remove(*this);
        core_.went_offline(token_.member());
    }
    // Whoever calls may still be inside.
    core_.loop().bury(std::make_unique<std::shared_ptr<LongPoll>>(std::move(self_)));
}

// --- looking ------------------------------------------------------------------------------------------------------

void LongPoll::read() {
    reading_ = true;
    core_.asker().ask(
        [&services = core_.services(), question = question_] {
            return PollReader{services.log, services.directory}.read(question);
        },
        [weak = std::weak_ptr<LongPoll>{self_}](Result<PollAnswer> answer) {
            const auto self = weak.lock();
            if (self != nullptr && !self->done_) self->on_read(std::move(answer));
        });
}

void LongPoll::read_again() {
    if (reading_) {
        stirred_ = true;
    } else {
        read();
    }
}

void LongPoll::on_read(Result<PollAnswer> result) {
    reading_ = false;
    if (!result) {
        refuse(result.error());
        return;
    }
    if (!result->invalid.empty()) {
        answer(*result);
        return;
    }
    if (question_.room) {
        question_.after = result->after;
        question_.epoch = result->at.epoch.value;
    } else {
        question_.places = std::move(result->places);
    }
    if (result->count != 0 || !result->truncated.empty() || !waits_) {
        answer(*result);
    } else if (!listen(result->rooms) || std::exchange(stirred_, false)) {
        read();
    }
}

bool LongPoll::listen(const std::vector<RoomId>& rooms) {
    std::vector<RoomId> wanted = rooms;
    if (!question_.room) wanted.push_back(NewsBoard::joined_by(question_.member));
    const bool same =
        std::ranges::equal(spots_, wanted, {}, [](const auto* spot) -> const RoomId& { return spot->first; });
    if (same) return true;
    const auto old = std::exchange(spots_, {});
    spots_.reserve(wanted.size());
    for (const RoomId& room : wanted) spots_.push_back(&core_.news().watch(room, *this));
    for (NewsBoard::Spot* spot : old) core_.news().unwatch(*spot, *this);
    return false;
}

// --- what comes ---------------------------------------------------------------------------------------------------

std::optional<RoomSeq> LongPoll::place_in(const RoomId& room) const {
    if (question_.room) return question_.after;
    const auto* place = question_.places ? question_.places->find(room) : nullptr;
    return place != nullptr ? std::optional{RoomSeq{place->seq}} : std::nullopt;
}

void LongPoll::advance(const RoomId& room, RoomSeq seq) {
    if (question_.room) {
        question_.after = seq;
    } else {
        question_.places->advance(room, seq);
    }
}

bool LongPoll::on_news(NewsBoard::News& news) {
    const auto messages = news.messages();
    const auto place = place_in(news.room());
    if (place && messages.back()->seq <= *place) return true;  // a repeat
    const bool joins = place && messages.front()->seq <= place->next() && messages.size() <= PollReader::kMessages &&
                       messages.back()->seq.value - messages.front()->seq.value + 1 == messages.size();
    if (reading_ || !joins || news.changes_rights()) {
        read_again();
        return true;
    }
    const RoomSeq after = *place;
    advance(news.room(), messages.back()->seq);
    core_.services().counters.messages_out.add(messages.back()->seq.value - after.value);
    respond(news.json(after), nullptr);
    return false;
}

void LongPoll::on_head(const RoomId& room, RoomSeq head) {
    const auto place = place_in(room);
    if (!place || head > *place) read_again();
}

void LongPoll::on_timeout() {
    if (reading_) {
        waits_ = false;  // whatever it finds
    } else {
        respond({}, nullptr);
    }
}

// --- answers ------------------------------------------------------------------------------------------------------

void LongPoll::answer(const PollAnswer& answer) {
    if (answer.invalid.empty()) {
        core_.services().counters.messages_out.add(answer.count);
        respond(answer.json, &answer);
        return;
    }
    const ExchangeRef exchange = exchange_;
    const std::string cursor = question_.room ? std::string{} : core_.cursor_seal().seal(answer.places);
    std::vector<wire::HttpField> fields;
    if (!cursor.empty()) fields.push_back({"X-Parley-Cursor", cursor});
    core_.services().counters.refused(Code::kPositionInvalid).add();
    finish();
    exchange->respond_json(409, answer.invalid, std::move(fields));
}

void LongPoll::respond(std::string_view json, const PollAnswer* details) {
    const ExchangeRef exchange = exchange_;
    std::string cursor;
    std::string epoch;
    std::string first;
    std::string left_out;
    std::vector<wire::HttpField> fields;
    if (question_.room) {
        cursor = std::to_string(question_.after->value);
        epoch = std::to_string(*question_.epoch);
        fields.push_back({"X-Parley-Epoch", epoch});
    } else {
        cursor = core_.cursor_seal().seal(*question_.places);
    }
    fields.push_back({"X-Parley-Cursor", cursor});
    if (details != nullptr && !details->truncated.empty()) {
        fields.push_back({"X-Parley-Truncated", details->truncated});
        first = std::to_string(details->at.first.value);
        if (question_.room) fields.push_back({"X-Parley-First-Seq", first});
    }
    if (details != nullptr && details->rooms_left_out != 0) {
        left_out = std::to_string(details->rooms_left_out);
        fields.push_back({"X-Parley-Rooms-Left-Out", left_out});
    }
    std::string body;
    body.reserve(json.size() + 2);
    body.append("[").append(json).append("]");
    finish();
    exchange->respond_json(200, body, std::move(fields));
}

void LongPoll::refuse(const Error& error) {
    const ExchangeRef exchange = exchange_;
    core_.services().counters.refused(error.code).add();
    finish();
    exchange->refuse(error);
}

// --- time and tokens ----------------------------------------------------------------------------------------------

void LongPoll::on_second(WallTime wall, SteadyTime now) {
    if (done_) return;
    if (token_.has_expired(wall)) {
        refuse({Code::kAuthExpired, {}});
    } else {
        token_.look_again(core_, now, [this](Code code) {
            if (!done_) refuse({code, {}});
        });
    }
}

void LongPoll::on_token_revoked(std::string_view sha256_hex) {
    if (!done_ && token_.is_token(sha256_hex)) refuse({Code::kAuthExpired, {}});
}

void LongPoll::add_token(std::vector<auth::HeldToken>& to) const { token_.add_to(to); }

void LongPoll::on_member_revoked(const MemberId& member, WallTime before) {
    if (!done_ && token_.is_revoked(member, before)) refuse({Code::kAuthExpired, {}});
}

}  // namespace parley::gateway
