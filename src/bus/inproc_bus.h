#pragma once
#include <vector>

#include "bus/bus.h"
#include "rt/runtime.h"

namespace parley::bus {

/// The bus of one process: a post to each core's mailbox.
/// Thread: attach() and detach() on the listener's own loop. Borrows the runtime and the listeners.
class InprocBus final : public Bus {
public:
    explicit InprocBus(rt::Runtime& runtime);

    void attach(rt::Loop& loop, Listener& listener);
    /// Nothing reaches the listener after this returns.
    void detach(rt::Loop& loop);

    void announce(std::span<const MessageRef> messages) override;
    void event(RoomEvent event) override;
    void notify(Notice notice) override;

private:
    template <class Deliver>
    void to_every_loop(Deliver deliver);

    rt::Runtime& runtime_;
    std::vector<Listener*> listeners_;  ///< by loop; each entry touched on its loop only
};

}  // namespace parley::bus
