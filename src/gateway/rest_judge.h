#pragma once
#include "auth/acl.h"
#include "chat/room_book.h"

namespace parley::gateway {

/// A room as the directory knows it, for somebody who may do what they asked.
struct RoomEntry {
    chat::RoomView view;
    bool creates_room = false;  ///< it is not there yet, and comes to be by this operation
};

/// Whether somebody may do something in a room, asked of the directory itself and not of a memory of it.
/// Thread: any; calling it blocks on the disk: on a pool.
class RoomJudge {
public:
    RoomJudge(store::Directory& directory, auth::Operation operation, RoomId room, MemberId member, bool auto_create)
        : directory_(directory),
          operation_(operation),
          room_(std::move(room)),
          member_(std::move(member)),
          auto_create_(auto_create) {}

    /// Error: what the asker may be told.
    [[nodiscard]] Result<RoomEntry> operator()() const;

private:
    store::Directory& directory_;
    auth::Operation operation_;
    RoomId room_;
    MemberId member_;
    bool auto_create_;
};

}  // namespace parley::gateway
