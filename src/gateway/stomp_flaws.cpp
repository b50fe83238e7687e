#include <algorithm>
#include <array>

#include "gateway/core.h"
#include "gateway/stomp_session.h"

namespace parley::gateway {
namespace {

using Command = wire::StompCommand;

constexpr std::size_t kTransactions = 16;
constexpr std::string_view kNotBegun = "this transaction was not begun";

bool is_connect(const wire::StompFrame& frame) {
    return frame.command == Command::kConnect || frame.command == Command::kStomp;
}

}  // namespace

void StompSession::on_headers(const wire::StompFrame& frame) { (void)admit(frame); }

bool StompSession::admit(const wire::StompFrame& frame) {
    if (is_connect(frame) && !connected_ && !agreed_version(frame)) {
        const std::array<wire::StompHeader, 3> headers{
            {{"message", "no common STOMP version"}, {"version", "1.0,1.1,1.2"}, {"content-type", "text/plain"}}};
        send("ERROR", headers, "Supported protocol versions are 1.0, 1.1 and 1.2");
        end(1002, "no common STOMP version");
        return false;
    }
    const std::string_view flaw = flaw_of(frame);
    if (flaw.empty()) return true;
    fault(flaw, frame.find("receipt"));
    return false;
}

std::optional<wire::StompVersion> StompSession::agreed_version(const wire::StompFrame& frame) const {
    const auto accept = frame.find("accept-version");
    return accept || !subprotocol_ ? wire::negotiate_version(accept) : subprotocol_;
}

std::string_view StompSession::flaw_of(const wire::StompFrame& frame) {
    if (is_connect(frame)) {
        if (connected_) return "CONNECT may be sent once only";
        const auto beat = frame.find("heart-beat");
        return beat && !wire::parse_heart_beat(*beat) ? "heart-beat must be two numbers" : "";
    }
    if (!connected_) return "CONNECT must come first";
    const auto named = frame.find("transaction");
    const bool begun = named && transaction(*named) != nullptr;
    switch (frame.command) {
        case Command::kSend:
            if (!frame.find("destination")) return "SEND needs a destination";
            return named && !begun ? kNotBegun : "";
        case Command::kSubscribe: return flaw_of_subscribe(frame);
        case Command::kUnsubscribe: return subscription_id(frame) ? "" : "UNSUBSCRIBE needs an id";
        case Command::kAck:
        case Command::kNack: {
            // Whether something waits for it is seen at its end: it may be on its way out.
            const std::string_view flaw = flaw_of_ack(frame);
            return flaw.empty() && named && !begun ? kNotBegun : flaw;
        }
        case Command::kBegin:
            if (!named || named->empty()) return "BEGIN needs a transaction";
            if (begun) return "this transaction was begun already";
            return activity().transactions.size() < kTransactions ? "" : "too many open transactions";
        case Command::kCommit:
        case Command::kAbort: return begun ? "" : kNotBegun;
        default: return "";
    }
}

std::optional<std::string_view> StompSession::subscription_id(const wire::StompFrame& frame) const {
    const auto id = frame.find("id");
    return id || decoder_.version() != wire::StompVersion::k10 ? id : frame.find("destination");
}

std::string_view StompSession::flaw_of_subscribe(const wire::StompFrame& frame) {
    if (!frame.find("destination")) return "SUBSCRIBE needs a destination";
    const auto id = subscription_id(frame);
    if (!id || id->empty()) return "SUBSCRIBE needs an id";
    if (subscription(*id) != nullptr) return "this subscription id is in use";
    constexpr std::array<std::string_view, 3> kModes{"auto", "client", "client-individual"};
    const auto mode = frame.find("ack").value_or("auto");
    return std::find(kModes.begin(), kModes.end(), mode) != kModes.end()
               ? ""
               : "ack must be auto, client or client-individual";
}

/// 1.2: id is `<subscription>:<seq>`. Before: subscription (1.1) and message-id `<room>:<seq>`.
std::string_view StompSession::flaw_of_ack(const wire::StompFrame& frame) const {
    const auto version = decoder_.version();
    if (version == wire::StompVersion::k12)
        return frame.find("id").value_or("").empty() ? "ACK and NACK need an id" : "";
    if (frame.find("message-id").value_or("").empty()) return "ACK and NACK need a message-id";
    const bool unnamed = version == wire::StompVersion::k11 && frame.find("subscription").value_or("").empty();
    return unnamed ? "ACK and NACK need a subscription" : "";
}

}  // namespace parley::gateway
