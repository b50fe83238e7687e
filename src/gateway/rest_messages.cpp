#include <algorithm>

#include "gateway/rest.h"
#include "gateway/rest_json.h"
#include "wire/json.h"

namespace parley::gateway {
namespace {

constexpr std::uint64_t kDefaultPage = 50;
constexpr std::uint64_t kLargestPage = 500;
constexpr Bytes kPageBytes = 2_MiB;

Result<chat::Words> parse_words(std::string_view body, const chat::Service& chat) {
    using enum wire::ChatField;
    auto fields = wire::parse_chat_body(body, {kType, kContent, kMessageId});
    if (!fields) return fail(fields.error());
    if (fields->type && *fields->type != name(MessageType::kTalk)) {
        return fail(Code::kInvalidMessageType, "only TALK can be posted");
    }
    if (!fields->content) return fail(Code::kInvalidPayload, "content is missing");
    if (const auto good = chat.check_content(*fields->content); !good) return fail(good.error());
    chat::Words words;
    words.content = std::move(*fields->content);
    if (fields->message_id) {
        auto id = MessageId::parse(*fields->message_id);
        if (!id) return fail(id.error());
        words.id = std::move(*id);
    }
    return words;
}

/// Which part of a room's history is asked for.
struct Range {
    std::optional<std::uint64_t> after;
    std::optional<std::uint64_t> before;
    std::optional<std::uint64_t> epoch;
    std::uint64_t limit = kDefaultPage;
};

Result<Range> parse_range(const RestCall& call) {
    const auto after = call.number("after");
    const auto before = call.number("before");
    const auto epoch = call.number("epoch");
    const auto limit = call.number("limit");
    for (const auto* number : {&after, &before, &epoch, &limit}) {
        if (!*number) return fail(number->error());
    }
    if (*limit == 0U) return fail(Code::kBadRequest, "limit must be 1 to 500");
    return Range{*after, *before, *epoch, std::min(limit->value_or(kDefaultPage), kLargestPage)};
}

Result<log::Page> read_range(log::RoomLog& log, const RoomId& room, const Range& range) {
    if (!range.after) {
        return log.read_before(room, {range.before.value_or(UINT64_MAX)}, range.limit, kPageBytes);
    }
    auto page = log.read(room, {*range.after}, range.limit, kPageBytes);
    if (page && range.before) {
        std::erase_if(page->messages, [&](const MessageRef& message) { return message->seq.value >= *range.before; });
    }
    return page;
}

struct History {
    log::RoomHead at;
    std::string json;
    bool position_invalid = false;
    bool truncated = false;  ///< older messages were asked for that are no longer kept
};

bool is_truncated(const Range& range, const log::Page& page) {
    const RoomSeq first = page.at.first;
    if (range.after) return *range.after + 1 < first.value;
    if (first.value <= 1 || page.messages.size() == range.limit) return false;
    return page.messages.empty() ? range.before.value_or(UINT64_MAX) > 1 : page.messages.front()->seq == first;
}

History to_history(const Range& range, const log::Page& page) {
    History history;
    history.at = page.at;
    history.position_invalid =
        (range.epoch && *range.epoch != page.at.epoch.value) || (range.after && *range.after > page.at.head.value);
    if (history.position_invalid) return history;
    history.truncated = is_truncated(range, page);
    history.json = "[";
    for (const MessageRef& message : page.messages) {
        if (history.json.size() > 1) history.json += ',';
        history.json += to_json(*message);
    }
    history.json += ']';
    return history;
}

}  // namespace

// --- sending ------------------------------------------------------------------------------------------------------

void Rest::post_message(const RestCallRef& call) {
    core_.services().counters.messages_in.add();
    auto words = parse_words(call->request().body, core_.chat());
    if (!words) {
        call->refuse(words.error());
        return;
    }
    words->room = call->room;
    core_.chat().view(call->room, call->member(),
                      [this, call, words = std::move(*words)](Result<chat::RoomView> view) mutable {
                          if (!view) {
                              call->refuse(view.error());
                              return;
                          }
                          const auto decision = auth::decide({.operation = auth::Operation::kSend,
                                                              .destination = auth::of_room(call->room),
                                                              .who = {call->member(), false},
                                                              .room = view->room,
                                                              .membership = view->membership,
                                                              .auto_create = core_.options().auto_create});
                          if (const auto allowed = decision.to_result(); !allowed) {
                              call->refuse(allowed.error());
                              return;
                          }
                          const auto now = core_.loop().now();
                          if (const auto wait = core_.services().rates.send(call->member().str(), now).take(now)) {
                              call->refuse_rate(*wait, {});
                              return;
                          }
                          if (!decision.creates_room) {
                              store_message(call, std::move(words));
                              return;
                          }
                          core_.chat().create_unknown(
                              call->speaker(), call->room,
                              [this, call, words = std::move(words)](Result<> made, milliseconds wait) mutable {
                                  if (made) {
                                      store_message(call, std::move(words));
                                  } else {
                                      call->refuse(made.error(), {}, wait);
                                  }
                              });
                      });
}

void Rest::store_message(const RestCallRef& call, chat::Words words) {
    Message message;
    static_cast<Draft&>(message) = core_.chat().draft(call->speaker(), std::move(words));
    message.room = call->room;
    std::vector<Draft> drafts{message};
    core_.chat().append(call->room, std::move(drafts),
                        [this, call, message = std::move(message)](Result<std::vector<log::Appended>> stored) mutable {
                            if (!stored) {
                                call->refuse(stored.error());
                            } else if (stored->front().repeated) {
                                answer_repeat(call, stored->front().seq);
                            } else {
                                message.seq = stored->front().seq;
                                message.created_at = stored->front().created_at;
                                call->answer(201, to_json(message));
                            }
                        });
}

void Rest::answer_repeat(const RestCallRef& call, RoomSeq seq) {
    core_.asker().ask(
        [&log = core_.services().log, room = call->room, seq]() -> Result<std::string> {
            const auto page = log.read(room, seq.prev(), 1, kPageBytes);
            if (!page) return fail(page.error());
            if (page->messages.empty() || page->messages.front()->seq != seq) {
                return fail(Code::kHistoryTruncated, "this message was stored and is no longer kept");
            }
            return to_json(*page->messages.front());
        },
        [call](Result<std::string> json) {
            if (json) {
                call->answer(200, *json);
            } else {
                call->refuse(json.error());
            }
        });
}

// --- history ------------------------------------------------------------------------------------------------------

void Rest::show_history(const RestCallRef& call) {
    const auto range = parse_range(*call);
    if (!range) {
        call->refuse(range.error());
        return;
    }
    in_room(
        call, auth::Operation::kHistory,
        [&log = core_.services().log, judge = judge(call, auth::Operation::kHistory), room = call->room,
         range = *range](const RoomEntry&) -> Result<History> {
            const auto page = read_range(log, room, range);
            if (!page) return fail(page.error());
            // Whose right ended while this was read gets nothing of what came after.
            if (const auto still = judge(); !still) return fail(still.error());
            return to_history(range, *page);
        },
        [call](const History& history) {
            const std::string epoch = std::to_string(history.at.epoch.value);
            const std::string first = std::to_string(history.at.first.value);
            const std::string head = std::to_string(history.at.head.value);
            std::vector<wire::HttpField> fields{
                {"X-Parley-Epoch", epoch}, {"X-Parley-First-Seq", first}, {"X-Parley-Head-Seq", head}};
            if (history.position_invalid) {
                call->exchange()->respond_json(409, position_invalid_json(history.at), std::move(fields));
                return;
            }
            if (history.truncated) fields.push_back({"X-Parley-Truncated", name(Code::kHistoryTruncated)});
            call->answer(200, history.json, std::move(fields));
        });
}

}  // namespace parley::gateway
