#include <algorithm>
#include <map>

#include "gateway/notifications.h"
#include "gateway/rest.h"
#include "gateway/rest_json.h"
#include "wire/json.h"

namespace parley::gateway {
namespace {

using store::Standing;

constexpr std::size_t kMostMembers = 5'000;

/// Who an owner speaks of: the member's id, or the name of an account.
struct Guest {
    MemberId member;
    std::string nickname;
};

Result<Guest> find_guest(store::Directory& directory, const MemberId& id, const std::string& login_name,
                         bool must_be_known) {
    const auto account = id.empty() ? directory.account_by_name(login_name) : directory.account(id);
    if (!account) return fail(account.error());
    if (account->has_value()) return Guest{(*account)->id, (*account)->nickname};
    // The tokens of another login service speak for members that have no account here.
    if (id.empty() || must_be_known) return fail(Code::kMemberNotFound, {});
    return Guest{id, id.str()};
}

bool stands_as(const std::optional<store::Membership>& membership, Standing standing) {
    return membership && membership->standing == standing;
}

std::string invitation_json(const RestCall& call, const store::RoomInfo& room) {
    return JsonObject{}
        .text("notification", "invitation")
        .text("roomId", room.id.str())
        .text("name", room.name)
        .text("memberId", call.member().str())
        .text("nickName", call.identity.claims.nickname)
        .str();
}

/// Members and visitors with ids behind `after`, in id order; `members` are the first `count` of theirs.
std::string members_page(const std::vector<store::Membership>& members,
                         const std::vector<room::Presence::Present>& present, const std::string& after,
                         std::size_t count) {
    std::map<std::string, std::string> json;
    const bool more = members.size() == count;
    for (const auto& [member, nickname] : present) {
        if (member.str() <= after || (more && member.str() > members.back().member.str())) continue;
        json.emplace(member.str(), visitor_json(member, nickname));
    }
    for (const auto& membership : members) {
        std::string& entry = json[membership.member.str()];
        entry = member_json(membership, !entry.empty());
    }
    std::string out = "[";
    for (const auto& [id, entry] : json) {
        if (count-- == 0) break;
        if (out.size() > 1) out += ',';
        out += entry;
    }
    return out + ']';
}

}  // namespace

void Rest::join(const RestCallRef& call) {
    in_turn(call, auth::Operation::kJoin, [this, call](const RoomEntry& entry, RoomTurn turn) {
        if (belongs(entry.view.membership)) {
            answer_room(call, 200);
            return;
        }
        auto record = [this, call, turn = std::move(turn)](Result<> there, milliseconds wait) {
            if (!there) {
                call->refuse(there.error(), {}, wait);
                return;
            }
            const std::string& nickname = call->identity.claims.nickname;
            change(call, turn, {RoomChange::Kind::kJoined, call->member()}, nickname,
                   nickname + "님이 멤버가 되었습니다.", [this, call] { answer_room(call, 200); });
        };
        if (entry.creates_room) {
            core_.chat().create_unknown(call->speaker(), call->room, std::move(record));
        } else {
            record({}, {});
        }
    });
}

void Rest::leave(const RestCallRef& call) {
    in_turn(call, auth::Operation::kLeave, [this, call](const RoomEntry& entry, RoomTurn turn) {
        auto left = [call] {
            call->answer(200, JsonObject{}.text("roomId", call->room.str()).flag("member", false).str());
        };
        const auto& membership = entry.view.membership;
        if (stands_as(membership, Standing::kOwner)) {
            call->refuse({Code::kForbidden, "the owner stays: nobody else could invite"});
        } else if (!membership || stands_as(membership, Standing::kKicked)) {
            left();  // nothing to end, and a kick is not undone by leaving
        } else {
            const std::string& nickname = call->identity.claims.nickname;
            change(call, std::move(turn), {RoomChange::Kind::kLeft, call->member()}, nickname,
                   nickname + "님이 방을 떠났습니다.", std::move(left));
        }
    });
}

void Rest::list_members(const RestCallRef& call) {
    const auto limit = call->number("limit");
    if (!limit || *limit == 0U) {
        call->refuse(limit ? Error{Code::kBadRequest, "limit must be 1 or more"} : limit.error());
        return;
    }
    const std::size_t count = std::min<std::uint64_t>(limit->value_or(kMostMembers), kMostMembers);
    const std::string after = call->query.get("after").value_or("");
    in_room(
        call, auth::Operation::kSeeMembers,
        [&services = core_.services(), room = call->room, count, after](const RoomEntry&) -> Result<std::string> {
            const auto members = services.directory.members(room, MemberId::trusted(after), count);
            if (!members) return fail(members.error());
            return members_page(*members, services.presence.present(room), after, count);
        },
        [call](const std::string& json) { call->answer(200, json); });
}

void Rest::invite(const RestCallRef& call) {
    const auto fields = wire::JsonFields::parse(call->request().body, {"memberId", "name"});
    const auto id_text = fields ? fields->text("memberId") : Result<std::optional<std::string>>{fail(fields.error())};
    const auto name_text = fields ? fields->text("name") : id_text;
    if (!id_text || !name_text) {
        call->refuse(id_text ? name_text.error() : id_text.error());
        return;
    }
    if (!*id_text && !*name_text) {
        call->refuse({Code::kInvalidPayload, "memberId or name is missing"});
        return;
    }
    const auto id = *id_text ? MemberId::parse(**id_text) : Result<MemberId>{MemberId{}};
    if (!id) {
        call->refuse(id.error());
        return;
    }
    in_turn(call, auth::Operation::kInvite,
            [this, call, id = *id, login_name = name_text->value_or("")](const RoomEntry& entry, RoomTurn turn) {
                struct Found {
                    Guest guest;
                    std::optional<store::Membership> membership;
                };
                core_.asker().ask(
                    [&directory = core_.services().directory, id, login_name, room = call->room,
                     must_be_known = core_.options().require_registered]() -> Result<Found> {
                        auto guest = find_guest(directory, id, login_name, must_be_known);
                        if (!guest) return fail(guest.error());
                        auto membership = directory.membership(room, guest->member);
                        if (!membership) return fail(membership.error());
                        return Found{std::move(*guest), std::move(*membership)};
                    },
                    [this, call, room = *entry.view.room, turn = std::move(turn)](Result<Found> found) mutable {
                        if (!found) {
                            call->refuse(found.error());
                            return;
                        }
                        if (found->membership && found->membership->standing != Standing::kKicked) {
                            call->answer(200, member_json(*found->membership, false));
                            return;
                        }
                        const Guest& guest = found->guest;
                        change(call, std::move(turn), {RoomChange::Kind::kInvited, guest.member}, guest.nickname,
                               call->identity.claims.nickname + "님이 " + guest.nickname + "님을 초대했습니다.",
                               [this, call, room, guest] {
                                   notify_member(core_, guest.member, invitation_json(*call, room), [call, guest] {
                                       call->answer(
                                           201,
                                           member_json({guest.member, guest.nickname, Standing::kInvited, {}}, false));
                                   });
                               });
                    });
            });
}

void Rest::kick(const RestCallRef& call) {
    const auto target = MemberId::parse(call->values.back());
    if (!target) {
        call->refuse({Code::kMemberNotFound, {}});
        return;
    }
    in_turn(call, auth::Operation::kKick, [this, call, target = *target](const RoomEntry& entry, RoomTurn turn) {
        const bool is_private = entry.view.room->visibility == store::Visibility::kPrivate;
        core_.asker().ask(
            [&directory = core_.services().directory, room = call->room, target] {
                return directory.membership(room, target);
            },
            [this, call, target, is_private,
             turn = std::move(turn)](Result<std::optional<store::Membership>> found) mutable {
                if (!found) {
                    call->refuse(found.error());
                    return;
                }
                auto kicked = [call, target] {
                    call->answer(200, JsonObject{}.text("memberId", target.str()).text("standing", "kicked").str());
                };
                const std::string nickname = *found ? (*found)->nickname : target.str();
                if (stands_as(*found, Standing::kOwner)) {
                    call->refuse({Code::kForbidden, "the owner cannot be kicked"});
                } else if (stands_as(*found, Standing::kKicked)) {
                    kicked();
                } else if (!*found && is_private) {
                    call->refuse({Code::kMemberNotFound, {}});
                } else {
                    change(call, std::move(turn), {RoomChange::Kind::kKicked, target}, nickname,
                           nickname + "님을 내보냈습니다.", std::move(kicked));
                }
            });
    });
}

}  // namespace parley::gateway
