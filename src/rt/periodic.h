#pragma once
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/function.h"
#include "base/units.h"

namespace parley::rt {

/// Does something again and again on a thread of its own, for work that may block and has no loop: sweeps, samples.
///
/// Thread: `work` runs on that thread; the constructor and destructor on the owner's.
/// Order:  first after `first`, then after what `work` returned. One call at a time.
/// Ends:   with the object, which waits for a call that runs.
class Periodic {
public:
    using Work = UniqueFunction<milliseconds()>;

    /// `name` is the thread's, 15 characters at most.
    Periodic(const std::string& name, milliseconds first, Work work);
    ~Periodic();
    Periodic(const Periodic&) = delete;
    Periodic& operator=(const Periodic&) = delete;

private:
    void run(milliseconds wait);

    Work work_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace parley::rt
