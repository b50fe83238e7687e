#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/function.h"
#include "base/room_change.h"
#include "room/recent.h"
#include "room/subscription.h"
#include "rt/loop.h"

namespace parley::room {

class Hub;

/// May `member` still read `room`? Answers on the asking loop, perhaps at once. After an error it is asked again.
using MayRead =
    std::function<void(const RoomId& room, const MemberId& member, UniqueFunction<void(Result<bool>)> then)>;

/// A run of messages with their JSON. The messages must outlive it.
class Items {
public:
    explicit Items(std::span<const MessageRef> messages) {
        json_.reserve(messages.size());
        items_.reserve(messages.size());
        for (const MessageRef& message : messages) {
            json_.push_back(to_json(*message));
            items_.push_back({*message, json_.back()});
        }
    }
    Items(const Items&) = delete;
    Items& operator=(const Items&) = delete;
    [[nodiscard]] std::span<const Item> all() const noexcept { return items_; }

private:
    std::vector<std::string> json_;  ///< never grows: items_ looks into it
    std::vector<Item> items_;
};

/// A live subscriber, laid out for the loop that hands it what it shares with the others.
struct Live {
    rt::Connection* direct;  ///< Sink::direct() when it went live
    Subscription* who;
    RoomSeq through;  ///< everything up to here has been handed over
};

/// Subscribers that see the very same bytes: same form, same subscription id.
struct Group {
    WireForm* form;
    std::string key;
    bool events;
    std::vector<Live> live;
    std::size_t members = 0;  ///< live or not
};

/// One room on one core: its live subscribers, the recent messages, and the check that none is missing.
///
/// Thread: core-local. Owned by the Hub, which drops it when the last subscription has gone.
/// Order:  publishes seq after seq; a gap waits 20 ms for reordering, then one read fills it from the log. A live
///         subscription has always seen everything below next().
/// Pace:   a room of many rests after each fan-out, about half the time that one takes, so that it leaves the loop to
///         others, and messages that follow faster than they can be handed out go together.
/// Limit:  recent messages: 256 of them, and RecentBudget; what is older is read from the log. As many wait above a
/// gap;
///         what is beyond is read from the log too.
/// Fails:  while the log cannot be read everything that needs it waits and is tried again.
class LocalRoom {
public:
    LocalRoom(Hub& hub, RoomId id);
    ~LocalRoom();

    [[nodiscard]] const RoomId& id() const noexcept { return id_; }
    std::unique_ptr<Subscription> add(Sink& sink, WireForm& form, std::string key, const Start& start);
    std::unique_ptr<Subscription> add_events(Sink& sink, WireForm& form, std::string key);

    /// Messages the bus brought, rising, perhaps with a gap before or repeats.
    void on_messages(std::span<const MessageRef> messages);
    void on_event(std::string_view json);
    /// What the log was asked for apart from any announcement.
    void on_head(RoomSeq head) {
        if (known_) heard_of(head);
    }
    /// Asks `may_read` about the subscribers that `change` concerns; nothing is handed to them before the answer.
    void recheck(const RoomChange& change, const MayRead& may_read);
    [[nodiscard]] bool is_idle() const noexcept { return free_slots_.size() == slots_.size(); }

private:
    friend class Subscription;
    /// A subscription that may have gone meanwhile.
    struct Ref {
        std::uint32_t slot;
        std::uint32_t serial;
    };
    struct Unchecked {  ///< nobody could say whether it may read
        Ref who;
        MayRead may_read;
    };
    struct Waiting {  ///< asked for before the head was known
        Ref who;
        Start start;
    };

    Group& group_for(WireForm& form, std::string key, bool events);
    void remove(Subscription& subscription) noexcept;
    void add_to_live(Subscription& subscription);
    void take_from_live(Subscription& subscription) noexcept;

    static Ref ref(const Subscription& subscription) noexcept { return {subscription.slot_, subscription.serial_}; }
    /// Null: it has gone.
    [[nodiscard]] Subscription* find(const Ref& ref) const noexcept;
    void settle(Subscription& subscription);
    [[nodiscard]] std::vector<Ref> everyone() const;
    /// Asks the log on the pool; `then` comes only if the room is still there.
    template <class Question, class Then>
    void ask(Question question, Then then);
    /// As ask(), if the subscription is still there too.
    template <class Question, class Then>
    void ask_for(Subscription& subscription, Question question, Then then);
    void retry_in(milliseconds wait);

    void load_head();
    void on_head(Result<log::RoomHead> head);
    void begin_waiting();
    void begin(Subscription& subscription, const Start& start);
    void find_position(Subscription& subscription, const Start& start);
    void find_time(Subscription& subscription, const Start& start);
    void begin_later(Subscription& subscription, const Start& start, milliseconds wait);
    void begin_at(Subscription& subscription, RoomSeq after);

    void catch_up(Subscription& subscription);
    void read_page(Subscription& subscription, std::size_t budget);
    void on_page(Subscription& subscription, Result<log::Page> page);
    void hand_over(Subscription& subscription, std::span<const MessageRef> messages);
    void go_live(Subscription& subscription);

    void publish(std::span<const MessageRef> messages);
    void publish_to(Group& group, std::size_t count, RoomSeq last);
    void set_back(Subscription& subscription, std::size_t budget, RoomSeq last);
    void end_publishing();
    void rest(std::size_t readers);
    void apply(const RoomChange& change);
    void check(const Ref& who, const MayRead& may_read);
    void end(Subscription& subscription);
    [[nodiscard]] bool may_wait(std::span<const MessageRef> messages) const;
    void keep_pending(const MessageRef& message);
    void take_pending();
    void end_rest();
    void heard_of(RoomSeq head);
    void watch_gap();
    void fill_gap();
    void on_fill(Result<log::Page> page);
    void skip_to(RoomSeq first);
    void retry();

    Hub& hub_;
    const RoomId id_;
    bool known_ = false;  ///< head_ has been read
    bool loading_ = false;
    bool filling_ = false;
    bool publishing_ = false;
    bool resting_ = false;
    log::RoomHead head_;  ///< epoch, and first as last read; head as published here
    Recent recent_;
    std::map<std::uint64_t, MessageRef> pending_;  ///< above a gap, or before the head is known
    RoomSeq announced_;  ///< the highest there is said to be: above head_.head, something is missing
    std::map<std::pair<WireForm*, std::string>, Group> groups_[2];  ///< messages, events
    std::vector<Subscription*> slots_;                              ///< everybody; null: free
    std::vector<std::uint32_t> free_slots_;
    RoomSeq taken_after_;  ///< Subscription::taken_after()
    std::vector<Waiting> waiting_;
    std::vector<Unchecked> unchecked_;
    std::vector<Ref> partial_;  ///< to be caught up when publishing is through
    std::uint32_t last_serial_ = 0;
    rt::Timer gap_timer_;
    rt::Timer retry_timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::room
