#include "gateway/admin_members.h"

#include <optional>
#include <string>

#include "base/iso_time.h"
#include "gateway/core.h"
#include "gateway/rest_json.h"
#include "wire/json.h"

namespace parley::gateway {
namespace {

using store::Standing;
using Membership = std::optional<store::Membership>;

/// A text of the body that may be missing.
Result<std::optional<std::string>> read_text(const wire::HttpRequest& request, std::string_view name) {
    const auto fields = wire::JsonFields::parse(request.body, {name});
    if (!fields) return fail(fields.error());
    return fields->text(name);
}

Result<MemberId> read_member(const wire::HttpRequest& request) {
    const auto text = read_text(request, "memberId");
    if (!text) return fail(text.error());
    if (!*text) return fail(Code::kInvalidPayload, "memberId is missing");
    return MemberId::parse(**text);
}

/// Answers with `json`, or with what went wrong. Thread: any.
auto answer(Core& core, const AdminCallRef& call, std::string json) {
    return [&loop = core.loop(), call = call, json = std::move(json)](Result<> done) mutable {
        loop.post([call = std::move(call), json = std::move(json), done = std::move(done)] {
            if (done) {
                call->exchange->respond_json(200, json);
            } else {
                call->exchange->refuse(done.error());
            }
        });
    };
}

void revoke_token(Core& core, const AdminCallRef& call, const std::string& token) {
    const auto verified = core.services().keys.verify(token, core.loop().clock().wall());
    if (!verified) {
        call->exchange->refuse({Code::kInvalidPayload, "token is none that holds here"});
        return;
    }
    const auto& [claims, hash] = *verified;
    core.services().guard.revoke(
        hash, claims.expires,
        answer(core, call, JsonObject{}.text("memberId", claims.member.str()).text("sha256", hash).str()));
}

void revoke_member(Core& core, const AdminCallRef& call) {
    const auto member = read_member(call->exchange->request());
    if (!member) {
        call->exchange->refuse(member.error());
        return;
    }
    const WallTime now = core.loop().clock().wall();
    std::string time;
    append_iso(time, now);
    core.services().guard.revoke_member(
        *member, now,
        answer(core, call, JsonObject{}.text("memberId", member->str()).text("revokedBefore", time).str()));
}

struct Found {
    store::RoomInfo room;
    Membership membership;
};

Result<Found> find(store::Directory& directory, const RoomId& id, const MemberId& member) {
    auto room = directory.room(id);
    if (!room) return fail(room.error());
    if (!*room) return fail(Code::kRoomNotFound, {});
    if ((*room)->kind != store::RoomKind::kChat)
        return fail(Code::kForbidden, "nobody is kicked from this kind of room");
    auto membership = directory.membership(id, member);
    if (!membership) return fail(membership.error());
    return Found{std::move(**room), std::move(*membership)};
}

/// nullopt: there is nothing left to do.
Result<std::optional<std::string>> nickname_of_who_goes(const Found& found, const MemberId& member) {
    const Membership& membership = found.membership;
    if (membership && membership->standing == Standing::kOwner)
        return fail(Code::kForbidden, "the owner cannot be kicked");
    if (membership && membership->standing == Standing::kKicked) return std::optional<std::string>{};
    if (!membership && found.room.visibility == store::Visibility::kPrivate) return fail(Code::kMemberNotFound, {});
    return std::optional{membership ? membership->nickname : member.str()};
}

void kick_from(Core& core, const AdminCallRef& call, const RoomId& room, const MemberId& member) {
    core.services().room_turns.take(room, core.loop(), [&core, call, room, member](RoomTurn turn) {
        core.asker().ask(
            [&directory = core.services().directory, room, member] { return find(directory, room, member); },
            [&core, call, room, member, turn = std::move(turn)](const Result<Found>& found) mutable {
                const auto nickname = found ? nickname_of_who_goes(*found, member)
                                            : Result<std::optional<std::string>>{fail(found.error())};
                auto done = answer(core, call,
                                   JsonObject{}
                                       .text("roomId", room.str())
                                       .text("memberId", member.str())
                                       .text("standing", "kicked")
                                       .str());
                if (!nickname || !*nickname) {
                    done(nickname ? Result<>{} : Result<>{fail(nickname.error())});
                    return;
                }
                core.chat().change(
                    {MemberId::trusted("~server"), "server"}, room, {RoomChange::Kind::kKicked, member}, **nickname,
                    **nickname + "님을 내보냈습니다.",
                    [turn = std::move(turn), done = std::move(done)](const Result<RoomSeq>& changed) mutable {
                        done(changed ? Result<>{} : Result<>{fail(changed.error())});
                    });
            });
    });
}

}  // namespace

void serve_revoke(Core& core, const AdminCallRef& call) {
    const auto token = read_text(call->exchange->request(), "token");
    if (!token) {
        call->exchange->refuse(token.error());
    } else if (*token) {
        revoke_token(core, call, **token);
    } else {
        revoke_member(core, call);
    }
}

void serve_kick(Core& core, const AdminCallRef& call) {
    const auto& request = call->exchange->request();
    const auto room_text = read_text(request, "roomId");
    if (!room_text) {
        call->exchange->refuse(room_text.error());
        return;
    }
    if (!*room_text) {
        revoke_member(core, call);
        return;
    }
    const auto member = read_member(request);
    const auto room = RoomId::parse(**room_text);
    if (!member) {
        call->exchange->refuse(member.error());
    } else if (!room) {
        call->exchange->refuse({Code::kRoomNotFound, "no room can have this id"});
    } else {
        kick_from(core, call, *room, *member);
    }
}

}  // namespace parley::gateway
