#pragma once
#include <string>

#include "base/clock.h"
#include "base/message.h"
#include "store/ledger.h"

namespace parley::worker {

/// What a role gave up: one row of the ledger for each message, with the reason. The message itself stays in the log.
/// Thread: any.
class DeadLetters {
public:
    DeadLetters(store::Ledger& ledger, std::string role, const Clock& clock)
        : ledger_(ledger), role_(std::move(role)), clock_(clock) {}

    /// Of the same message a second time: no effect.
    Result<> put(const Message& message, const std::string& reason);
    /// `{"role","roomId","seq","messageId","senderId","reason","at"}` of each, as a JSON array in the order of room and
    /// seq; the rows behind `after`, which is the `next` of a page before.
    struct Page {
        std::string json;
        std::string next;  ///< empty: that was all
    };
    Result<Page> list(const std::string& after, std::size_t limit);

private:
    store::Ledger& ledger_;
    const std::string role_;
    const Clock& clock_;
};

}  // namespace parley::worker
