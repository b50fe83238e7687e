#pragma once
#include <sys/epoll.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace parley::rt {

/// What one socket is to be given, and what became of it.
struct Write {
    int fd;
    std::uint32_t count;  ///< of `parts`
    const iovec* parts;
    ssize_t result = 0;  ///< bytes taken, or an error as -errno
};

/// How many writes are worth handing over together: a fan-out to a thousand readers in one piece costs a tenth less
/// than in four (docs/performance.md).
constexpr std::size_t kWritesAtOnce = 1024;

/// The system calls of one loop: the one place where bytes meet the kernel, so that a test can be the kernel.
///
/// Thread: core-local.
/// Order:  write() has the results of all when it returns; nothing of it is in flight afterwards.
/// Fails:  errors are -errno, as each call says.
class Kernel {
public:
    virtual ~Kernel() = default;
    /// Edge-triggered events of what is watched; at most events.size(). `tag` comes back as data.ptr.
    virtual std::size_t wait(std::span<epoll_event> events, int milliseconds) = 0;
    virtual int watch(int fd, std::uint32_t events, void* tag) = 0;
    virtual void unwatch(int fd) noexcept = 0;
    /// Bytes read, 0 at the end of input, or -errno. Never waits.
    virtual ssize_t receive(int fd, std::span<char> into) = 0;
    /// Gives each socket what it takes without waiting.
    virtual void write(std::span<Write> batch) = 0;
    virtual void end_output(int fd) noexcept = 0;
    virtual void close(int fd) noexcept = 0;
    /// `io_uring`, `writev`: how write() works.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
};

enum class FlushKind : std::uint8_t { kAuto, kIoUring, kWritev };

struct KernelChoice {
    std::unique_ptr<Kernel> kernel;
    std::string why_not_io_uring;  ///< where kAuto had to do without
};

/// kAuto takes io_uring where the system lets us. Error: kIoUring was asked for and is refused, with the reason.
[[nodiscard]] Result<KernelChoice> make_kernel(FlushKind kind);

}  // namespace parley::rt
