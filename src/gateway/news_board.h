#pragma once
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/message.h"

namespace parley::gateway {

/// Tells who waits for a room that something has come: for answers that wait rarely and briefly, where a subscription
/// of their own would cost more than the news.
///
/// Thread: core-local. Borrows the readers.
/// Order:  what the bus brings, as it comes: news may be repeated or have a gap, and the reader asks the log then.
/// Memory: eight bytes for a reader of a room.
class NewsBoard {
public:
    /// Messages of one room, and their JSON made once for all readers.
    class News {
    public:
        explicit News(std::span<const MessageRef> messages) : messages_(messages) {}
        [[nodiscard]] std::span<const MessageRef> messages() const noexcept { return messages_; }
        [[nodiscard]] const RoomId& room() const noexcept { return messages_.front()->room; }
        /// One of them may have ended or given a right.
        [[nodiscard]] bool changes_rights() const noexcept;
        /// Those above `after` as the members of a JSON array, without the brackets.
        [[nodiscard]] std::string_view json(RoomSeq after);

    private:
        std::span<const MessageRef> messages_;
        std::string json_;
        RoomSeq json_after_;
    };
    class Reader {
    public:
        virtual ~Reader() = default;
        /// Returns whether it goes on reading. It may unwatch() any spot, its own only by returning false.
        virtual bool on_news(News& news) = 0;
        /// The log says that the room stands there; whether that is news the reader knows.
        virtual void on_head(const RoomId& room, RoomSeq head) = 0;
        /// What it may read can be another than before.
        virtual void on_rights_changed() = 0;
    };
    using Readers = std::vector<Reader*>;
    using Spot = std::pair<const RoomId, Readers>;

    /// The spot stays where it is until its last reader has gone.
    Spot& watch(const RoomId& room, Reader& reader);
    void unwatch(Spot& spot, Reader& reader) noexcept;

    void on_messages(std::span<const MessageRef> messages);
    void on_rights_changed(const RoomId& room);
    void on_head(const RoomId& room, RoomSeq head);
    /// Appends the rooms of the log that somebody reads.
    void list_rooms(std::vector<RoomId>& out) const;

    /// Where news of the rooms a member has come to are put: not a room of the log.
    [[nodiscard]] static RoomId joined_by(const MemberId& member);

private:
    void tell(Spot& spot, News& news);
    void drop_if_empty(Spot& spot) noexcept;

    std::unordered_map<RoomId, Readers> spots_;
    Readers* told_ = nullptr;  ///< while they are: whoever goes is taken out of it
    const Spot* telling_ = nullptr;
};

}  // namespace parley::gateway
