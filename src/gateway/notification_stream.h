#pragma once
#include <memory>

#include "gateway/news_board.h"
#include "gateway/notifications.h"
#include "gateway/sse_stream.h"
#include "log/room_log.h"

namespace parley::gateway {

/// A member's notifications as Server-Sent Events: their own, what is told to all, and who comes online.
///
/// Thread: core-local. Owned by its connection.
/// Order:  `connected`, then each kind in the order it was stored; who comes online is told now or never.
/// Limit:  a reader that is too slow is given nothing more until it drains, and then what the log has.
class NotificationStream final : public SseStream, private NewsBoard::Reader {
public:
    using SseStream::SseStream;
    ~NotificationStream() override;

    void begin(const NotificationPlace& from);
    void say_login(std::string_view json);
    using SseStream::member;

private:
    void on_room() override { look(); }
    void on_end() noexcept override;
    bool on_news(NewsBoard::News& news) override;
    void on_head(const RoomId& room, RoomSeq head) override;
    void on_rights_changed() override {}

    [[nodiscard]] RoomSeq& place_in(const RoomId& room);
    void look();
    struct Pages {
        log::Page own;
        log::Page all;
    };
    void on_pages(const Result<Pages>& pages);
    /// False: no more now.
    bool take(const log::Page& page, RoomSeq& place);
    void take(const Message& message, RoomSeq& place);

    NotificationPlace at_;
    NewsBoard::Spot* own_ = nullptr;
    NewsBoard::Spot* all_ = nullptr;
    std::shared_ptr<bool> looking_;  ///< while an answer of the log is awaited
    bool stirred_ = false;           ///< something came meanwhile
};

}  // namespace parley::gateway
