#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "rt/loop.h"

namespace parley::rt {

/// Where to listen: `127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:0` (any free port), or the file of a Unix socket.
struct Endpoint {
    std::string host{};
    std::uint16_t port = 0;
    std::string path{};    ///< of a Unix socket; then there is neither host nor port
    unsigned mode = 0660;  ///< of that file

    /// `localhost` is 127.0.0.1. Error: kBadRequest where the host is no IP address.
    static Result<Endpoint> of(std::string host, std::uint16_t port);
    [[nodiscard]] bool is_unix() const noexcept { return !path.empty(); }
    /// An address that only this machine can connect to.
    [[nodiscard]] bool is_loopback() const;
    /// `127.0.0.1:8080`, as in a URL; `unix:/run/parley.sock`.
    [[nodiscard]] std::string text() const;
};

/// Binds the port once without SO_REUSEPORT, so that a port another process has is an error and not half the users,
/// and answers with the endpoint whose port is no longer 0. The descriptor of the probe is closed again. The file of a
/// Unix socket where nobody listens any more is removed.
[[nodiscard]] Result<Endpoint> claim(const Endpoint& endpoint);

/// Why this system does not let each loop have a listening socket of its own on one port; nothing where it does.
[[nodiscard]] std::optional<std::string> why_no_shared_port();

/// One loop's own listening socket on a shared port (SO_REUSEPORT; the kernel spreads the connections), or the only one
/// of a Unix socket, whose file goes with it.
///
/// Thread: core-local.
/// Order:  a few connections at a time, among the loop's other Newcomers; the rest waits in the kernel's queue.
/// Fails:  without a descriptor for the next one, it is told `busy` and closed, with a descriptor kept for that.
class Listener final : private Watcher {
public:
    using Accept = UniqueFunction<void(int fd)>;
    enum class Port : std::uint8_t { kShared, kAlone };

    /// `busy` is sent as it is. Error: the system's reason with the endpoint.
    static Result<std::unique_ptr<Listener>> open(Loop& loop, const Endpoint& endpoint, Accept accept,
                                                  std::string busy = {}, Port port = Port::kShared);
    ~Listener() override;

private:
    Listener(Loop& loop, int fd, std::string path, Accept accept, std::string busy);
    void on_events(std::uint32_t) override { ask(); }
    void on_welcome() override;
    void ask();
    void accept_some();
    [[nodiscard]] bool turn_away();

    Loop& loop_;
    int fd_;
    const std::string path_;  ///< of a Unix socket
    int spare_;               ///< to be closed when there is no other
    Accept accept_;
    const std::string busy_;
    Timer retry_;
    bool waits_ = false;  ///< for on_welcome()
};

/// The kernel ends a connection whose peer has acknowledged nothing for so long: its machine or its network has gone.
void give_up_after(int fd, milliseconds time) noexcept;

/// Tells the peer `answer` as far as that needs no waiting, and closes.
void turn_away(int fd, std::string_view answer) noexcept;

}  // namespace parley::rt
