#pragma once
#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rt/kernel.h"

namespace parley::rt::testing {

/// A kernel of make-believe sockets, for tests and the fuzz target: what arrives, what a socket takes and when it
/// breaks is said by the test, and what was written can be read. Descriptors are any numbers from kFirst on.
class FakeKernel final : public Kernel {
public:
    static constexpr int kFirst = 1'000'000;

    struct Socket {
        std::string arriving;         ///< not read yet
        std::string taken;            ///< what was written to it
        std::size_t room = SIZE_MAX;  ///< how much more it takes
        int broken = 0;               ///< errno of every further call
        bool input_ended = false;
        bool output_ended = false;
        bool closed = false;
        std::uint32_t pending = 0;  ///< events not delivered yet
        void* tag = nullptr;        ///< null: not watched
    };

    int open() {
        sockets_.emplace_back();
        return kFirst + static_cast<int>(sockets_.size()) - 1;
    }
    [[nodiscard]] Socket& socket(int fd) { return sockets_[static_cast<std::size_t>(fd - kFirst)]; }

    // What the peer does.
    void arrive(int fd, std::string_view bytes) {
        socket(fd).arriving += bytes;
        socket(fd).pending |= EPOLLIN;
    }
    void end_input(int fd) {
        socket(fd).input_ended = true;
        socket(fd).pending |= EPOLLIN | EPOLLRDHUP;
    }
    void take(int fd, std::size_t more) {
        Socket& to = socket(fd);
        const bool was_full = to.room == 0;
        to.room = to.room > SIZE_MAX - more ? SIZE_MAX : to.room + more;
        if (was_full && more > 0) to.pending |= EPOLLOUT;
    }
    void reset(int fd) {
        socket(fd).broken = ECONNRESET;
        socket(fd).pending |= EPOLLIN | EPOLLERR | EPOLLHUP;
    }

    // Kernel
    std::size_t wait(std::span<epoll_event> events, int) override {
        std::size_t count = 0;
        for (Socket& each : sockets_) {
            if (each.tag == nullptr || each.pending == 0 || count == events.size()) continue;
            events[count].events = std::exchange(each.pending, 0);
            events[count++].data.ptr = each.tag;
        }
        return count;
    }
    int watch(int fd, std::uint32_t, void* tag) override {
        if (fd < kFirst) return 0;  // the mailbox: a test's loop does not sleep
        Socket& to = socket(fd);
        to.tag = tag;
        to.pending |= EPOLLOUT;
        if (!to.arriving.empty()) to.pending |= EPOLLIN;
        if (to.input_ended) to.pending |= EPOLLIN | EPOLLRDHUP;
        if (to.broken != 0) to.pending |= EPOLLIN | EPOLLERR | EPOLLHUP;
        return 0;
    }
    void unwatch(int fd) noexcept override { socket(fd).tag = nullptr; }
    ssize_t receive(int fd, std::span<char> into) override {
        Socket& from = socket(fd);
        if (from.broken != 0) return -from.broken;
        if (from.arriving.empty()) return from.input_ended ? 0 : -EAGAIN;
        const std::size_t count = from.arriving.copy(into.data(), into.size());
        from.arriving.erase(0, count);
        return static_cast<ssize_t>(count);
    }
    void write(std::span<Write> batch) override {
        for (Write& entry : batch) entry.result = write_one(entry);
    }
    void end_output(int fd) noexcept override { socket(fd).output_ended = true; }
    void close(int fd) noexcept override { socket(fd).closed = true; }
    [[nodiscard]] std::string_view name() const noexcept override { return "fake"; }

private:
    ssize_t write_one(const Write& entry) {
        Socket& to = socket(entry.fd);
        if (to.broken != 0) return -to.broken;
        if (to.room == 0) return -EAGAIN;
        std::size_t count = 0;
        for (const iovec& part : std::span{entry.parts, entry.count}) {
            const std::size_t some = std::min(part.iov_len, to.room);
            to.taken.append(static_cast<const char*>(part.iov_base), some);
            to.room -= some;
            count += some;
            if (some < part.iov_len) break;
        }
        return static_cast<ssize_t>(count);
    }

    std::deque<Socket> sockets_;
};

}  // namespace parley::rt::testing
