#include "gateway/notifications.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

#include "auth/encoding.h"
#include "base/logger.h"
#include "base/uuid.h"
#include "gateway/core.h"

namespace parley::gateway {
namespace {

constexpr std::string_view kEvent = R"("event":)";
/// What a stream tells of itself.
constexpr std::array<std::string_view, 4> kOfStreams{"connected", "expired", "truncated", "unavailable"};

Draft draft_of(std::string_view event, std::string data) {
    Draft draft;
    draft.sender = MemberId::trusted("~server");
    draft.nickname = "server";
    draft.type = MessageType::kSystem;
    draft.content = std::move(data);
    draft.extra = kEvent;
    append_json_string(draft.extra, event);
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
    std::size_t characters = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        // C0, DEL and, in two bytes, C1.
        const bool is_control = c < 0x20 || c == 0x7F ||
                                (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0);
        if (is_control) return false;
        if ((c & 0xC0) != 0x80) ++characters;
    }
    return characters >= 1 && characters <= 64 && std::ranges::find(kOfStreams, text) == kOfStreams.end();
}

std::string event_name(const Message& message) {
    std::string_view extra{message.extra};
    if (!extra.starts_with(kEvent) || !extra.ends_with('"')) return {};
    extra.remove_prefix(kEvent.size());
    const std::string_view plain = extra.substr(1, extra.size() - 2);
    if (plain.find('\\') == std::string_view::npos) return std::string{plain};
    boost::system::error_code error;
    const auto name = boost::json::parse(extra, error);
    return error || !name.is_string() ? std::string{} : std::string{std::string_view{name.as_string()}};
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
