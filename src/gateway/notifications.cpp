#include "gateway/notifications.h"

#include <algorithm>
#include <charconv>

#include "auth/encoding.h"
#include "base/logger.h"
#include "base/uuid.h"
#include "gateway/core.h"

namespace parley::gateway {
namespace {

constexpr std::string_view kEvent = R"("event":")";

Draft draft_of(std::string_view event, std::string data) {
    Draft draft;
    draft.sender = MemberId::trusted("~server");
    draft.nickname = "server";
    draft.type = MessageType::kSystem;
    draft.content = std::move(data);
    draft.extra.append(kEvent).append(event).append("\"");
    return draft;
}

void store(Core& core, const RoomId& room, Draft draft, std::function<void(Result<RoomSeq>)> then) {
    draft.id = MessageId::trusted(make_uuid7(core.loop().clock().wall()));
    draft.fresh_id = true;
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    core.chat().append(room, std::move(drafts),
                       [then = std::move(then)](const Result<std::vector<log::Appended>>& stored) {
                           if (stored) {
                               then(stored->front().seq);
                           } else {
                               then(fail(stored.error()));
                           }
                       });
}

}  // namespace

RoomId notifications_of(const MemberId& member) {
    return RoomId::trusted("~notify:" + auth::sha256_hex(member.str()).substr(0, 32));
}

const RoomId& broadcasts() {
    static const RoomId room = RoomId::trusted("~broadcast");
    return room;
}

void notify_member(Core& core, const MemberId& member, const std::string& json, std::function<void()> then) {
    store(core, notifications_of(member), draft_of("notification", json),
          [&core, member, json, then = std::move(then)](const Result<RoomSeq>& stored) {
              if (!stored) {
                  logger::warn("gateway", "a notification could not be stored",
                               {{"member", member.str()}, {"why", stored.error().message}});
              }
              core.services().bus.notify({bus::Notice::Kind::kNotification, member.str(), json, {}});
              then();
          });
}

void notify_once(log::RoomLog& log, bus::Bus& bus, const MemberId& member, const std::string& key, std::string json,
                 UniqueFunction<void(Result<>)> then) {
    Draft draft = draft_of("notification", json);
    draft.id = MessageId::trusted(auth::sha256_hex(key));
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    log.append({notifications_of(member), std::move(drafts)},
               [&bus, member, json = std::move(json),
                then = std::move(then)](Result<std::vector<log::Appended>> stored) mutable {
                   if (!stored) {
                       then(fail(stored.error()));
                       return;
                   }
                   if (!stored->front().repeated)
                       bus.notify({bus::Notice::Kind::kNotification, member.str(), std::move(json), {}});
                   then({});
               });
}

void broadcast(Core& core, std::string_view event, std::string data, std::function<void(Result<RoomSeq>)> then) {
    store(core, broadcasts(), draft_of(event, std::move(data)), std::move(then));
}

bool is_event_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
               c == '-';
    });
}

std::string_view event_name(const Message& message) noexcept {
    std::string_view extra{message.extra};
    if (!extra.starts_with(kEvent) || !extra.ends_with('"')) return {};
    extra.remove_prefix(kEvent.size());
    extra.remove_suffix(1);
    return extra;
}

std::string to_text(const NotificationPlace& place) {
    return std::to_string(place.own.value) + '.' + std::to_string(place.all.value);
}

std::optional<NotificationPlace> parse_notification_place(std::string_view text) noexcept {
    NotificationPlace place;
    const char* const end = text.data() + text.size();
    const auto own = std::from_chars(text.data(), end, place.own.value);
    if (own.ec != std::errc{} || own.ptr == end || *own.ptr != '.') return std::nullopt;
    const auto all = std::from_chars(own.ptr + 1, end, place.all.value);
    if (all.ec != std::errc{} || all.ptr != end) return std::nullopt;
    return place;
}

}  // namespace parley::gateway
