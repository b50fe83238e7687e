#include "bench_client.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/clock.h"
#include "base/uuid.h"
#include "bench_frames.h"
#include "wire/stomp.h"
#include "wire/websocket_handshake.h"

namespace parley::app {
namespace {
constexpr std::string_view kRoomSubscription = "room";
constexpr std::string_view kErrorSubscription = "errors";
constexpr std::string_view kLive = "live";  ///< receipt of the last SUBSCRIBE
constexpr std::size_t kStampDigits = 16;    ///< a content begins with its send time, in hex nanoseconds
constexpr std::size_t kWriteEarly = 256 * 1024;

std::string hex_stamp(SteadyTime time) {
    return fmt::format("{:016x}", static_cast<std::uint64_t>(time.time_since_epoch().count()));
}
}  // namespace

BenchClient::BenchClient(const BenchPlan& plan, Tally& tally, BenchRoom& room, BenchRole role, int number)
    : plan_(plan),
      tally_(tally),
      room_(room),
      role_(role),
      number_(number),
      random_(0x9E37'79B9U + static_cast<unsigned>(number)) {
    if (!sends()) return;
    slots_.resize(static_cast<std::size_t>(plan.in_flight));
    for (int slot = plan.in_flight - 1; slot >= 0; --slot) free_.push_back(slot);
}

BenchClient::~BenchClient() {
    if (fd_ >= 0) ::close(fd_);
}

bool BenchClient::connect(const std::string& token) {
    fd_ = ::socket(plan_.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) {
        fail(fmt::format("no socket: {}", std::strerror(errno)));
        return false;
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&plan_.address), plan_.address_size) != 0 &&
        errno != EINPROGRESS) {
        fail(fmt::format("cannot connect to {}: {}", plan_.host, std::strerror(errno)));
        return false;
    }
    key_ = fmt::format("{:022d}==", number_);
    out_ = fmt::format(
        "GET {}?token={}&roomId={} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\nSec-WebSocket-Protocol: v12.stomp\r\n\r\n",
        plan_.path, token, room_.name(), plan_.host, key_);
    return true;
}

