#include "worker/notification.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/utf8_cut.h"

namespace parley::worker {
namespace {

constexpr milliseconds kOldest{24 * 3'600'000};
/// Presence is of now: it says nothing of older messages.
constexpr milliseconds kPresent{60'000};
/// So long a room's members are not asked for again, unless one of its records changed them so lately that the
/// directory may not have it yet.
constexpr milliseconds kMembersHold{1'000};
constexpr milliseconds kChangesTake{10'000};
constexpr std::size_t kMembersAtOnce = 2'000;
constexpr std::size_t kMostMembers = 20'000;
constexpr std::size_t kMostContent = 400;
constexpr seconds kPatience{15};

/// What is left out shows.
std::string beginning(std::string_view content) {
    std::string out{whole_characters(content, kMostContent)};
    if (out.size() < content.size()) out += "…";
    return out;
}

std::string json_of(const Message& message) {
    std::string out = R"({"notification":"mention","roomId":)";
    append_json_string(out, message.room.str());
    out += fmt::format(R"(,"seq":{},"messageId":)", message.seq.value);
    append_json_string(out, message.id.str());
    out += R"(,"memberId":)";
    append_json_string(out, message.sender.str());
    out += R"(,"nickName":)";
    append_json_string(out, message.nickname);
    out += R"(,"content":)";
    append_json_string(out, beginning(message.content));
    return out + fmt::format(R"(,"createdAt":"{}"}})", format_iso(message.created_at));
}

/// The answers that are still out; shared with them, so that a late one finds something.
struct Waiting {
    std::mutex mutex;
    std::condition_variable answered;
    std::size_t left = 0;
    Result<> worst;
};

}  // namespace

class NotificationRole::InRoom final : public RoomWork {
public:
    InRoom(NotificationRole& role, RoomId room) : role_(role), room_(std::move(room)) {}

    Result<> take(const Message& message) override {
        const auto age = role_.clock_.wall() - message.created_at;
        if (message.type == MessageType::kSystem) {
            changed_at_ = message.created_at;
            members_until_ = {};
        }
        if (message.type != MessageType::kTalk || age > kOldest || message.content.find('@') == std::string::npos)
            return {};
        if (auto known = learn_members(); !known) return known;
        std::vector<Named> people;
        for (const store::Membership& member : members_) {
            const bool belongs =
                member.standing == store::Standing::kMember || member.standing == store::Standing::kOwner;
            if (belongs && member.since < message.seq) people.push_back({member.member, member.nickname});
        }
        if (age < kPresent) std::ranges::move(role_.present_(room_), std::back_inserter(people));
        std::erase_if(people,
                      [&](const Named& one) { return one.member == message.sender || one.member.is_server_own(); });
        return tell(message, find_mentions(message.content, people));
    }
    [[nodiscard]] std::string save() const override { return {}; }

private:
    Result<> learn_members() {
        const auto now = role_.clock_.steady();
        if (now < members_until_) return {};
        std::vector<store::Membership> all;
        for (MemberId after; all.size() < kMostMembers;) {
            auto page = role_.directory_.members(room_, after, kMembersAtOnce);
            if (!page) return fail(page.error());
            const bool last = page->size() < kMembersAtOnce;
            std::ranges::move(*page, std::back_inserter(all));
            if (last) break;
            after = all.back().member;
        }
        members_ = std::move(all);
        if (role_.clock_.wall() - changed_at_ > kChangesTake) members_until_ = now + kMembersHold;
        return {};
    }

    Result<> tell(const Message& message, const std::vector<MemberId>& members) {
        if (members.empty()) return {};
        const auto waiting = std::make_shared<Waiting>();
        waiting->left = members.size();
        // No id holds a space.
        const std::string key = room_.str() + ' ' + message.sender.str() + ' ' + message.id.str();
        const std::string json = json_of(message);
        for (const MemberId& member : members) {
            role_.notify_({member, key, json}, [waiting](Result<> stored) {
                const std::lock_guard lock{waiting->mutex};
                if (!stored) waiting->worst = std::move(stored);
                if (--waiting->left == 0) waiting->answered.notify_one();
            });
        }
        std::unique_lock lock{waiting->mutex};
        if (!waiting->answered.wait_for(lock, kPatience, [&] { return waiting->left == 0; }))
            return fail(Code::kInternal, "the log did not say whether a notification was stored");
        return waiting->worst;
    }

    NotificationRole& role_;
    const RoomId room_;
    std::vector<store::Membership> members_;
    SteadyTime members_until_{};
    WallTime changed_at_{};
};

const std::string& NotificationRole::name() const {
    static const std::string name = "notification";
    return name;
}

std::unique_ptr<RoomWork> NotificationRole::open(const RoomId& room, std::string_view) {
    return std::make_unique<InRoom>(*this, room);
}

}  // namespace parley::worker
