#pragma once
#include <utility>
#include <vector>

#include "bus/bus.h"
#include "rt/runtime.h"

namespace parley::bus {

/// The bus of one process, and the last step of a fleet's: a post to each core's mailbox.
/// Thread: attach() and detach() on the listener's own loop. Borrows the runtime and the listeners.
class InprocBus final : public Bus {
public:
    explicit InprocBus(rt::Runtime& runtime);

    void attach(rt::Loop& loop, Listener& listener);
    /// Nothing reaches the listener after this returns.
    void detach(rt::Loop& loop);

    void announce(std::span<const MessageRef> messages) override;
    void event(RoomEvent event) override;
    void event_here(RoomEvent here) override { event(std::move(here)); }
    void notify(Notice notice) override;
    /// Tells every listener that hints may have been lost.
    void missed();

private:
    template <class Deliver>
    void to_every_loop(Deliver deliver);

    rt::Runtime& runtime_;
    std::vector<Listener*> listeners_;  ///< by loop; each entry touched on its loop only
};

}  // namespace parley::bus
