#include "gateway/stomp_subscription.h"

#include <algorithm>
#include <array>
#include <limits>

#include "gateway/core.h"
#include "gateway/stomp_session.h"

namespace parley::gateway {

StompSubscription::StompSubscription(StompSession& session, std::string id, auth::DestinationKind kind)
    : session_(session), kind_(kind), id_(std::move(id)) {}

StompSubscription::~StompSubscription() = default;

void StompSubscription::set_ack_mode(AckMode mode, std::size_t prefetch) {
    mode_ = mode;
    extra().prefetch = prefetch;
}

StompSubscription::Extra& StompSubscription::extra() {
    if (extra_ == nullptr) extra_ = std::make_unique<Extra>();
    return *extra_;
}

void StompSubscription::set_receipt(std::optional<std::string> receipt) {
    if (receipt) extra().receipt = std::move(receipt);
}

std::optional<std::string> StompSubscription::take_receipt() {
    if (extra_ == nullptr) return {};
    auto receipt = std::exchange(extra_->receipt, std::nullopt);
    if (mode_ == AckMode::kAuto && kind_ != auth::DestinationKind::kTopic) extra_.reset();
    return receipt;
}

const std::string& StompSubscription::message_scope() const noexcept {
    return reader_ == nullptr ? id_ : reader_->room().str();
}

void StompSubscription::stop() noexcept {
    if (reader_ != nullptr) reader_->stop();
}

void StompSubscription::on_drained() {
    if (reader_ != nullptr) reader_->on_drained();
}

bool StompSubscription::is_waiting(RoomSeq seq) const {
    return std::binary_search(extra_->waiting.begin(), extra_->waiting.end(), seq);
}

bool StompSubscription::acknowledge(RoomSeq seq) {
    auto& waiting = extra_->waiting;
    const auto found = std::lower_bound(waiting.begin(), waiting.end(), seq);
    if (found == waiting.end() || *found != seq) return false;
    waiting.erase(mode_ == AckMode::kClient ? waiting.begin() : found, found + 1);
    on_drained();
    return true;
}

RoomSeq StompSubscription::track() {
    extra_->tracked = extra_->tracked.next();
    if (mode_ != AckMode::kAuto) extra_->waiting.push_back(extra_->tracked);
    return extra_->tracked;
}

const MemberId& StompSubscription::member() const { return session_.member(); }

std::size_t StompSubscription::can_take() const {
    if (!session_.is_open() || session_.link_->queued() >= session_.core_.send_buffer().count) return 0;
    if (mode_ == AckMode::kAuto) return std::numeric_limits<std::size_t>::max();
    return extra_->prefetch > extra_->waiting.size() ? extra_->prefetch - extra_->waiting.size() : 0;
}

bool StompSubscription::can_take_event() const {
    return session_.is_open() && session_.link_->queued() < session_.core_.send_buffer().count / 2;
}

void StompSubscription::take(const rt::Slice& frames) {
    if (!session_.is_open()) return;
    session_.link_->send_encoded(frames);
    session_.last_sent_ = session_.core_.loop().now();
    if (mode_ == AckMode::kAuto || reader_ == nullptr || kind_ != auth::DestinationKind::kRoom) return;
    // What was just taken is everything up to the cursor: seq is dense.
    for (RoomSeq seq = reader_->taken_after().next(); seq <= reader_->cursor(); seq = seq.next()) {
        extra_->waiting.push_back(seq);
    }
}

rt::Connection* StompSubscription::direct() {
    return mode_ == AckMode::kAuto && session_.is_open() ? session_.link_->direct() : nullptr;
}

void StompSubscription::on_live(std::string_view, const log::RoomHead& at) {
    const auto receipt = take_receipt();
    if (!receipt) return;
    const std::string epoch = std::to_string(at.epoch.value);
    const std::string head = std::to_string(at.head.value);
    const std::array<wire::StompHeader, 2> position{{{"epoch", epoch}, {"seq", head}}};
    session_.receipt(receipt, position);
}

void StompSubscription::on_set_back(const RoomId& room, RoomSeq written) {
    // An acknowledging client that is behind is not slow: it asked for it.
    if (session_.link_->queued() < session_.core_.send_buffer().count) return;
    session_.core_.services().counters.set_back.add();
    std::string extra = R"("roomId":)";
    append_json_string(extra, room.str());
    extra += R"(,"afterSeq":)" + std::to_string(written.value);
    session_.refuse({Code::kResync, {}, extra, {}});
}

void StompSubscription::on_truncated(const RoomId& room, RoomSeq first) {
    std::string extra = R"("roomId":)";
    append_json_string(extra, room.str());
    extra += R"(,"firstSeq":)" + std::to_string(first.value);
    // Where delivery goes on the RECEIPT is still to come.
    const auto receipt = session_.hears(auth::DestinationKind::kErrors) ? std::nullopt : take_receipt();
    session_.refuse({Code::kHistoryTruncated, {}, extra, receipt});
}

void StompSubscription::on_position_invalid(std::string_view, const RoomId& room, const log::RoomHead& at) {
    std::string extra = R"("roomId":)";
    append_json_string(extra, room.str());
    extra += R"(,"epoch":")" + std::to_string(at.epoch.value) + '"';
    extra += R"(,"firstSeq":)" + std::to_string(at.first.value);
    extra += R"(,"headSeq":)" + std::to_string(at.head.value);
    StompSession& session = session_;
    const auto receipt = take_receipt();
    session.drop(id_);
    session.refuse({Code::kPositionInvalid, {}, extra, receipt});
}

void StompSubscription::on_ended(std::string_view, const RoomId& room) {
    std::string extra = R"("roomId":)";
    append_json_string(extra, room.str());
    StompSession& session = session_;
    session.drop(id_);
    session.end_of_right(extra);
}

}  // namespace parley::gateway
