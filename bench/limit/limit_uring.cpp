#include <liburing.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fan_out.h"

namespace parley::limit {
namespace {

constexpr unsigned kEntries = 8192;

/// All sends of a wake-up in one submission: registered files, completions reaped without another system call.
class UringOutput final : public Output {
public:
    UringOutput() {
        // With DEFER_TASKRUN nothing but the submission itself runs completions; older kernels do without.
        io_uring_params params{};
        params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL;
        int problem = ::io_uring_queue_init_params(kEntries, &ring_, &params);
        if (problem == -EINVAL) {
            params = {};
            problem = ::io_uring_queue_init_params(kEntries, &ring_, &params);
        }
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        if (problem == 0) {
            problem = ::io_uring_register_files_sparse(&ring_, static_cast<unsigned>(limit.rlim_cur));
        }
        if (problem < 0) {
            std::fprintf(stderr, "io_uring: %s\n", std::strerror(-problem));
            std::exit(2);
        }
        ::io_uring_register_ring_fd(&ring_);
    }
    ~UringOutput() override { ::io_uring_queue_exit(&ring_); }
    UringOutput(const UringOutput&) = delete;
    UringOutput& operator=(const UringOutput&) = delete;

    void added(int fd) override { ::io_uring_register_files_update(&ring_, static_cast<unsigned>(fd), &fd, 1); }
    void removing(int fd) override {
        const int none = -1;
        ::io_uring_register_files_update(&ring_, static_cast<unsigned>(fd), &none, 1);
    }

    void queue(const std::vector<int>& fds, std::string_view bytes) override {
        for (const int fd : fds) {
            io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
            if (sqe == nullptr) {
                submit();
                sqe = ::io_uring_get_sqe(&ring_);
            }
            ::io_uring_prep_send(sqe, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            sqe->flags |= IOSQE_FIXED_FILE;
            // The size too, so that a completion is judged without looking anything up.
            sqe->user_data = static_cast<std::uint64_t>(bytes.size()) << 32 | static_cast<unsigned>(fd);
            ++queued_;
        }
    }

    void finish(std::vector<Short>& shorts) override {
        submit();
        shorts.swap(shorts_);
    }

private:
    void submit() {
        // Without room to wait for, each completes while it is submitted.
        ::io_uring_submit_and_wait(&ring_, queued_);
        unsigned head = 0;
        unsigned seen = 0;
        io_uring_cqe* cqe = nullptr;
        io_uring_for_each_cqe(&ring_, head, cqe) {
            ++seen;
            const auto size = static_cast<std::size_t>(cqe->user_data >> 32);
            if (cqe->res == static_cast<int>(size)) [[likely]]
                continue;
            const auto sent = static_cast<std::size_t>(cqe->res < 0 ? 0 : cqe->res);
            shorts_.push_back({static_cast<int>(cqe->user_data & 0xFFFF'FFFFU), size - sent});
        }
        ::io_uring_cq_advance(&ring_, seen);
        queued_ -= seen;
    }

    io_uring ring_{};
    unsigned queued_ = 0;
    std::vector<Short> shorts_;
};

}  // namespace

std::unique_ptr<Output> make_output() { return std::make_unique<UringOutput>(); }

}  // namespace parley::limit

int main(int argc, char** argv) { return parley::limit::serve(argc, argv); }
