#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"
#include "rt/loop.h"

namespace parley::rt {

/// Where to listen: `127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:0` (any free port).
struct Endpoint {
    std::string host;
    std::uint16_t port = 0;

    /// Error: kBadRequest saying what is wrong with the text.
    static Result<Endpoint> parse(const std::string& text);
    [[nodiscard]] bool is_loopback() const;
    /// `127.0.0.1:8080`, as in a URL.
    [[nodiscard]] std::string text() const;
};

/// Binds the port once without SO_REUSEPORT, so that a port another process has is an error and not half the users,
/// and answers with the endpoint whose port is no longer 0. The descriptor of the probe is closed again.
[[nodiscard]] Result<Endpoint> claim(const Endpoint& endpoint);

/// One loop's own listening socket on a shared port (SO_REUSEPORT; the kernel spreads the connections).
/// Thread: core-local. Fails: out of descriptors stops accepting for a moment and goes on.
class Listener final : private Watcher {
public:
    using Accept = UniqueFunction<void(int fd)>;

    /// Error: the system's reason with the endpoint.
    static Result<std::unique_ptr<Listener>> open(Loop& loop, const Endpoint& endpoint, Accept accept);
    ~Listener() override;

private:
    Listener(Loop& loop, int fd, Accept accept);
    void on_events(std::uint32_t events) override;
    void accept_some();

    Loop& loop_;
    int fd_;
    Accept accept_;
    Timer retry_;
};

}  // namespace parley::rt
