#include "gateway/poll_reader.h"

#include <algorithm>

#include "base/room_change.h"
#include "gateway/exchange.h"
#include "gateway/rest_json.h"
#include "log/claimed_head.h"

namespace parley::gateway {
namespace {

constexpr Bytes kBytes = 2_MiB;
constexpr std::size_t kMostRooms = 1000;

/// Leaves nothing above a record that ends the member's right and that the directory has not heard of yet.
void cut_at_end_of_right(std::vector<MessageRef>& messages, const MemberId& member,
                         const std::optional<store::Membership>& membership) {
    using Kind = RoomChange::Kind;
    const RoomSeq since = membership ? membership->since : RoomSeq{};
    const auto ends = [&](const MessageRef& message) {
        if (message->type != MessageType::kSystem || message->seq <= since) return false;
        const auto change = parse_room_change(message->extra);
        if (!change) return false;
        if (change->kind == Kind::kMadePrivate) return !belongs(membership);
        return (change->kind == Kind::kKicked || change->kind == Kind::kLeft) && change->member == member;
    };
    const auto found = std::ranges::find_if(messages, ends);
    if (found != messages.end()) messages.erase(found + 1, messages.end());
}

std::string invalid_json(const RoomId& room, const log::RoomHead& at) {
    std::string extra = R"("roomId":)";
    append_json_string(extra, room.str());
    extra += R"(,"epoch":")" + std::to_string(at.epoch.value) + R"(","firstSeq":)" + std::to_string(at.first.value) +
             R"(,"headSeq":)" + std::to_string(at.head.value);
    return error_json(Code::kPositionInvalid, {}, extra);
}

void add_all(PollAnswer& answer, const std::vector<MessageRef>& messages) {
    answer.count = messages.size();
    for (const MessageRef& message : messages) {
        if (!answer.json.empty()) answer.json += ',';
        answer.json += to_json(*message);
    }
}

}  // namespace

Result<PollAnswer> PollReader::read(const PollQuestion& question) {
    return question.room ? read_room(question) : read_all(question);
}

Result<PollAnswer> PollReader::read_room(const PollQuestion& question) {
    const RoomId& room = *question.room;
    const RoomJudge judge{directory_, auth::Operation::kSubscribe, room, question.member, question.auto_create};
    if (const auto may = judge(); !may) return fail(may.error());
    PollAnswer answer;
    answer.rooms = {room};
    if (!question.after) {
        const auto head = log_.head(room);
        if (!head) return fail(head.error());
        answer.at = *head;
        answer.after = head->head;
        return answer;
    }
    auto page = log_.read(room, *question.after, kMessages, kBytes);
    if (!page) return fail(page.error());
    if (!page->messages.empty()) {
        // Whose right ended while this was read gets nothing of what came after.
        const auto still = judge();
        if (!still) return fail(still.error());
        cut_at_end_of_right(page->messages, question.member, still->view.membership);
    }
    answer.at = page->at;
    if ((question.epoch && *question.epoch != page->at.epoch.value) || *question.after > page->at.head) {
        answer.invalid = invalid_json(room, page->at);
        return answer;
    }
    answer.after = *question.after;
    if (answer.after.next() < page->at.first) {
        answer.truncated = name(Code::kHistoryTruncated);
        answer.after = page->at.first.prev();
    }
    add_all(answer, page->messages);
    if (!page->messages.empty()) answer.after = page->messages.back()->seq;
    return answer;
}

Result<std::vector<PollReader::Member>> PollReader::rooms_of(const MemberId& member, std::size_t& left_out) {
    auto rooms = directory_.rooms_of(member, kMostRooms);
    if (!rooms) return fail(rooms.error());
    std::vector<Member> members;
    for (const store::RoomInfo& room : *rooms) {
        auto membership = directory_.membership(room.id, member);
        if (!membership) return fail(membership.error());
        if (!belongs(*membership) || room.kind == store::RoomKind::kAi) continue;
        if (members.size() < kRooms) {
            members.push_back({room.id, std::move(**membership)});
        } else {
            ++left_out;
        }
    }
    return members;
}

Result<PollAnswer> PollReader::read_all(const PollQuestion& question) {
    PollAnswer answer;
    answer.places = PollPlaces{question.member};
    const auto members = rooms_of(question.member, answer.rooms_left_out);
    if (!members) return fail(members.error());
    struct News {
        RoomId room;
        Epoch epoch;
        RoomSeq after;
    };
    std::vector<News> news;
    for (const Member& in : *members) {
        answer.rooms.push_back(in.room);
        const auto* place = question.places ? question.places->find(in.room) : nullptr;
        const auto at = log::head_for(log_, in.room, place != nullptr ? RoomSeq{place->seq} : RoomSeq{});
        if (!at) return fail(at.error());
        RoomSeq after = at->head;
        if (question.places) {
            // Of a room joined since: from the record of joining on.
            const std::uint64_t since = in.membership.since.value;
            after = place != nullptr ? RoomSeq{place->seq} : RoomSeq{since == 0 ? 0 : since - 1};
            if (place != nullptr && (place->epoch != PollPlaces::fold(at->epoch) || after > at->head)) {
                if (answer.invalid.empty()) answer.invalid = invalid_json(in.room, *at);
                after = at->first.prev();  // the cursor that comes with the refusal begins the room anew
            } else if (after.next() < at->first) {
                if (!answer.truncated.empty()) answer.truncated += ", ";
                answer.truncated += std::string{name(Code::kHistoryTruncated)} + "; room=" + in.room.str() +
                                    "; first=" + std::to_string(at->first.value);
                after = at->first.prev();
            }
        }
        answer.places.put(in.room, at->epoch, after);
        if (after < at->head) news.push_back({in.room, at->epoch, after});
    }
    if (!answer.invalid.empty() || news.empty()) return answer;
    // No room keeps the others from their share.
    const std::size_t share = std::max<std::size_t>(1, kMessages / news.size());
    std::vector<MessageRef> messages;
    for (const News& of : news) {
        auto page = log_.read(of.room, of.after, share, Bytes{kBytes.count / news.size()});
        if (!page) return fail(page.error());
        const auto membership = directory_.membership(of.room, question.member);
        if (!membership) return fail(membership.error());
        if (!belongs(*membership)) continue;
        cut_at_end_of_right(page->messages, question.member, *membership);
        if (page->messages.empty()) continue;
        answer.places.put(of.room, of.epoch, page->messages.back()->seq);
        messages.insert(messages.end(), page->messages.begin(), page->messages.end());
    }
    // Time never falls within a room, so each stays in its order.
    std::ranges::stable_sort(messages, {}, [](const MessageRef& message) { return message->created_at; });
    add_all(answer, messages);
    return answer;
}

}  // namespace parley::gateway
