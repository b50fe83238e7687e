#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace parley::store {

struct LedgerRow {
    std::string key;
    std::uint64_t revision = 0;  ///< 0: no such row yet
    std::string value;
};

/// What those who read the log remember: where they are, what they have gathered, what they gave up. Small texts, each
/// changed only by who knows its last revision, so that of several servers one gets through.
///
/// Thread: any; every call may wait for the store: never on a loop.
/// Order:  a success is durable. Rows stand for themselves: of one put() some may be stored and others not.
/// Limit:  keys of 1 to 400 visible ASCII characters; values are UTF-8 without U+0000, up to 1 MiB. Nothing is removed.
/// Fails:  kStoreUnavailable; what was being put is then there or not, which its revision tells.
class Ledger {
public:
    virtual ~Ledger() = default;

    virtual Result<std::optional<LedgerRow>> row(const std::string& key) = 0;
    /// Those whose keys begin with `prefix`, in the order of their keys; those behind `after`.
    virtual Result<std::vector<LedgerRow>> rows(const std::string& prefix, const std::string& after,
                                                std::size_t limit) = 0;
    /// Stores each row whose `revision` is the one that is there, under the next one. Answers which were stored. Each
    /// key once.
    virtual Result<std::vector<bool>> put(const std::vector<LedgerRow>& rows) = 0;
};

}  // namespace parley::store
