#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/room_change.h"
#include "room/subscription.h"
#include "rt/loop.h"

namespace parley::room {

class Hub;

/// Subscribers that see the very same bytes: same form, same subscription id.
struct Group {
    WireForm* form;
    std::string key;
    bool events;
    std::vector<Subscription*> live;
    std::size_t members = 0;  ///< live or not
};

/// One room on one core: its live subscribers, the recent messages, and the check that none is missing.
///
/// Thread: core-local. Owned by the Hub, which drops it when the last subscription has gone.
/// Order:  publishes seq after seq; a gap waits 20 ms for reordering, then one read fills it from the log. A live
///         subscription has always seen everything below next().
/// Limit:  recent messages: 256 of them and 256 KiB; what is older is read from the log.
class LocalRoom {
public:
    LocalRoom(Hub& hub, RoomId id);
    ~LocalRoom();

    [[nodiscard]] const RoomId& id() const noexcept { return id_; }
    std::unique_ptr<Subscription> add(Sink& sink, WireForm& form, std::string key, MemberId member, const Start& start);
    std::unique_ptr<Subscription> add_events(Sink& sink, WireForm& form, std::string key, MemberId member);

    /// Messages the bus brought, rising, perhaps with a gap before or repeats.
    void on_messages(std::span<const MessageRef> messages);
    void on_event(std::string_view json);
    [[nodiscard]] bool is_idle() const noexcept { return subscriptions_ == 0; }

private:
    friend class Subscription;
    struct Waiting {  ///< asked for before the head was known
        Subscription* subscription;
        Start start;
    };

    Group& group_for(WireForm& form, std::string key, bool events);
    void remove(Subscription& subscription) noexcept;
    void take_from_live(Subscription& subscription) noexcept;

    void load_head();
    void on_head(Result<log::RoomHead> head);
    void begin(Subscription& subscription, const Start& start);
    void begin_at(Subscription& subscription, RoomSeq after);

    void catch_up(Subscription& subscription);
    void read_page(Subscription& subscription, std::size_t budget);
    void on_page(Subscription& subscription, Result<log::Page> page);
    void hand_over(Subscription& subscription, std::span<const MessageRef> messages);
    void go_live(Subscription& subscription);

    void publish(std::span<const MessageRef> messages);
    void publish_to(Group& group, std::span<const Item> items);
    void end_publishing();
    void apply(const RoomChange& change);
    void recheck_members();
    void fill_gap();
    void take_pending();
    void retry();

    Hub& hub_;
    const RoomId id_;
    bool known_ = false;       ///< head_ has been read
    bool loading_ = false;
    bool filling_ = false;
    bool publishing_ = false;
    log::RoomHead head_;       ///< epoch, and first as last read; head as published here
    std::deque<MessageRef> recent_;
    std::size_t recent_bytes_ = 0;
    std::map<std::uint64_t, MessageRef> pending_;  ///< above a gap, or before the head is known
    std::map<std::pair<WireForm*, std::string>, Group> groups_[2];  ///< messages, events
    std::unordered_map<Subscription*, std::uint64_t> all_;  ///< every message subscription and its serial number
    std::vector<Waiting> waiting_;
    std::vector<Subscription*> partial_;
    std::uint64_t serial_ = 0;
    std::size_t subscriptions_ = 0;
    rt::Timer gap_timer_;
    rt::Timer retry_timer_;
};

}  // namespace parley::room