void BenchClient::fail(std::string_view why) {
    if (failed()) return;
    tally_.problem(fmt::format("connection {}: {}", number_, why));
    ++tally_.broken;
    phase_ = Phase::kFailed;
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

// --- input --------------------------------------------------------------------------------------------------------

void BenchClient::on_readable(std::string& scratch) {
    while (!failed()) {
        const ssize_t got = ::recv(fd_, scratch.data(), scratch.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
        if (got <= 0) {
            fail(got == 0 ? "the server closed the connection" : std::strerror(errno));
            return;
        }
        now_ = SystemClock{}.steady();
        const auto size = static_cast<std::size_t>(got);
        std::string_view bytes{scratch.data(), size};
        if (!in_.empty()) bytes = in_.append(bytes);
        std::size_t used = 0;
        if (phase_ == Phase::kConnecting || phase_ == Phase::kUpgrading) used = take_upgrade(bytes);
        if (!failed() && phase_ != Phase::kUpgrading) used += take_frames(bytes.substr(used));
        if (in_.empty()) {
            in_.assign(bytes.substr(used));
        } else {
            in_.erase(0, used);
        }
        if (size < scratch.size()) break;
    }
    refill();
    flush();
}

std::size_t BenchClient::take_upgrade(std::string_view bytes) {
    const std::size_t head = bytes.find("\r\n\r\n");
    if (head == std::string_view::npos) return 0;
    const std::string_view status = bytes.substr(0, bytes.find("\r\n"));
    if (!status.starts_with("HTTP/1.1 101")) {
        fail(fmt::format("handshake refused: {} {}", status, bytes.substr(head + 4)));
        return 0;
    }
    if (bytes.substr(0, head).find(wire::accept_key(key_)) == std::string_view::npos) {
        fail("handshake answered with another Sec-WebSocket-Accept");
        return 0;
    }
    phase_ = Phase::kOpening;
    std::string connect;
    const std::array<wire::StompHeader, 3> headers{
        {{"accept-version", "1.2"}, {"host", "parley"}, {"heart-beat", "0,0"}}};
    wire::append_stomp_frame(connect, "CONNECT", headers, {}, wire::StompVersion::k12);
    stomp(connect);
    return head + 4;
}

std::size_t BenchClient::take_frames(std::string_view bytes) {
    std::size_t used = 0;
    while (const auto frame = front_frame(bytes.substr(used))) {
        used += frame->size;
        switch (frame->opcode) {
            case wire::Opcode::kText:
            case wire::Opcode::kBinary: on_stomp(frame->payload); break;
            case wire::Opcode::kPing: append_client_frame(out_, wire::Opcode::kPong, frame->payload, random_); break;
            case wire::Opcode::kClose: {
                const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(frame->payload[i]); };
                if (frame->payload.size() < 2) {
                    fail("closed without a code");
                } else {
                    fail(fmt::format("closed with {} {}", byte(0) << 8 | byte(1), frame->payload.substr(2)));
                }
                break;
            }
            default: break;
        }
        if (failed()) break;
    }
    return used;
}

void BenchClient::on_stomp(std::string_view frame) {
    const ServerStomp stomp = read_server_stomp(frame);
    if (stomp.command == "RECEIPT") {
        on_receipt(stomp.receipt_id, stomp.seq);
    } else if (stomp.command == "MESSAGE") {
        if (stomp.subscription == kRoomSubscription) on_delivery(stomp.seq, stomp.body);
        if (stomp.subscription == kErrorSubscription) on_error_message(stomp.body);
    } else if (stomp.command == "CONNECTED") {
        subscribe();
    } else if (stomp.command == "ERROR") {
        fail(fmt::format("ERROR: {}", stomp.message));
    }
}

void BenchClient::on_receipt(std::string_view id, std::string_view seq) {
    if (id == kLive) {
        phase_ = Phase::kReady;
        return;
    }
    const std::uint64_t receipt = number(id);
    const std::size_t at = slots_.empty() ? 0 : receipt % slots_.size();
    if (slots_.empty() || slots_[at].receipt != receipt || receipt == 0) {
        ++tally_.doubled_receipts;
        tally_.problem(fmt::format("connection {}: receipt {} was not waited for", number_, id));
        return;
    }
    slots_[at].receipt = 0;
    free_.push_back(static_cast<int>(at));
    ++tally_.all_acknowledged;
    if (tally_.measuring) {
        ++tally_.acknowledged;
        if (slots_[at].sent >= tally_.begun) tally_.receipt.add(now_ - slots_[at].sent);
    }
    if (!room_.acknowledge(number(seq))) {
        ++tally_.doubled_seqs;
        tally_.problem(fmt::format("room {}: two receipts with seq {}", room_.name(), seq));
    }
}

void BenchClient::on_delivery(std::string_view seq_text, std::string_view body) {
    const std::uint64_t seq = number(seq_text);
    ++tally_.all_delivered;
    if (last_ != 0 && seq != last_ + 1) {
        ++(seq > last_ ? tally_.gaps : tally_.repeats);
        tally_.problem(
            fmt::format("connection {}: seq {} of room {} came after {}", number_, seq, room_.name(), last_));
    }
    if (first_ == 0) first_ = seq;
    if (seq > last_) last_ = seq;
    if (!tally_.measuring) return;
    ++tally_.delivered;
    const std::string_view stamp = json_field(body, "content").substr(0, kStampDigits);
    std::uint64_t sent = 0;
    if (std::from_chars(stamp.data(), stamp.data() + stamp.size(), sent, 16).ec != std::errc{}) return;
    const SteadyTime at{SteadyTime::duration{static_cast<SteadyTime::rep>(sent)}};
    if (at >= tally_.begun && at <= now_) tally_.delivery.add(now_ - at);
}

void BenchClient::on_error_message(std::string_view body) {
    if (json_field(body, "code") == "RESYNC") {
        ++tally_.resyncs;
        return;
    }
    tally_.problem(fmt::format("connection {}: refused: {}", number_, body));
    ++tally_.refused;
    const std::uint64_t receipt = number(json_field(body, "receiptId"));
    for (std::size_t at = 0; at < slots_.size(); ++at) {
        if (receipt == 0 || slots_[at].receipt != receipt) continue;
        slots_[at].receipt = 0;
        free_.push_back(static_cast<int>(at));
    }
}

bool BenchClient::complete() const noexcept {
    if (!receives() || room_.highest() == 0) return true;
    return first_ != 0 && first_ <= room_.lowest() && last_ >= room_.highest();
}

// --- output -------------------------------------------------------------------------------------------------------

void BenchClient::on_writable() {
    if (phase_ == Phase::kConnecting) {
        int problem = 0;
        socklen_t size = sizeof problem;
        ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &problem, &size);
        if (problem != 0) {
            fail(fmt::format("cannot connect to {}: {}", plan_.host, std::strerror(problem)));
            return;
        }
        phase_ = Phase::kUpgrading;
    }
    flush();
}

