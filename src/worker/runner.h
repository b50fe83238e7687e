#pragma once
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bus/bus.h"
#include "worker/reader.h"

namespace parley::worker {

/// A role's thread. Owns its reader's turn; hints come from any thread. Wakes at most every 50 ms for them.
/// Limit:  4 MiB of hints wait; beyond, the rooms are listed instead.
/// Ends:   with the object, which waits for the effect that is under way, saves, and lets another server go on.
class Runner {
public:
    Runner(Reader::Parts parts, Reader::Options options, Role& role);
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    void hint(const bus::MessageBatch& messages);
    /// Hints may have been lost.
    void missed();
    [[nodiscard]] const Reader& reader() const noexcept { return reader_; }

private:
    void run();

    Reader reader_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<bus::MessageBatch> hints_;
    std::size_t waiting_ = 0;  ///< bytes
    bool missed_ = false;
    bool waits_for_hints_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace parley::worker
