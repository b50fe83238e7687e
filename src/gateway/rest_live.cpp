#include <algorithm>
#include <charconv>

#include "gateway/long_poll.h"
#include "gateway/notification_stream.h"
#include "gateway/rest.h"
#include "gateway/rest_json.h"
#include "gateway/room_stream.h"
#include "log/claimed_head.h"

namespace parley::gateway {
namespace {

std::vector<wire::HttpField> stream_fields() {
    return {{"Content-Type", "text/event-stream; charset=utf-8"},
            {"Cache-Control", "no-store"},
            {"X-Accel-Buffering", "no"}};
}

/// Null where nobody is there to read it, or only its head is asked for.
template <class Stream>
Stream* open_stream(Core& core, const RestCall& call, const char* transport) {
    Stream* stream = nullptr;
    call.exchange()->become_stream(stream_fields(), [&](wire::HttpBodyFraming framing) {
        auto made =
            std::make_unique<Stream>(core, SseStream::Opening{.identity = call.identity,
                                                              .framing = framing,
                                                              .unnamed = call.query.get("unnamed").value_or("") == "1",
                                                              .transport = transport});
        stream = made.get();
        return made;
    });
    return stream;
}

/// Where a stream of a room shall begin. A reader that comes back says it in Last-Event-ID, whatever its address says.
struct StreamStart {
    bool comes_back = false;
    std::optional<std::uint64_t> last_id;  ///< nullopt also for what is no number
    std::optional<std::uint64_t> after;
    std::optional<std::uint64_t> epoch;
};

Result<StreamStart> parse_stream_start(const RestCall& call) {
    const auto after = call.number("after");
    const auto epoch = call.number("epoch");
    if (!after) return fail(after.error());
    if (!epoch) return fail(epoch.error());
    StreamStart start;
    start.after = *after;
    start.epoch = *epoch;
    const auto id = call.request().headers.find("last-event-id");
    start.comes_back = id && !id->empty();
    if (start.comes_back) {
        std::uint64_t value = 0;
        const char* const end = id->data() + id->size();
        const auto [stop, error] = std::from_chars(id->data(), end, value);
        if (error == std::errc{} && stop == end) start.last_id = value;
    }
    return start;
}

/// What the reader says to have.
RoomSeq claimed_by(const StreamStart& start) { return {(start.comes_back ? start.last_id : start.after).value_or(0)}; }

/// nullopt: the position is not of this room's history.
std::optional<RoomSeq> stream_after(const StreamStart& start, const log::RoomHead& at) {
    const bool same_epoch = !start.epoch || *start.epoch == at.epoch.value;
    if (start.comes_back) {
        const bool known = start.last_id && *start.last_id <= at.head.value && same_epoch;
        return known ? RoomSeq{*start.last_id} : at.head;
    }
    if (!same_epoch || start.after.value_or(0) > at.head.value) return std::nullopt;
    return start.after ? RoomSeq{*start.after} : at.head;
}

// --- polls --------------------------------------------------------------------------------------------------------

constexpr milliseconds kDefaultTimeout{30'000};
constexpr std::uint64_t kLongestTimeout = 50'000;  // proxies give up after 60 s

Result<milliseconds> parse_timeout(const wire::QueryParams& query) {
    const auto text = query.get("timeout");
    if (!text) return kDefaultTimeout;
    const bool is_number =
        !text->empty() && std::ranges::all_of(*text, [](char digit) { return digit >= '0' && digit <= '9'; });
    if (!is_number) return fail(Code::kBadRequest, "timeout must be a whole number of milliseconds, 0 or more");
    std::uint64_t value = 0;
    const auto [stop, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{}) value = kLongestTimeout;  // larger than any
    return milliseconds{static_cast<std::int64_t>(std::min(value, kLongestTimeout))};
}

Result<PollQuestion> parse_poll(const RestCall& call, const CursorSeal& seal) {
    PollQuestion question;
    question.member = call.member();
    if (const auto user = call.query.get("userId"); user && *user != call.member().str()) {
        return fail(Code::kForbidden, "userId is not the token's member");
    }
    if (const auto room = call.query.get("roomId")) {
        auto id = RoomId::parse(*room);
        if (!id) return fail(room->empty() ? Code::kBadRequest : Code::kRoomNotFound, "no room can have this roomId");
        question.room = std::move(*id);
        const auto after = call.number("after");
        const auto epoch = call.number("epoch");
        if (!after) return fail(after.error());
        if (!epoch) return fail(epoch.error());
        if (*after) question.after = RoomSeq{**after};
        question.epoch = *epoch;
        return question;
    }
    if (const auto cursor = call.query.get("after")) {
        question.places = seal.open(*cursor);
        if (!question.places) return fail(Code::kBadRequest, "after is no cursor of this server");
        if (!question.places->is_of(call.member())) return fail(Code::kForbidden, "the cursor is another member's");
    }
    return question;
}

}  // namespace

std::optional<UnderWay> Rest::seat_for(const RestCallRef& call) {
    Services& services = core_.services();
    if (services.is_full() || core_.memory().refuses_connections()) {
        call->refuse({Code::kServerFull, {}});
        return std::nullopt;
    }
    const std::string address = auth::address_key(call->exchange()->peer());
    if (const auto wait = services.rates.handshake(address, core_.loop().now())) {
        call->refuse_rate(*wait, "too many connections from this address");
        return std::nullopt;
    }
    return UnderWay{services.entering};
}

void Rest::stream_room(const RestCallRef& call) {
    const auto start = parse_stream_start(*call);
    if (!start) {
        call->refuse(start.error());
        return;
    }
    auto seat = seat_for(call);
    if (!seat) return;
    in_room(
        call, auth::Operation::kSubscribe,
        [&log = core_.services().log, room = call->room, claimed = claimed_by(*start),
         epoch = start->epoch](const RoomEntry&) {
            return log::head_for(log, room, claimed, epoch ? std::optional{Epoch{*epoch}} : std::nullopt);
        },
        [this, call, start = *start, seat = std::move(*seat)](const log::RoomHead& at) {
            const auto after = stream_after(start, at);
            if (!after) {
                call->exchange()->respond_json(409, position_invalid_json(at));
                return;
            }
            if (auto* stream = open_stream<RoomStream>(core_, *call, "sse")) stream->begin(call->room, at, *after);
        });
}

void Rest::stream_notifications(const RestCallRef& call) {
    auto seat = seat_for(call);
    if (!seat) return;
    const auto last_id = call->request().headers.find("last-event-id").value_or("");
    core_.asker().ask(
        [&log = core_.services().log, own = notifications_of(call->member()),
         wanted = parse_notification_place(last_id)]() -> Result<NotificationPlace> {
            const auto mine = log::head_for(log, own, wanted ? wanted->own : RoomSeq{});
            if (!mine) return fail(mine.error());
            const auto all = log::head_for(log, broadcasts(), wanted ? wanted->all : RoomSeq{});
            if (!all) return fail(all.error());
            // What is no place of these logs goes on live.
            const bool known = wanted && wanted->own <= mine->head && wanted->all <= all->head;
            return known ? *wanted : NotificationPlace{mine->head, all->head};
        },
        [this, call, seat = std::move(*seat)](const Result<NotificationPlace>& from) {
            if (!from) {
                call->refuse(from.error());
            } else if (auto* stream = open_stream<NotificationStream>(core_, *call, "sse-notifications")) {
                stream->begin(*from);
            }
        });
}

void Rest::poll(const RestCallRef& call) { begin_poll(call, milliseconds{0}); }

void Rest::long_poll(const RestCallRef& call) {
    const auto timeout = parse_timeout(call->query);
    if (!timeout) {
        call->refuse(timeout.error());
    } else if (core_.services().is_full() || core_.memory().refuses_connections()) {
        call->refuse({Code::kServerFull, {}});
    } else {
        begin_poll(call, *timeout);
    }
}

void Rest::begin_poll(const RestCallRef& call, milliseconds timeout) {
    auto question = parse_poll(*call, core_.cursor_seal());
    if (!question) {
        call->refuse(question.error());
        return;
    }
    question->auto_create = core_.options().auto_create;
    const bool is_long = call->request().path.ends_with("/longpoll");
    core_.services().counters.sessions(is_long ? "longpoll" : "polling").add();
    LongPoll::begin(core_, call->exchange(), call->identity, std::move(*question), timeout);
}

}  // namespace parley::gateway
