#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "rt/kernel.h"

namespace parley::rt {
namespace {

/// From now on io_uring_enter fails so in this thread, as when a policy comes late or memory is short for long.
bool refuse_to_enter(int error) {
    std::array filter{
        sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, __NR_io_uring_enter},
        sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)},
        sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    const sock_fprog program{filter.size(), filter.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

struct Pair {
    std::array<int, 2> ends{-1, -1};
    Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0); }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    ~Pair() {
        for (const int end : ends) ::close(end);
    }
    [[nodiscard]] std::string read() const {
        std::string out(100, '\0');
        const ssize_t got = ::recv(ends[1], out.data(), out.size(), MSG_DONTWAIT);
        out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return out;
    }
};

/// Gives `text` to every pair in one call; how many took all of it.
std::size_t write(Kernel& kernel, const std::vector<Pair>& pairs, std::string_view text) {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    std::vector<Write> batch;
    batch.reserve(pairs.size());
    for (const Pair& pair : pairs) batch.push_back({.fd = pair.ends[0], .count = 1, .parts = &part});
    kernel.write(batch);
    std::size_t taken = 0;
    for (const Write& each : batch) taken += each.result == static_cast<ssize_t>(text.size()) ? 1 : 0;
    return taken;
}

class UringKernelTest : public testing::TestWithParam<int> {};

TEST_P(UringKernelTest, WritesWithoutARingOnceItIsRefused) {
    // In a thread of its own, because such a filter stays.
    std::thread{[error = GetParam()] {
        auto choice = make_kernel(FlushKind::kIoUring);
        if (!choice) GTEST_SKIP() << choice.error().message;
        const std::vector<Pair> pairs(3);
        EXPECT_EQ(write(*choice->kernel, pairs, "one "), 3U);
        EXPECT_EQ(choice->kernel->name(), "io_uring");
        if (!refuse_to_enter(error)) GTEST_SKIP() << "seccomp is not allowed here";
        EXPECT_EQ(write(*choice->kernel, pairs, "two "), 3U);
        EXPECT_EQ(choice->kernel->name(), "writev");
        EXPECT_EQ(write(*choice->kernel, pairs, "three"), 3U);
        for (const Pair& pair : pairs) {
            choice->kernel->unwatch(pair.ends[0]);
            EXPECT_EQ(pair.read(), "one two three");
        }
    }}.join();
}

INSTANTIATE_TEST_SUITE_P(Refusals, UringKernelTest, testing::Values(EAGAIN, EPERM),
                         [](const auto& error) { return error.param == EAGAIN ? "ForNow" : "ForGood"; });

}  // namespace
}  // namespace parley::rt
