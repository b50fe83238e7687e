#include "bench/parley_stomp.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

#include "bench/stomp_text.h"
#include "wire/json.h"
#include "wire/stomp.h"

namespace parley::bench {
namespace {

constexpr std::string_view kLive = "live";  ///< receipt of the SUBSCRIBE that is waited for
/// How deliveries begin; the subscription's id is the shortest one that says which it is.
constexpr std::string_view kRoomMessage = "MESSAGE\nsubscription:r\n";
constexpr std::string_view kRoomMessageInJson = R"(MESSAGE\nsubscription:r\n)";

std::uint32_t sender_of(std::string_view member) noexcept {
    const std::size_t digits = member.find_last_not_of("0123456789") + 1;
    return static_cast<std::uint32_t>(number(member.substr(digits)));
}

std::string frame_of(std::string_view command, std::span<const wire::StompHeader> headers) {
    std::string frame;
    wire::append_stomp_frame(frame, command, headers, {}, wire::StompVersion::k12);
    return frame;
}

}  // namespace

// --- input --------------------------------------------------------------------------------------------------------

std::vector<std::string> ParleyStomp::take(std::string_view frame, Events& events) {
    if (take_quickly(frame, kRoomMessage, tools_.seq_in_text, tools_.stamps_in_text, events)) return {};
    const ServerStomp stomp = read_server_stomp(frame);
    if (stomp.command == "MESSAGE") {
        on_message(frame, events);
    } else if (stomp.command == "RECEIPT") {
        if (stomp.receipt_id == kLive) {
            events.on_live();
            if (tools_.typing && seat_.sends) return {first_message()};
        } else {
            events.on_receipt(static_cast<std::uint32_t>(number(stomp.receipt_id)), number(stomp.seq));
        }
    } else if (stomp.command == "CONNECTED") {
        return subscribe_frames();
    } else if (stomp.command == "ERROR") {
        error_ = fmt::format("ERROR: {}", stomp.message);
    }
    return {};
}

std::vector<std::string> ParleyStomp::take_array(std::string_view array, Events& events) {
    std::vector<std::string> answers;
    // Inside a string a quotation mark has a backslash in front.
    constexpr std::string_view kBetween = R"(",")";
    for (std::size_t at = array.find('"'); at < array.size() && error_.empty();) {
        const std::size_t next = array.find(kBetween, at + 1);
        const std::size_t end = next == std::string_view::npos ? array.rfind('"') : next;
        const std::string_view member = array.substr(at + 1, end - at - 1);
        if (!take_quickly(member, kRoomMessageInJson, tools_.seq_in_json, tools_.stamps_in_json, events)) {
            for (const std::string& frame : wire::parse_json_strings(fmt::format("[\"{}\"]", member)).values) {
                for (std::string& answer : take(frame, events)) answers.push_back(std::move(answer));
            }
        }
        at = next == std::string_view::npos ? next : next + kBetween.size() - 1;
    }
    return answers;
}

bool ParleyStomp::take_quickly(std::string_view frame, std::string_view beginning, HintedSearch& seqs,
                               StampFinder& stamps, Events& events) {
    if (!frame.starts_with(beginning)) return false;
    const std::size_t at = seqs.behind(frame);
    Stamp stamp;
    if (at == std::string_view::npos || !stamps.find(frame, stamp)) return false;
    std::size_t digits = 0;
    const std::uint64_t seq = leading_number(frame.substr(at), digits);
    if (digits == 0) return false;
    events.on_delivery(seq, stamp);
    return true;
}

void ParleyStomp::on_message(std::string_view frame, Events& events) {
    const ServerStomp stomp = read_server_stomp(frame);
    if (stomp.subscription == "x") {
        on_error_message(stomp.body, events);
    } else if (stomp.subscription == "r") {
        Stamp stamp;
        if (tools_.stamps_in_text.find(stomp.body, stamp) && !stomp.seq.empty()) {
            events.on_delivery(number(stomp.seq), stamp);
        } else {
            events.on_unreadable(stomp.body);
        }
    } else if (stomp.subscription == "e" && json_field(stomp.body, "event") == "typing") {
        events.on_event(sender_of(json_field(stomp.body, "memberId")));
    }
}

void ParleyStomp::on_error_message(std::string_view body, Events& events) {
    if (json_field(body, "code") == "RESYNC") {
        events.on_resync();
        return;
    }
    events.on_refusal(static_cast<std::uint32_t>(number(json_field(body, "receiptId"))), body);
}

// --- output -------------------------------------------------------------------------------------------------------

std::string ParleyStomp::connect_frame() {
    const std::array<wire::StompHeader, 3> headers{
        {{"accept-version", "1.2"}, {"host", "parley"}, {"heart-beat", "0,0"}}};
    return frame_of("CONNECT", headers);
}

std::vector<std::string> ParleyStomp::subscribe_frames() const {
    const std::array<wire::StompHeader, 3> errors{
        {{"id", "x"}, {"destination", "/user/queue/errors"}, {"receipt", kLive}}};
    std::vector<std::string> frames{frame_of("SUBSCRIBE", std::span{errors}.first(seat_.receives ? 2 : 3))};
    if (!seat_.receives) return frames;
    // Only the room's own receipt says that its messages arrive from now on.
    const std::string destination = fmt::format("/sub/chat/room/{}{}", seat_.room_name, tools_.typing ? "/events" : "");
    const std::string after = std::to_string(seat_.after_seq);
    const std::array<wire::StompHeader, 4> room{
        {{"id", tools_.typing ? "e" : "r"}, {"destination", destination}, {"receipt", kLive}, {"after-seq", after}}};
    frames.push_back(frame_of("SUBSCRIBE", std::span{room}.first(seat_.after_seq == 0 ? 3 : 4)));
    return frames;
}

std::string ParleyStomp::first_message() const {
    const std::array<wire::StompHeader, 1> headers{{{"destination", "/pub/chat/send"}}};
    std::string frame;
    wire::append_stomp_frame(frame, "SEND", headers,
                             fmt::format(R"({{"type":"TALK","roomId":"{}","content":"."}})", seat_.room_name),
                             wire::StompVersion::k12);
    return frame;
}

std::string_view ParleyStomp::send_frame(const Stamp& stamp, std::size_t size) {
    std::string& body = tools_.body;
    body.assign(tools_.typing ? R"({"roomId":")" : R"({"type":"TALK","roomId":")").append(seat_.room_name);
    if (!tools_.typing) {
        body += R"(","content":")";
        append_payload(body, stamp, size);
        if (tools_.message_ids) append_message_id(body.append(R"(","messageId":")"), stamp);
    }
    body += R"("})";
    std::string& frame = tools_.frame;
    frame.assign("SEND\ndestination:")
        .append(tools_.typing ? "/pub/chat/typing" : "/pub/chat/send")
        .append("\ncontent-type:application/json\nreceipt:");
    std::array<char, 20> digits{};
    const auto decimal = [&digits](std::size_t value) {
        char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        return std::string_view{digits.data(), static_cast<std::size_t>(end - digits.data())};
    };
    frame.append(decimal(stamp.counter)).append("\ncontent-length:").append(decimal(body.size())).append("\n\n");
    return frame.append(body).append(1, '\0');
}

}  // namespace parley::bench
