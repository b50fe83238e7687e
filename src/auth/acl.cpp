#include "auth/acl.h"

#include <array>

namespace parley::auth {
namespace {

using store::RoomKind;
using store::Standing;
using store::Visibility;
using enum Operation;

constexpr Decision allow(std::string_view rule, bool creates_room = false) {
    return {.allowed = true, .code = Code::kInternal, .creates_room = creates_room, .rule = rule};
}
constexpr Decision refuse(Code code, std::string_view rule) { return {.allowed = false, .code = code, .rule = rule}; }

/// Who may do an operation, what it does in a room that is not there, and which kinds of room it takes.
enum class Needs : std::uint8_t { kAccess, kInvitation, kAnyStanding, kOwnership };
enum class Unknown : std::uint8_t { kEmpty, kMade, kMissing };
struct OperationRule {
    Operation operation;
    Needs needs;
    Unknown unknown;
    std::string_view kinds;  ///< c chat, p pair, a AI, t public topic
};
constexpr std::array kOperations{
    OperationRule{kHandshake, Needs::kAccess, Unknown::kEmpty, "ct"},
    OperationRule{kSubscribe, Needs::kAccess, Unknown::kEmpty, "cpt"},
    OperationRule{kSend, Needs::kAccess, Unknown::kMade, "cpt"},
    OperationRule{kEnter, Needs::kAccess, Unknown::kMade, "c"},
    OperationRule{kPresence, Needs::kAccess, Unknown::kEmpty, "c"},
    OperationRule{kTyping, Needs::kAccess, Unknown::kEmpty, "cp"},
    OperationRule{kReadMark, Needs::kAccess, Unknown::kEmpty, "cpt"},
    OperationRule{kHistory, Needs::kAccess, Unknown::kEmpty, "cpat"},
    OperationRule{kSeeRoom, Needs::kInvitation, Unknown::kMissing, "cpat"},
    OperationRule{kSeeMembers, Needs::kAccess, Unknown::kEmpty, "ca"},
    OperationRule{kJoin, Needs::kInvitation, Unknown::kMade, "c"},
    OperationRule{kLeave, Needs::kAnyStanding, Unknown::kMissing, "c"},
    OperationRule{kInvite, Needs::kOwnership, Unknown::kMissing, "c"},
    OperationRule{kKick, Needs::kOwnership, Unknown::kMissing, "c"},
    OperationRule{kConfigure, Needs::kOwnership, Unknown::kMissing, "c"},
};

const OperationRule& rule_of(Operation operation) { return kOperations[static_cast<std::size_t>(operation)]; }

constexpr bool operations_are_in_order() {
    for (std::size_t i = 0; i < kOperations.size(); ++i) {
        if (static_cast<std::size_t>(kOperations[i].operation) != i) return false;
    }
    return kOperations.size() == static_cast<std::size_t>(kConfigure) + 1;
}
static_assert(operations_are_in_order());

char letter(RoomKind kind) {
    switch (kind) {
        case RoomKind::kChat: return 'c';
        case RoomKind::kPair: return 'p';
        case RoomKind::kAi: return 'a';
        case RoomKind::kTopic: return 't';
    }
    return '?';
}

Decision decide_unknown_room(const OperationRule& rule, const Question& question) {
    const RoomId& room = question.destination.room;
    if (room.is_server_own()) return refuse(Code::kRoomNotFound, "a room whose id begins with ~ is the server's own");
    if (!question.auto_create && room != public_room()) {
        return refuse(Code::kRoomNotFound, "the room is unknown and rooms.auto_create is off");
    }
    if (rule.unknown == Unknown::kMissing)
        return refuse(Code::kRoomNotFound, "the operation needs a room that is there");
    return allow("an unknown room is a public one (rooms.auto_create)", rule.unknown == Unknown::kMade);
}

/// Standing of the asker; kicked and nothing are told apart by the caller.
bool belongs(const std::optional<store::Membership>& membership) {
    return membership && (membership->standing == Standing::kMember || membership->standing == Standing::kOwner);
}
bool stands_as(const std::optional<store::Membership>& membership, Standing standing) {
    return membership && membership->standing == standing;
}

/// Whether the room exists for the asker, and opens to the operation. Ownership is asked afterwards.
Decision decide_entry(const OperationRule& rule, const Question& question) {
    const auto& membership = question.membership;
    const bool invited = stands_as(membership, Standing::kInvited);
    if (question.room->kind == RoomKind::kPair) {
        return belongs(membership) ? allow("one of the pair")
                                   : refuse(Code::kRoomNotFound, "a pair room exists for its two members only");
    }
    if (question.room->visibility == Visibility::kPrivate) {
        if (belongs(membership)) return allow("a member of the private room");
        if (invited && (rule.needs == Needs::kInvitation || rule.needs == Needs::kAnyStanding)) {
            return allow("invited to the private room");
        }
        return refuse(Code::kRoomNotFound, "a private room does not exist for those who are no members");
    }
    if (stands_as(membership, Standing::kKicked) && rule.needs != Needs::kAnyStanding) {
        return refuse(Code::kForbidden, "kicked from this room, and not invited again");
    }
    return allow("a public room needs no membership");
}

Decision decide_room(const Question& question) {
    const OperationRule& rule = rule_of(question.operation);
    const bool is_topic =
        question.destination.room == public_room() || (question.room && question.room->kind == RoomKind::kTopic);
    if (question.who.guest && !is_topic) return refuse(Code::kForbidden, "guests are let into public topics only");
    if (!question.room) return decide_unknown_room(rule, question);

    const Decision entry = decide_entry(rule, question);
    if (!entry.allowed) return entry;
    if (rule.kinds.find(letter(question.room->kind)) == std::string_view::npos) {
        return refuse(Code::kForbidden, "the operation is not for rooms of this kind");
    }
    if (rule.needs == Needs::kOwnership && !stands_as(question.membership, Standing::kOwner)) {
        return refuse(Code::kForbidden, "only the room's owner may do this");
    }
    return entry;
}

Decision decide_subscribe(const Question& question) {
    switch (question.destination.kind) {
        case DestinationKind::kRoom:
        case DestinationKind::kRoomEvents: return decide_room(question);
        case DestinationKind::kErrors:
        case DestinationKind::kNotifications: return allow("a session's own queue");
        case DestinationKind::kTopic: return allow("the broker profile passes every topic through");
        default: return refuse(Code::kNotFound, "only known destinations can be subscribed to");
    }
}

Decision decide_send(const Question& question) {
    switch (question.destination.kind) {
        case DestinationKind::kChatSend:
        case DestinationKind::kTyping:
        case DestinationKind::kReadMark:
            if (question.who.guest) return refuse(Code::kForbidden, "guests are let into public topics only");
            return allow("an application destination; the room is judged by itself");
        case DestinationKind::kAuthRefresh: return allow("a fresh token may always be sent");
        case DestinationKind::kPublicSend: return decide_room(question);
        case DestinationKind::kTopic: return allow("the broker profile passes every topic through");
        // Not from a client's header: that is under the broker prefix and was refused before.
        case DestinationKind::kRoom: return decide_room(question);
        default: return refuse(Code::kNotFound, "only known destinations can be sent to");
    }
}

}  // namespace

Decision decide(const Question& question) {
    const Destination& destination = question.destination;
    if (destination.bad_room) return refuse(Code::kRoomNotFound, "this is no room id a client may use");
    if (question.operation == kSubscribe) return decide_subscribe(question);
    if (question.operation == kSend) {
        if (destination.broker_prefix) return refuse(Code::kForbidden, "only the server sends under a broker prefix");
        return decide_send(question);
    }
    if (destination.kind != DestinationKind::kRoom) return refuse(Code::kNotFound, "the operation needs a room");
    return decide_room(question);
}

Destination of_room(const RoomId& room) { return {.kind = DestinationKind::kRoom, .room = room}; }

Result<> Decision::to_result() const {
    if (allowed) return {};
    if (code == Code::kRoomNotFound) return fail(code, "there is no such room");
    return fail(code, std::string{rule});
}

}  // namespace parley::auth
