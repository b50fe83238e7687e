#include "gateway/rooms_replay.h"

namespace parley::gateway {
namespace {

constexpr std::size_t kRooms = 256;
constexpr std::size_t kMessages = 256;
constexpr Bytes kPageBytes = 256_KiB;
/// Many small rooms are many questions.
constexpr std::size_t kQuestions = 64;

}  // namespace

Result<ReplaySource::Page> RoomsReplay::read() {
    Page page;
    for (std::size_t i = 0; i < kQuestions && page.lines.size() < kPageBytes.count && !page.is_last; ++i) {
        if (next_ < rooms_.size()) {
            if (auto done = read_room(page.lines); !done) return fail(done.error());
        } else if (!has_listed_all_) {
            if (auto listed = list_more(); !listed) return fail(listed.error());
        } else {
            page.is_last = true;
        }
    }
    return page;
}

Result<> RoomsReplay::list_more() {
    auto rooms = list_(rooms_.empty() ? RoomId{} : rooms_.back().room, since_, kRooms);
    if (!rooms) return fail(rooms.error());
    has_listed_all_ = rooms->size() < kRooms;
    rooms_ = std::move(*rooms);
    next_ = 0;
    return {};
}

Result<> RoomsReplay::read_room(std::string& lines) {
    const auto& [room, head] = rooms_[next_];
    if (!after_) {
        const auto found = log_.seek(room, since_);
        if (!found) return fail(found.error());
        after_ = *found;
    }
    const auto page = log_.read(room, *after_, kMessages, kPageBytes);
    if (!page) return fail(page.error());
    for (const MessageRef& message : page->messages) {
        after_ = message->seq;
        if (message->seq > head) break;
        if (message->created_at < since_) continue;
        lines += to_json(*message);
        lines += '\n';
    }
    if (!page->messages.empty() && *after_ < head) return {};
    after_.reset();
    ++next_;
    return {};
}

}  // namespace parley::gateway
