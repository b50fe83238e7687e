#include "gateway/sse_stream.h"

#include <utility>

#include "gateway/core.h"
#include "gateway/exchange.h"
#include "gateway/sse_form.h"
#include "gateway/stomp_session.h"

namespace parley::gateway {
namespace {
constexpr seconds kCommentEvery{15};
constexpr std::chrono::minutes kLife{30};
constexpr std::uint32_t kRetry = 2000;
}  // namespace

SseStream::SseStream(Core& core, const Opening& opening)
    : core_(core),
      framing_(opening.framing),
      unnamed_(opening.unnamed),
      token_(opening.identity, core.loop().now()),
      comment_at_(core.loop().now() + kCommentEvery),
      ends_at_(core.loop().now() + kLife) {
    core_.services().counters.sessions(opening.transport).add();
    core_.came_online(token_.member(), opening.identity.claims.nickname);
}

void SseStream::on_open(rt::Connection& connection) {
    connection_ = &connection;
    core_.add(*this);
}

SseStream::~SseStream() { leave(); }

void SseStream::leave() noexcept {
    if (std::exchange(connection_, nullptr) == nullptr) return;
    core_.remove(*this);
    core_.went_offline(token_.member());
}

void SseStream::on_drained(rt::Connection&) {
    if (is_open()) on_room();
}

void SseStream::on_closed(rt::Connection&) {
    if (!is_open()) return;
    leave();
    on_end();
}

// --- saying something ---------------------------------------------------------------------------------------------

void SseStream::write(std::string_view piece) {
    std::string out;
    append_body_piece(out, framing_, piece);
    connection_->send_copy(out);
}

void SseStream::say_connected(std::string_view data) {
    std::string out;
    wire::append_sse_retry(out, kRetry);
    wire::append_sse_event(out, {.name = unnamed_ ? "" : "connected", .data = data});
    write(out);
}

void SseStream::say(wire::SseEvent event) {
    if (unnamed_) event.name = {};
    std::string out;
    wire::append_sse_event(out, event);
    write(out);
}

void SseStream::end(std::string_view name, Code code, std::string_view extra) {
    if (!is_open()) return;
    say({.name = name, .data = error_json(code, {}, extra)});
    finish();
}

void SseStream::finish() {
    rt::Connection& connection = *connection_;
    leave();
    on_end();
    if (framing_ == wire::HttpBodyFraming::kChunked) {
        std::string out;
        wire::append_last_chunk(out);
        connection.send_copy(out);
    }
    connection.finish();
}

// --- time and tokens ----------------------------------------------------------------------------------------------

void SseStream::on_second(WallTime wall, SteadyTime now) {
    if (!is_open()) return;
    if (token_.has_expired(wall)) {
        end("expired", Code::kAuthExpired);
    } else if (now >= ends_at_) {
        finish();
    } else {
        token_.look_again(core_, now, [this](Code code) { end("expired", code); });
        if (now < comment_at_) return;
        comment_at_ = now + kCommentEvery;
        // A line that does not drain needs nothing to keep it open.
        if (connection_->queued() == 0) write(wire::kSseComment);
    }
}

void SseStream::on_token_revoked(std::string_view sha256_hex) {
    if (token_.is_token(sha256_hex)) end("expired", Code::kAuthExpired);
}

void SseStream::on_member_revoked(const MemberId& member, WallTime before) {
    if (token_.is_revoked(member, before)) end("expired", Code::kAuthExpired);
}

void SseStream::add_token(std::vector<auth::HeldToken>& to) const { token_.add_to(to); }

void SseStream::drain(milliseconds reconnect_after) {
    if (!is_open()) return;
    std::string out;
    wire::append_sse_retry(out, static_cast<std::uint32_t>(reconnect_after.count()));
    out += '\n';
    write(out);
    finish();
}

}  // namespace parley::gateway
