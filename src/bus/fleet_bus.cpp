#include "bus/fleet_bus.h"

#include <utility>

#include "base/logger.h"
#include "base/uuid.h"

namespace parley::bus {
namespace {

constexpr std::chrono::minutes kForgetAfter{10};
constexpr seconds kComplainEvery{60};

std::size_t size_of(const Message& message) { return message.content.size() + message.extra.size() + 256; }

}  // namespace

FleetBus::FleetBus(InprocBus& local, std::unique_ptr<Carrier> carrier, FrameCodec codec, const Clock& clock,
                   metrics::Registry& metrics, const Options& options)
    : local_(local),
      codec_(std::move(codec)),
      clock_(clock),
      options_(options),
      self_(random_number()),
      sent_(metrics.counter("parley_bus_frames_sent_total", "Frames given to the other servers")),
      received_(metrics.counter("parley_bus_frames_received_total", "Frames that came from other servers")),
      refused_(metrics.counter("parley_bus_frames_refused_total", "Frames that were not this fleet's, or too old")),
      missed_(metrics.counter("parley_bus_frames_missed_total", "Frames of other servers that did not arrive")),
      foreign_(metrics.counter("parley_bus_foreign_total", "Texts of other services on the mirror channels")),
      heard_since_(clock.steady()),
      carrier_(std::move(carrier)) {
    carrier_->start(*this, static_cast<bool>(options_.foreign));
}

FleetBus::~FleetBus() = default;

void FleetBus::announce(std::span<const MessageRef> messages) {
    local_.announce(messages);
    say([&](auto& waiting) { waiting.insert(waiting.end(), messages.begin(), messages.end()); });
}

void FleetBus::mirror(std::span<const MessageRef> messages) {
    if (!options_.mirror) return;
    say([&](auto& waiting) {
        // Servers that hear mirrors have to know them for the fleet's own.
        if (options_.foreign) {
            waiting.insert(waiting.end(), messages.begin(), messages.end());
            return;
        }
        for (const MessageRef& message : messages) waiting.emplace_back(Shown{message});
    });
}

void FleetBus::event(RoomEvent event) {
    say([&](auto& waiting) { waiting.emplace_back(event); });
    local_.event(std::move(event));
}

void FleetBus::notify(Notice notice) {
    say([&](auto& waiting) { waiting.emplace_back(notice); });
    local_.notify(std::move(notice));
}

template <class Add>
void FleetBus::say(Add add) {
    bool is_first = false;
    {
        const std::lock_guard lock{saying_};
        is_first = waiting_.empty();
        add(waiting_);
    }
    if (is_first) carrier_->post([this] { send_waiting(); });
}

void FleetBus::send_waiting() {
    std::vector<Word> words;
    {
        const std::lock_guard lock{saying_};
        words.swap(waiting_);
    }
    std::vector<MessageRef> messages;
    std::size_t bytes = 0;
    for (Word& word : words) {
        if (auto* message = std::get_if<MessageRef>(&word)) {
            bytes += size_of(**message);
            messages.push_back(std::move(*message));
            if (bytes < options_.frame) continue;
        }
        send_messages(messages);
        bytes = 0;
        if (const auto* shown = std::get_if<Shown>(&word)) show(*shown->message);
        if (const auto* event = std::get_if<RoomEvent>(&word)) send(*event);
        if (const auto* notice = std::get_if<Notice>(&word)) send(*notice);
    }
    send_messages(messages);
}

void FleetBus::send_messages(std::vector<MessageRef>& messages) {
    if (messages.empty()) return;
    send(std::span<const MessageRef>{messages});
    if (options_.mirror) {
        for (const MessageRef& message : messages) show(*message);
    }
    messages.clear();
}

void FleetBus::show(const Message& message) {
    if (message.room.is_server_own()) return;
    std::string json = to_json(message);
    if (options_.foreign) mirrored_.note(json);
    carrier_->mirror(message.room, std::move(json));
}

template <class Body>
void FleetBus::send(const Body& body) {
    await_echo(++number_);
    carrier_->send(codec_.encode({.server = self_, .number = number_, .sent_at = clock_.wall()}, body));
    sent_.add();
}

// --- what the others say
// ----------------------------------------------------------------------------------------------

void FleetBus::on_frame(std::string_view bytes) {
    auto frame = codec_.decode(bytes);
    if (!frame) {
        refuse(frame.error().message);
        return;
    }
    if (frame->head.server == self_) {
        on_echo(frame->head.number);
        return;
    }
    if (!is_news(frame->head)) return;
    received_.add();
    if (auto* messages = std::get_if<std::vector<MessageRef>>(&frame->body)) {
        if (options_.foreign) {
            for (const MessageRef& message : *messages) mirrored_.note(to_json(*message));
        }
        local_.announce(*messages);
    } else if (auto* event = std::get_if<RoomEvent>(&frame->body)) {
        local_.event(std::move(*event));
    } else {
        local_.notify(std::move(std::get<Notice>(frame->body)));
    }
}

void FleetBus::await_echo(std::uint64_t number) {
    const std::lock_guard lock{echo_};
    if (awaited_ != 0) return;
    awaited_ = number;
    awaited_since_ = clock_.steady();
}

void FleetBus::on_echo(std::uint64_t number) {
    const std::lock_guard lock{echo_};
    if (number >= awaited_) awaited_ = 0;
}

std::string FleetBus::trouble() const {
    if (auto why = carrier_->trouble(); !why.empty()) return why;
    const std::lock_guard lock{echo_};
    const bool is_deaf = awaited_ != 0 && clock_.steady() - awaited_since_ > kEcho;
    return is_deaf ? "what this server sends does not come back" : "";
}

bool FleetBus::is_news(const FrameHead& head) {
    const WallTime now = clock_.wall();
    if (head.sent_at < now - kMaxAge || head.sent_at > now + kMaxAge) {
        refuse("it is of " + format_iso(head.sent_at) + ": do the servers' clocks agree?");
        return false;
    }
    forget_silent(now);
    Sender& sender = senders_[head.server];
    if (head.number <= sender.number) {
        refuse("it has been heard before");
        return false;
    }
    const std::uint64_t lost = sender.number == 0 ? 0 : head.number - sender.number - 1;
    sender = {head.number, now};
    if (lost != 0) {
        missed_.add(lost);
        local_.missed();
    }
    return true;
}

void FleetBus::on_mirror(const RoomId& room, std::string_view text) {
    if (mirrored_.has(text) || clock_.steady() - heard_since_ < kSettle) return;
    auto json = options_.foreign(room, text);
    if (!json) return;
    foreign_.add();
    local_.event({room, std::move(*json)});
}

void FleetBus::on_link() {
    heard_since_ = clock_.steady();
    local_.missed();
}

void FleetBus::refuse(std::string_view why) {
    refused_.add();
    if (clock_.wall() < next_complaint_) return;
    next_complaint_ = clock_.wall() + kComplainEvery;
    logger::warn("bus", "a frame on the servers' channel is not believed", {{"why", why}});
}

void FleetBus::forget_silent(WallTime now) {
    if (now < next_forget_) return;
    next_forget_ = now + kForgetAfter;
    std::erase_if(senders_, [&](const auto& entry) { return entry.second.heard_at + kForgetAfter < now; });
}

}  // namespace parley::bus
