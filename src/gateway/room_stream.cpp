#include "gateway/room_stream.h"

#include <limits>

#include "gateway/core.h"
#include "gateway/exchange.h"
#include "gateway/sse_form.h"

namespace parley::gateway {
namespace {

/// The members of an event about the room, without the braces around them.
std::string room_member(const RoomId& room) {
    std::string out = R"("roomId":)";
    append_json_string(out, room.str());
    return out;
}

std::string position_members(const RoomId& room, const log::RoomHead& at) {
    return room_member(room) + R"(,"epoch":")" + std::to_string(at.epoch.value) + R"(","firstSeq":)" +
           std::to_string(at.first.value) + R"(,"headSeq":)" + std::to_string(at.head.value);
}

}  // namespace

RoomStream::~RoomStream() = default;

void RoomStream::begin(const RoomId& room, const log::RoomHead& at, RoomSeq after) {
    say_connected('{' + position_members(room, at) + '}');
    room::Start start;
    start.from = room::Start::From::kAfter;
    start.after = after;
    start.epoch = at.epoch;
    reader_ = core_.hub().subscribe(room, *this, core_.sse_forms().get(framing_), {}, start);
}

void RoomStream::on_room() { reader_->on_drained(); }

void RoomStream::on_end() noexcept {
    if (reader_ != nullptr) reader_->stop();
}

std::size_t RoomStream::can_take() const { return SseStream::can_take() ? std::numeric_limits<std::size_t>::max() : 0; }

void RoomStream::take(const rt::Slice& frames) {
    if (is_open()) send(frames);
}

void RoomStream::on_set_back(const RoomId&, RoomSeq) { core_.services().counters.set_back.add(); }

void RoomStream::on_truncated(const RoomId& room, RoomSeq first) {
    if (!is_open()) return;
    const std::string extra = room_member(room) + R"(,"firstSeq":)" + std::to_string(first.value);
    say({.name = "truncated", .data = error_json(Code::kHistoryTruncated, {}, extra)});
}

void RoomStream::on_position_invalid(std::string_view, const RoomId& room, const log::RoomHead& at) {
    end("invalid", Code::kPositionInvalid, position_members(room, at));
}

void RoomStream::on_ended(std::string_view, const RoomId& room) { end("ended", Code::kForbidden, room_member(room)); }

}  // namespace parley::gateway
