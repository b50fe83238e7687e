#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace parley::limit {

/// A connection. Its bytes that the socket had no room for wait in `late`.
struct Member {
    int fd = -1;
    std::uint32_t room = 0;
    std::string late;
};

/// How the bytes of one wake-up reach the members: the only thing in which the programs differ.
/// Thread: a worker's own.
class Output {
public:
    virtual ~Output() = default;
    virtual void added(int fd) = 0;
    virtual void removing(int fd) = 0;
    /// `bytes` to each of `fds`; they stay where they are until finish() returns.
    virtual void queue(const std::vector<int>& fds, std::string_view bytes) = 0;
    struct Short {
        int fd;
        std::size_t missing;  ///< of the end of its bytes
    };
    /// Everything queued has been handed to the kernel when this returns. `shorts`: who did not take all of it.
    virtual void finish(std::vector<Short>& shorts) = 0;
};
[[nodiscard]] std::unique_ptr<Output> make_output();

/// One thread's rooms: whatever a member sends goes, as it was read, to all members of its room; everything that one
/// wake-up gathered leaves in one send for each connection. No protocol and no checks.
/// Order: a room's bytes leave as they came; senders of one room must keep each frame in one segment.
class Worker {
public:
    Worker();
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// From the accepting thread: a connection that has named its room.
    void adopt(int fd, std::uint32_t room);
    [[noreturn]] void run();

private:
    struct Room {
        std::vector<int> fds;
        std::vector<char> gathered;
        std::size_t size = 0;  ///< of `gathered`
        bool dirty = false;
        int late = 0;  ///< members with bytes that wait
    };
    void take_new();
    void read(Member& member);
    void write_late(Member& member);
    void flush();
    void keep(Member& member, std::string_view bytes);
    void watch(int fd, std::uint32_t events, int operation) const;
    void remove(Member& member);

    const int epoll_;
    const int wake_;
    std::mutex mutex_;
    std::vector<Member> new_;
    std::vector<Member> members_;  ///< by descriptor
    std::unordered_map<std::uint32_t, Room> rooms_;
    std::vector<Room*> dirty_;
    std::unique_ptr<Output> output_;
};

/// `--listen HOST:PORT [--threads N]`: accepts, reads `room N\n`, gives the connection to the room's worker.
[[nodiscard]] int serve(int argc, char** argv);

}  // namespace parley::limit
