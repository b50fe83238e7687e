#include "private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace parley::app {

Result<> write_private_file(const std::filesystem::path& path, std::string_view text) {
    const std::filesystem::path fresh = path.string() + ".new";
    const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
    const int problem = errno;
    if (fd >= 0) ::close(fd);
    if (written && ::rename(fresh.c_str(), path.c_str()) == 0) return {};
    return fail(Code::kInternal,
                fmt::format("{}: cannot be kept: {}", path.string(), std::strerror(written ? errno : problem)));
}

}  // namespace parley::app
