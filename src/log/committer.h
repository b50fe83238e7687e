#pragma once
#include <rocksdb/write_batch.h>

#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "log/commit_queue.h"
#include "log/head_cache.h"
#include "log/store.h"

namespace parley::log {

/// Turns what waits into one atomic, durable write: gives seqs, drops repeats, stamps createdAt.
///
/// Thread: the writer's only. Order: requests are sequenced as they lie in `work`.
/// Fails:  after a status that is not ok nothing of the work may be acknowledged and forget() must come
///         before the next commit. A request whose own lookups fail gets its own error; the rest goes on.
class Committer {
public:
    struct Outcome {
        std::vector<MessageRef> messages;                    ///< new ones, each room's in seq order
        std::vector<Result<std::vector<Appended>>> answers;  ///< one per append of the work
        std::size_t repeats = 0;
    };

    Committer(const Clock& clock, std::size_t cached_heads, bool sync);

    /// Moves the drafts out of `work`.
    rocksdb::Status commit(Store& store, Work& work, Outcome& outcome);
    /// Everything remembered is read from `store` again.
    void forget(const Store& store);

private:
    struct Lookup {
        HeadCache::Entry* room = nullptr;
        std::vector<std::string> keys;  ///< the dedup keys of the request's drafts
        std::optional<Error> error;
    };

    Result<HeadCache::Entry*> resolve(Store& store, const RoomId& room);
    void look_up(Store& store, const Work& work);
    void find_repeats(Store& store, const Work& work);
    std::vector<Appended> sequence(Store& store, Pending& pending, Lookup& lookup, Outcome& outcome);
    void trim(Store& store, const Trim& slice);
    /// `room` is the work's.
    void touch(const RoomId& room, HeadCache::Entry& entry);

    const Clock& clock_;
    const bool sync_;
    HeadCache heads_;
    records::RoomNo next_room_{1};

    // What follows lives for one commit; kept for its memory.
    WallTime now_{};
    rocksdb::WriteBatch batch_;
    std::vector<Lookup> lookups_;
    std::unordered_map<std::string_view, records::Seen> seen_;  ///< by dedup key, from disk and from this batch
    std::vector<std::pair<const RoomId*, HeadCache::Entry*>> touched_;
};

}  // namespace parley::log
