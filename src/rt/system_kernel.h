#pragma once
#include "rt/kernel.h"

namespace parley::rt {

/// The kernel by its plain calls: epoll, recv, and one sendmsg for each socket.
class SystemKernel : public Kernel {
public:
    SystemKernel();
    ~SystemKernel() override;
    SystemKernel(const SystemKernel&) = delete;
    SystemKernel& operator=(const SystemKernel&) = delete;

    std::size_t wait(std::span<epoll_event> events, int milliseconds) override;
    int watch(int fd, std::uint32_t events, void* tag) override;
    void unwatch(int fd) noexcept override;
    ssize_t receive(int fd, std::span<char> into) override;
    void write(std::span<Write> batch) override;
    void end_output(int fd) noexcept override;
    void close(int fd) noexcept override;
    [[nodiscard]] std::string_view name() const noexcept override { return "writev"; }

private:
    int epoll_fd_;
};

/// As SystemKernel, but write() hands the whole batch over in one call. Error: the system's reason.
[[nodiscard]] Result<std::unique_ptr<Kernel>> make_uring_kernel();

}  // namespace parley::rt
