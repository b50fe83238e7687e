#include "rocks/explain.h"

#include <fmt/format.h>

#include <regex>

namespace parley::rocks {
namespace {

bool is_lock_conflict(const rocksdb::Status& status, const std::string& text) {
    return status.IsIOError() && text.find("LOCK") != std::string::npos &&
           (text.find("lock hold by current process") != std::string::npos ||
            text.find("Resource temporarily unavailable") != std::string::npos);
}

}  // namespace

std::string file_named_in(const std::string& text) {
    static const std::regex kName{R"(([0-9]+\.(?:sst|log)|MANIFEST-[0-9]+|CURRENT))"};
    std::smatch found;
    return std::regex_search(text, found, kName) ? found[1].str() : std::string{};
}

Error explain(const rocksdb::Status& status, std::string_view store, std::string_view remedy) {
    const std::string text = status.ToString();
    const std::string file = file_named_in(text);
    std::string sentence;
    if (status.IsCorruption() || (status.IsPathNotFound() && !file.empty())) {
        sentence = fmt::format("{} is damaged{}{}: {}{}", store, file.empty() ? "" : " in ", file, text, remedy);
    } else if (is_lock_conflict(status, text)) {
        sentence = fmt::format("{} is in use by another process: {}", store, text);
    } else {
        sentence = fmt::format("{} cannot be used: {}", store, text);
    }
    return {Code::kStoreUnavailable, std::move(sentence)};
}

}  // namespace parley::rocks
