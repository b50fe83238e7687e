#include "rocks/notes.h"

#include <array>
#include <cstdarg>
#include <cstdio>

#include "base/logger.h"
#include "rocks/explain.h"

namespace parley::rocks {

void Notes::Logv(const char* format, va_list arguments) {
    std::array<char, 1024> text{};
    std::vsnprintf(text.data(), text.size(), format, arguments);
    const std::string line{text.data()};
    logger::debug(area_, "RocksDB", {{"note", line}});
    const std::lock_guard lock{mutex_};
    if (const auto at = line.find(": dropping "); at != std::string::npos && damaged_.empty())
        damaged_ = file_named_in(line.substr(0, at));
}

std::string Notes::damaged() const {
    const std::lock_guard lock{mutex_};
    return damaged_;
}

}  // namespace parley::rocks
