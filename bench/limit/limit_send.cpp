#include <sys/socket.h>

#include "fan_out.h"

namespace parley::limit {
namespace {

/// One send() for each connection.
class SendOutput final : public Output {
public:
    void added(int) override {}
    void removing(int) override {}
    void queue(const std::vector<int>& fds, std::string_view bytes) override {
        for (const int fd : fds) {
            const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent == static_cast<ssize_t>(bytes.size())) [[likely]]
                continue;
            shorts_.push_back({fd, bytes.size() - static_cast<std::size_t>(sent < 0 ? 0 : sent)});
        }
    }
    void finish(std::vector<Short>& shorts) override { shorts.swap(shorts_); }

private:
    std::vector<Short> shorts_;
};

}  // namespace

std::unique_ptr<Output> make_output() { return std::make_unique<SendOutput>(); }

}  // namespace parley::limit

int main(int argc, char** argv) { return parley::limit::serve(argc, argv); }
