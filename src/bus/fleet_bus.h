#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <variant>

#include "base/clock.h"
#include "base/metrics.h"
#include "bus/carrier.h"
#include "bus/frame.h"
#include "bus/inproc_bus.h"
#include "bus/recent_texts.h"

namespace parley::bus {

/// The bus of a server among others: everything goes to this server's cores at once, and as a signed frame to the
/// servers that the carrier reaches.
///
/// Thread: as Bus. Owns the carrier, on whose thread frames are written and read. Borrows the rest.
/// Order:  what is said leaves in that order; what gathers while the carrier is busy goes in one frame. A number that
///         was heard is not heard again (nor can be played back by others); a number that is missing tells this
///         server's cores to ask (on_missed).
/// Limit:  a frame older or younger than kMaxAge is not believed: servers' clocks have to agree about that well.
/// Fails:  never: while the carrier's link is down only this server's cores hear, the others find out from the log.
///         What it sends comes back to it too; where it does not, trouble() says so.
class FleetBus final : public Bus, private Carrier::Receiver {
public:
    static constexpr seconds kMaxAge{60};
    static constexpr seconds kEcho{5};
    static constexpr seconds kSettle{1};  ///< after a link began, what lies on mirror channels may be the fleet's own
    struct Options {
        bool mirror = true;           ///< show stored messages to other services too
        std::size_t frame = 256'000;  ///< bytes of messages from which on another frame is begun
        /// What a room's readers are shown of a text that another service put on its mirror channel; nothing: it is
        /// dropped. Empty: mirror channels are not heard.
        std::function<std::optional<std::string>(const RoomId&, std::string_view)> foreign{};
    };

    FleetBus(InprocBus& local, std::unique_ptr<Carrier> carrier, FrameCodec codec, const Clock& clock,
             metrics::Registry& metrics, const Options& options);
    ~FleetBus() override;

    void announce(std::span<const MessageRef> messages) override;
    /// Shows them to other services alone: for a log from which each server hears every message by itself.
    void mirror(std::span<const MessageRef> messages);
    void event(RoomEvent event) override;
    void event_here(RoomEvent event) override { local_.event(std::move(event)); }
    void notify(Notice notice) override;
    /// What is wrong with the link to the others, for an operator; empty while it stands.
    [[nodiscard]] std::string trouble() const;

private:
    struct Sender {
        std::uint64_t number = 0;
        WallTime heard_at{};
    };

    void on_frame(std::string_view bytes) override;
    void on_mirror(const RoomId& room, std::string_view text) override;
    void on_link() override;
    void await_echo(std::uint64_t number);
    void on_echo(std::uint64_t number);

    /// A message for other services alone.
    struct Shown {
        MessageRef message;
    };
    using Word = std::variant<MessageRef, Shown, RoomEvent, Notice>;

    /// Adds to what waits for the carrier's thread.
    template <class Add>
    void say(Add add);
    // The carrier's thread:
    void send_waiting();
    void send_messages(std::vector<MessageRef>& messages);
    void show(const Message& message);
    template <class Body>
    void send(const Body& body);
    [[nodiscard]] bool is_news(const FrameHead& head);
    void refuse(std::string_view why);
    void forget_silent(WallTime now);

    InprocBus& local_;
    const FrameCodec codec_;
    const Clock& clock_;
    const Options options_;
    const std::uint64_t self_;
    metrics::Counter& sent_;
    metrics::Counter& received_;
    metrics::Counter& refused_;
    metrics::Counter& missed_;
    metrics::Counter& foreign_;

    std::mutex saying_;
    std::vector<Word> waiting_;  ///< while there are some, the carrier's thread will come for them

    mutable std::mutex echo_;
    std::uint64_t awaited_ = 0;  ///< the echo of this frame; 0: none is out
    SteadyTime awaited_since_{};

    // The carrier's thread:
    std::uint64_t number_ = 0;
    std::unordered_map<std::uint64_t, Sender> senders_;
    WallTime next_forget_{};
    WallTime next_complaint_{};
    RecentTexts mirrored_;  ///< by this fleet: a frame tells of a message before its mirror does
    SteadyTime heard_since_{};

    std::unique_ptr<Carrier> carrier_;  ///< last: its thread uses what is above
};

}  // namespace parley::bus
