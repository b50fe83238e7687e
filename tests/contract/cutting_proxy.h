#pragma once
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace parley::contract {

/// For tests: a way to a server that can be cut at one word. Forwards connections to `port` on loopback, each on a
/// thread of its own; once armed, the first data that holds the word ends its connection, before or after forwarding.
class CuttingProxy {
public:
    enum class From { kClient, kServer };

    explicit CuttingProxy(std::uint16_t port) : server_(port) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
        ::listen(listener_, 16);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread{[this] { accept_all(); }};
    }
    ~CuttingProxy() {
        ending_ = true;
        thread_.join();
        for (auto& pair : pairs_) pair.join();
        ::close(listener_);
    }
    CuttingProxy(const CuttingProxy&) = delete;
    CuttingProxy& operator=(const CuttingProxy&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// The data with the word is not forwarded.
    void cut_at(From from, std::string word) {
        from_ = from;
        word_ = std::move(word);
        armed_ = true;
    }
    [[nodiscard]] bool has_cut() const { return !armed_; }

private:
    static sockaddr_in loopback(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    static bool readable(int socket) {
        pollfd wanted{socket, POLLIN, 0};
        return ::poll(&wanted, 1, 20) > 0;
    }
    void accept_all() {
        while (!ending_) {
            if (!readable(listener_)) continue;
            const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            pairs_.emplace_back([this, client] { forward(client); });
        }
    }
    void forward(int client) {
        const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_in address = loopback(server_);
        bool open = ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        while (open && !ending_) {
            std::array<pollfd, 2> both{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
            if (::poll(both.data(), both.size(), 20) <= 0) continue;
            open = (both[0].revents == 0 || pass(client, server, From::kClient)) &&
                   (both[1].revents == 0 || pass(server, client, From::kServer));
        }
        ::close(server);
        ::close(client);
    }
    /// False: one of them has gone, or the word came.
    bool pass(int source, int sink, From from) {
        std::array<char, 65536> data{};
        const auto size = ::recv(source, data.data(), data.size(), 0);
        if (size <= 0) return false;
        const std::string_view text{data.data(), static_cast<std::size_t>(size)};
        if (armed_ && from == from_ && text.find(word_) != std::string_view::npos) {
            armed_ = false;
            return false;
        }
        return ::send(sink, data.data(), text.size(), MSG_NOSIGNAL) == size;
    }

    const std::uint16_t server_;
    std::uint16_t port_ = 0;
    int listener_ = -1;
    std::atomic<bool> ending_{false};
    std::atomic<bool> armed_{false};
    From from_ = From::kClient;
    std::string word_;
    std::vector<std::thread> pairs_;
    std::thread thread_;
};

}  // namespace parley::contract
