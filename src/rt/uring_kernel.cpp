#include <liburing.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "rt/system_kernel.h"

namespace parley::rt {
namespace {

constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

/// Each thread that writes has a ring of its own, so the kernel need not lock it. 0, or -errno.
int open_ring(io_uring& ring) {
    io_uring_params params{};
    params.flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    int error = ::io_uring_queue_init_params(kWritesAtOnce, &ring, &params);
    if (error == -EINVAL) {  // before Linux 6.1
        params = {};
        error = ::io_uring_queue_init_params(kWritesAtOnce, &ring, &params);
    }
    return error;
}

/// Invariant: the ring is empty between two calls of write(). MSG_DONTWAIT makes every send complete while it is
/// submitted, so no buffer is in the kernel's hands once write() has returned. Where the ring takes nothing any more
/// (a policy came after the start, no memory for long), it goes, and the thread writes without one from then on.
class UringKernel final : public SystemKernel {
public:
    ~UringKernel() override { close_ring(); }

    void unwatch(int fd) noexcept override {
        SystemKernel::unwatch(fd);
        if (!is_kept(fd)) return;
        int none = -1;
        must(::io_uring_register_files_update(&ring_, static_cast<unsigned>(fd), &none, 1));
        kept_[static_cast<std::size_t>(fd)] = false;
    }

    void write(std::span<Write> batch) override {
        if (batch.size() < kWorthARing || !has_ring()) {
            SystemKernel::write(batch);
            return;
        }
        while (!batch.empty()) {
            const auto some = batch.first(std::min<std::size_t>(batch.size(), kWritesAtOnce));
            const std::size_t taken = submit(some);
            batch = batch.subspan(taken);
            if (taken == some.size()) continue;
            close_ring();
            state_ = State::kRefused;
            SystemKernel::write(batch);
            return;
        }
    }

    [[nodiscard]] std::string_view name() const noexcept override {
        return state_ == State::kRefused ? SystemKernel::name() : "io_uring";
    }

private:
    enum class State : std::uint8_t { kNew, kOpen, kRefused };
    static constexpr std::size_t kWorthARing = 2;
    static constexpr rlim_t kMostFiles = 1 << 20;
    static constexpr int kTries = 1000;  ///< a millisecond or two

    /// The ring belongs to the thread that makes it: the loop's, not the one that built the loop.
    bool has_ring() noexcept {
        if (state_ != State::kNew) return state_ == State::kOpen;
        state_ = open_ring(ring_) == 0 ? State::kOpen : State::kRefused;
        if (state_ == State::kRefused) return false;
        (void)::io_uring_register_ring_fd(&ring_);
        rlimit files{};
        if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return true;
        const auto slots = static_cast<unsigned>(std::min<rlim_t>(files.rlim_cur, kMostFiles));
        if (::io_uring_register_files_sparse(&ring_, slots) == 0) kept_.resize(slots);
        return true;
    }

    void close_ring() noexcept {
        if (state_ == State::kOpen) ::io_uring_queue_exit(&ring_);
        kept_.clear();
    }

    [[nodiscard]] bool is_kept(int fd) const noexcept {
        return static_cast<std::size_t>(fd) < kept_.size() && kept_[static_cast<std::size_t>(fd)];
    }

    /// From its first write on the kernel keeps the file at hand, in the slot of its number, until unwatch(): no
    /// look-up for each write. Only what is written to: of a process that was killed the ring goes a while after the
    /// process, and a listening socket in it would keep the port from the next one. False: it could not be kept.
    bool keep_file(int fd) noexcept {
        if (static_cast<std::size_t>(fd) >= kept_.size()) return false;
        if (!is_kept(fd)) {
            kept_[static_cast<std::size_t>(fd)] =
                ::io_uring_register_files_update(&ring_, static_cast<unsigned>(fd), &fd, 1) == 1;
        }
        return is_kept(fd);
    }

    static void must(int result) {
        if (result >= 0) return;
        std::fprintf(stderr, "io_uring: %s\n", std::strerror(-result));
        std::abort();
    }

    /// How many the kernel took, from the front; those have their results.
    std::size_t submit(std::span<Write> batch) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            io_uring_sqe* const sqe = ::io_uring_get_sqe(&ring_);
            const Write& entry = batch[i];
            if (entry.count == 1) {
                ::io_uring_prep_send(sqe, entry.fd, entry.parts->iov_base, entry.parts->iov_len, kSendFlags);
            } else {
                msghdr& message = messages_[i];
                message.msg_iov = const_cast<iovec*>(entry.parts);
                message.msg_iovlen = entry.count;
                ::io_uring_prep_sendmsg(sqe, entry.fd, &message, kSendFlags);
            }
            sqe->user_data = i;
            if (keep_file(entry.fd)) sqe->flags |= IOSQE_FIXED_FILE;
        }
        const auto wanted = static_cast<unsigned>(batch.size());
        unsigned submitted = 0;
        for (int tries = kTries; submitted < wanted && tries > 0; --tries) {
            const int taken = ::io_uring_submit_and_wait(&ring_, wanted - submitted);
            if (taken >= 0) {
                submitted += std::min(wanted - submitted, static_cast<unsigned>(taken));
            } else if (taken != -EINTR && taken != -EAGAIN && taken != -EBUSY) {
                break;
            }
        }
        reap(batch, submitted);
        return submitted;
    }

    void reap(std::span<Write> batch, unsigned submitted) {
        unsigned reaped = 0;
        while (reaped < submitted) {
            io_uring_cqe* cqe = nullptr;
            const int error = ::io_uring_wait_cqe(&ring_, &cqe);
            if (error == -EINTR) continue;
            must(error);
            unsigned head = 0;
            unsigned count = 0;
            io_uring_for_each_cqe(&ring_, head, cqe) {
                batch[cqe->user_data].result = cqe->res;
                ++count;
            }
            ::io_uring_cq_advance(&ring_, count);
            reaped += count;
        }
    }

    io_uring ring_{};
    std::array<msghdr, kWritesAtOnce> messages_{};
    std::vector<bool> kept_;  ///< by descriptor
    State state_ = State::kNew;
};

/// A sandbox may let a ring be made and not be used.
int try_one() {
    io_uring ring;
    int error = open_ring(ring);
    if (error != 0) return error;
    ::io_uring_prep_nop(::io_uring_get_sqe(&ring));
    error = std::min(0, ::io_uring_submit_and_wait(&ring, 1));
    ::io_uring_queue_exit(&ring);
    return error;
}

}  // namespace

Result<std::unique_ptr<Kernel>> make_uring_kernel() {
    const int error = try_one();
    if (error != 0) return fail(Code::kInternal, std::string{"io_uring is refused: "} + std::strerror(-error));
    return std::unique_ptr<Kernel>{std::make_unique<UringKernel>()};
}

}  // namespace parley::rt
