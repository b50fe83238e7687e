#pragma once
#include "gateway/news_board.h"
#include "log/room_log.h"
#include "room/hub.h"
#include "rt/asker.h"

namespace parley::gateway {

/// Finds what no hint told of: a message that another server stored, whose announcement was lost or who died before it.
///
/// Thread: core-local; the log is asked on the pool, for all rooms of this core together. Borrows everything.
/// Order:  none: a head is compared with what each reader has, and whoever is behind asks the log.
/// Fails:  while the log does not answer nothing is found; the next call asks again.
class HeadWatch {
public:
    HeadWatch(log::RoomLog& log, rt::Asker& asker, room::Hub& hub, NewsBoard& news)
        : log_(log), asker_(asker), hub_(hub), news_(news) {}

    /// Asks for the heads of the rooms that somebody here waits for; not while an answer is still out.
    void ask();

private:
    log::RoomLog& log_;
    rt::Asker& asker_;
    room::Hub& hub_;
    NewsBoard& news_;
    bool asking_ = false;
};

}  // namespace parley::gateway
