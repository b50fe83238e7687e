#include <algorithm>

#include "base/uuid.h"
#include "gateway/rest.h"
#include "gateway/rest_json.h"
#include "wire/json.h"

namespace parley::gateway {
namespace {

constexpr std::uint64_t kRoomsPerPage = 100;
constexpr std::uint64_t kMostRooms = 500;

/// `"visibility":"private"`, or the shorter `"private":true`.
Result<std::optional<store::Visibility>> visibility_of(const wire::JsonFields& fields) {
    const auto text = fields.text("visibility");
    if (!text) return fail(text.error());
    if (*text) {
        const auto visibility = parse_visibility(**text);
        if (!visibility) return fail(Code::kInvalidPayload, "visibility must be public or private");
        return visibility;
    }
    const auto is_private = fields.flag("private");
    if (!is_private) return fail(is_private.error());
    if (!*is_private) return std::optional<store::Visibility>{};
    return std::optional{**is_private ? store::Visibility::kPrivate : store::Visibility::kPublic};
}

Result<store::RoomInfo> parse_room(std::string_view body) {
    const auto fields = wire::JsonFields::parse(body, {"roomId", "name", "visibility", "private"});
    if (!fields) return fail(fields.error());
    store::RoomInfo room;
    const auto id = fields->text("roomId");
    if (!id) return fail(id.error());
    auto parsed = *id ? RoomId::parse(**id) : RoomId::trusted("r-" + random_hex(8));
    if (!parsed) return fail(parsed.error());
    room.id = std::move(*parsed);
    const auto given_name = fields->text("name");
    if (!given_name) return fail(given_name.error());
    room.name = room.id.str();
    if (*given_name) {
        auto shown = visible_name(**given_name, "name");
        if (!shown) return fail(shown.error());
        room.name = std::move(*shown);
    }
    const auto visibility = visibility_of(*fields);
    if (!visibility) return fail(visibility.error());
    room.visibility = visibility->value_or(store::Visibility::kPublic);
    return room;
}

/// The array of `rooms` as `member` sees them.
Result<std::string> rooms_json(Services& services, const std::vector<store::RoomInfo>& rooms, const MemberId& member) {
    std::string out = "[";
    for (const store::RoomInfo& room : rooms) {
        if (room.id.is_server_own()) continue;  // a pair's: by /ws/direct alone
        const auto membership = services.directory.membership(room.id, member);
        if (!membership) return fail(membership.error());
        const auto head = services.log.head(room.id);
        if (!head) return fail(head.error());
        if (out.size() > 1) out += ',';
        out += room_json(room, *membership, *head);
    }
    return out + ']';
}

bool is_yes(const std::optional<std::string>& text) { return text && *text != "0" && *text != "false"; }

}  // namespace

void Rest::answer_room(const RestCallRef& call, int status) {
    in_room(
        call, auth::Operation::kSeeRoom,
        [&log = core_.services().log, room = call->room](const RoomEntry& entry) -> Result<std::string> {
            const auto head = log.head(room);
            if (!head) return fail(head.error());
            return room_json(*entry.view.room, entry.view.membership, *head);
        },
        [call, status](const std::string& json) { call->answer(status, json); });
}

void Rest::show_room(const RestCallRef& call) { answer_room(call, 200); }

void Rest::create_room(const RestCallRef& call) {
    auto room = parse_room(call->request().body);
    if (!room) {
        call->refuse(room.error());
        return;
    }
    if (const auto wait = core_.services().rates.room_creation(call->member().str(), core_.loop().now())) {
        call->refuse_rate(*wait, "too many new rooms");
        return;
    }
    room->owner = call->member();
    room->created_at = core_.loop().clock().wall();
    call->room = room->id;
    core_.chat().create_room(call->speaker(), std::move(*room), [this, call](Result<store::RoomInfo> made) {
        if (made) {
            answer_room(call, 201);
        } else {
            call->refuse(made.error());
        }
    });
}

void Rest::list_rooms(const RestCallRef& call) {
    const auto limit = call->number("limit");
    if (!limit) {
        call->refuse(limit.error());
        return;
    }
    RoomId after;
    if (const auto text = call->query.get("after"); text && !text->empty()) {
        auto parsed = RoomId::parse(*text);
        if (!parsed) {
            call->refuse(parsed.error());
            return;
        }
        after = std::move(*parsed);
    }
    const bool mine = is_yes(call->query.get("mine"));
    const std::size_t count = std::min(limit->value_or(mine ? kMostRooms : kRoomsPerPage), kMostRooms);
    core_.asker().ask(
        [&services = core_.services(), member = call->member(), after, count, mine]() -> Result<std::string> {
            const auto rooms =
                mine ? services.directory.rooms_of(member, count) : services.directory.public_rooms(after, count);
            if (!rooms) return fail(rooms.error());
            return rooms_json(services, *rooms, member);
        },
        [call](Result<std::string> json) {
            if (json) {
                call->answer(200, *json);
            } else {
                call->refuse(json.error());
            }
        });
}

void Rest::configure_room(const RestCallRef& call) {
    const auto fields = wire::JsonFields::parse(call->request().body, {"visibility", "private"});
    const auto wanted =
        fields ? visibility_of(*fields) : Result<std::optional<store::Visibility>>{fail(fields.error())};
    if (!wanted) {
        call->refuse(wanted.error());
        return;
    }
    if (!*wanted) {
        call->refuse({Code::kInvalidPayload, "visibility is missing"});
        return;
    }
    in_turn(call, auth::Operation::kConfigure,
            [this, call, visibility = **wanted](const RoomEntry& entry, RoomTurn turn) {
                if (entry.view.room->visibility == visibility) {
                    answer_room(call, 200);
                    return;
                }
                const bool is_private = visibility == store::Visibility::kPrivate;
                change(call, std::move(turn),
                       {is_private ? RoomChange::Kind::kMadePrivate : RoomChange::Kind::kMadePublic, {}}, {},
                       is_private ? "비공개 방이 되었습니다." : "공개 방이 되었습니다.",
                       [this, call] { answer_room(call, 200); });
            });
}

void Rest::raise_read_mark(const RestCallRef& call) {
    const auto fields = wire::JsonFields::parse(call->request().body, {"seq"});
    const auto seq = fields ? fields->integer("seq") : Result<std::optional<std::int64_t>>{fail(fields.error())};
    if (!seq) {
        call->refuse(seq.error());
        return;
    }
    if (!*seq || **seq < 0) {
        call->refuse({Code::kInvalidPayload, "seq must be a whole number, 0 or more"});
        return;
    }
    in_room(
        call, auth::Operation::kReadMark, [](const RoomEntry& entry) { return Result<RoomEntry>{entry}; },
        [this, call, up_to = RoomSeq{static_cast<std::uint64_t>(**seq)}](const RoomEntry&) {
            core_.chat().mark_read(call->speaker(), call->room, up_to, [call](Result<RoomSeq> mark) {
                if (mark) {
                    call->answer(200, JsonObject{}.number("seq", mark->value).str());
                } else {
                    call->refuse(mark.error());
                }
            });
        });
}

void Rest::show_read_mark(const RestCallRef& call) {
    in_room(
        call, auth::Operation::kReadMark,
        [&directory = core_.services().directory, room = call->room, member = call->member()](const RoomEntry&) {
            return directory.read_mark(room, member);
        },
        [call](RoomSeq mark) { call->answer(200, JsonObject{}.number("seq", mark.value).str()); });
}

}  // namespace parley::gateway
