#pragma once
#include <string>
#include <vector>

#include "adapters/kafka/record.h"

/// For tests: records as a reader gets them.
namespace parley::kafka {

/// Borrows from `sent`.
inline InRecord view(const OutRecord& sent, std::uint64_t offset) {
    InRecord out;
    out.partition = 3;
    out.offset = offset;
    out.timestamp = sent.timestamp;
    out.key = sent.key;
    out.value = sent.value;
    for (const auto& [name, value] : sent.headers) out.headers.push_back({name, value});
    return out;
}

/// Borrows its arguments.
inline InRecord foreign(std::string_view key, std::string_view value, std::vector<InRecord::Header> headers = {}) {
    InRecord out;
    out.partition = 3;
    out.offset = 12;
    out.key = key;
    out.value = value;
    out.headers = std::move(headers);
    return out;
}

}  // namespace parley::kafka