void BenchClient::subscribe() {
    phase_ = Phase::kSubscribing;
    std::string frame;
    if (receives()) {
        const std::string destination = "/sub/chat/room/" + room_.name();
        const std::array<wire::StompHeader, 2> headers{{{"id", kRoomSubscription}, {"destination", destination}}};
        wire::append_stomp_frame(frame, "SUBSCRIBE", headers, {}, wire::StompVersion::k12);
        stomp(frame);
        frame.clear();
    }
    // Answered in order, so this receipt covers the room's too.
    const std::array<wire::StompHeader, 3> headers{
        {{"id", kErrorSubscription}, {"destination", "/user/queue/errors"}, {"receipt", kLive}}};
    wire::append_stomp_frame(frame, "SUBSCRIBE", headers, {}, wire::StompVersion::k12);
    stomp(frame);
}

void BenchClient::start() {
    refill();
    flush();
}

void BenchClient::refill() {
    if (!plan_.sending || free_.empty() || phase_ != Phase::kReady) return;
    const SteadyTime now = SystemClock{}.steady();
    while (!free_.empty() && out_.size() - written_ < kWriteEarly) {
        if (plan_.messages != 0 && tally_.all_sent >= plan_.messages) return;
        send_one(now);
    }
}

void BenchClient::send_one(SteadyTime now) {
    const auto at = static_cast<std::size_t>(free_.back());
    free_.pop_back();
    slots_[at] = {next_++ * slots_.size() + at, now};
    const std::string receipt = std::to_string(slots_[at].receipt);
    std::string body = R"({"type":"TALK","roomId":")";
    body += room_.name();
    if (plan_.message_ids) body.append(R"(","messageId":")").append(make_uuid7(SystemClock{}.wall()));
    body.append(R"(","content":")").append(hex_stamp(now));
    if (plan_.payload > kStampDigits) body.append(plan_.payload - kStampDigits, 'x');
    body += R"("})";
    const std::array<wire::StompHeader, 3> headers{
        {{"destination", "/pub/chat/send"}, {"content-type", "application/json"}, {"receipt", receipt}}};
    std::string frame;
    wire::append_stomp_frame(frame, "SEND", headers, body, wire::StompVersion::k12);
    ++tally_.all_sent;
    stomp(frame);
}

void BenchClient::stomp(std::string_view frame) {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    append_client_frame(out_, wire::Opcode::kText, frame, random_);
}

void BenchClient::flush() {
    while (!failed() && phase_ != Phase::kConnecting && written_ < out_.size()) {
        const ssize_t sent = ::send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (sent < 0) {
            fail(fmt::format("sending: {}", std::strerror(errno)));
            return;
        }
        written_ += static_cast<std::size_t>(sent);
    }
    out_.clear();
    written_ = 0;
}

}  // namespace parley::app
