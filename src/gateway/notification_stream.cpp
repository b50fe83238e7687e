#include "gateway/notification_stream.h"

#include <utility>

#include "gateway/core.h"
#include "gateway/exchange.h"

namespace parley::gateway {
namespace {
constexpr std::size_t kPage = 100;
constexpr Bytes kPageBytes = 256_KiB;
}  // namespace

NotificationStream::~NotificationStream() = default;

void NotificationStream::begin(const NotificationPlace& from) {
    at_ = from;
    say_connected("SSE 연결 성공");
    core_.notifications().add(*this);
    // It listens before it looks: nothing falls between.
    own_ = &core_.news().watch(notifications_of(member()), *this);
    all_ = &core_.news().watch(broadcasts(), *this);
    look();
}

void NotificationStream::on_end() noexcept {
    if (own_ == nullptr) return;
    core_.notifications().remove(*this);
    core_.news().unwatch(*std::exchange(own_, nullptr), *this);
    core_.news().unwatch(*std::exchange(all_, nullptr), *this);
    looking_.reset();
}

void NotificationStream::say_login(std::string_view json) {
    if (can_take()) say({.name = "user-login", .data = json});
}

void NotificationStream::look() {
    if (looking_ != nullptr) {
        stirred_ = true;
        return;
    }
    if (!can_take()) return;
    stirred_ = false;
    looking_ = std::make_shared<bool>(true);
    core_.asker().ask(
        [&log = core_.services().log, own = notifications_of(member()), at = at_]() -> Result<Pages> {
            auto mine = log.read(own, at.own, kPage, kPageBytes);
            if (!mine) return fail(mine.error());
            auto all = log.read(broadcasts(), at.all, kPage, kPageBytes);
            if (!all) return fail(all.error());
            return Pages{std::move(*mine), std::move(*all)};
        },
        [this, looking = std::weak_ptr<bool>{looking_}](const Result<Pages>& pages) {
            if (looking.expired()) return;
            looking_.reset();
            on_pages(pages);
        });
}

void NotificationStream::on_pages(const Result<Pages>& pages) {
    // A log that cannot be read is asked again with the next news, or by the reader when it comes back.
    if (!pages) {
        end("unavailable", pages.error().code);
        return;
    }
    const bool through = take(pages->own, at_.own) && take(pages->all, at_.all);
    if (is_open() && (stirred_ || !through)) look();
}

bool NotificationStream::take(const log::Page& page, RoomSeq& place) {
    if (place.next() < page.at.first) {
        place = page.at.first.prev();
        say({.name = "truncated", .id = to_text(at_), .data = error_json(Code::kHistoryTruncated, {})});
    }
    for (const MessageRef& message : page.messages) {
        if (message->seq <= place) continue;
        if (!can_take()) return false;
        take(*message, place);
    }
    return page.messages.size() < kPage && place >= page.at.head;
}

void NotificationStream::take(const Message& message, RoomSeq& place) {
    place = message.seq;
    const std::string name = event_name(message);
    say({.name = name, .id = to_text(at_), .data = message.content});
    core_.services().counters.messages_out.add();
}

RoomSeq& NotificationStream::place_in(const RoomId& room) { return room == broadcasts() ? at_.all : at_.own; }

void NotificationStream::on_head(const RoomId& room, RoomSeq head) {
    if (head > place_in(room)) look();
}

bool NotificationStream::on_news(NewsBoard::News& news) {
    RoomSeq& place = place_in(news.room());
    for (const MessageRef& message : news.messages()) {
        if (message->seq <= place) continue;
        if (looking_ != nullptr || !can_take() || message->seq != place.next()) {
            look();
            break;
        }
        take(*message, place);
    }
    return is_open();
}

}  // namespace parley::gateway
