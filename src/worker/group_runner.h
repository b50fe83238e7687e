#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "log/shared_reading.h"
#include "worker/reader.h"

namespace parley::worker {

/// A role whose partitions several servers share: each works on the rooms of its own, on some threads with a reader
/// each. A partition's position is told when what was read before it is done and saved.
///
/// Thread: open and end on one. Borrows the role, which is opened on several threads, and what the parts name.
/// Order:  a room's messages by seq, by the ledger's position: what is read a second time has no effect.
/// Ends:   with the object, which waits for effects that are under way, saves, and leaves.
class GroupRunner final : private log::SharedReading::Listener {
public:
    static Result<std::unique_ptr<GroupRunner>> open(const Reader::Parts& parts, const Reader::Options& options,
                                                     Role& role, std::size_t threads, const log::ShareReading& share);
    ~GroupRunner() override;
    GroupRunner(const GroupRunner&) = delete;
    GroupRunner& operator=(const GroupRunner&) = delete;

    /// Partitions that this server has.
    [[nodiscard]] std::size_t partitions() const { return partitions_; }
    [[nodiscard]] std::size_t rooms_behind() const;
    /// Nothing keeps this server from reading its share, or from doing it.
    [[nodiscard]] bool is_well() const;

private:
    class Lane;

    GroupRunner() = default;
    void on_assigned(std::uint32_t partition) override;
    void on_record(std::uint32_t partition, std::uint64_t offset, const RoomId& room) override;
    void on_revoked(std::uint32_t partition) override;

    std::vector<std::unique_ptr<Lane>> lanes_;
    std::map<std::uint32_t, Lane*> lane_of_;  ///< on the reading's thread
    std::atomic<std::size_t> partitions_{0};
    std::unique_ptr<log::SharedReading> reading_;
};

}  // namespace parley::worker
