// A whole loop over a kernel of make-believe: the input says what arrives, what sockets take, when they break, and what
// the program sends meanwhile. Whatever happens, each socket gets a prefix of what was sent to it and, once it takes
// everything, all of it; each handler hears a prefix of what arrived, and of its end once.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "rt/connection.h"
#include "rt/fake_kernel.h"
#include "rt/loop.h"

namespace {

using namespace parley;
using namespace parley::rt;

void require(bool holds) {
    if (!holds) std::abort();
}

struct Peer {
    int fd = -1;
    Connection* connection = nullptr;  ///< null once closed
    std::string arrived;
    std::string heard;
    std::string sent;  ///< by the program, while the connection was open
    bool echoes = false;
    bool paused = false;
    bool finished = false;
    bool aborted = false;
};

struct Ear final : Connection::Handler {
    Peer& peer;
    explicit Ear(Peer& to) : peer(to) {}
    std::size_t on_data(Connection& connection, std::span<char> bytes) override {
        require(peer.connection == &connection);
        require(!peer.paused);
        // Half of it now and the rest with what follows, as a decoder that waits for the end of a frame.
        const std::size_t used = bytes.size() > 64 ? bytes.size() / 2 : bytes.size();
        peer.heard.append(bytes.data(), used);
        if (peer.echoes && !connection.is_closing()) {
            connection.send_copy({bytes.data(), used});
            peer.sent.append(bytes.data(), used);
        }
        return used;
    }
    void on_closed(Connection& connection) override {
        require(peer.connection == &connection);
        peer.connection = nullptr;
    }
};

class Machine {
public:
    Machine() {
        auto kernel = std::make_unique<rt::testing::FakeKernel>();
        kernel_ = kernel.get();
        loop_ = std::make_unique<Loop>(0, clock_, std::move(kernel));
        set_ = std::make_unique<ConnectionSet>(
            *loop_, ConnectionSet::Limits{.send_buffer = Bytes{4096}, .discard = Bytes{8192}});
    }

    void run(const std::uint8_t* data, std::size_t size) {
        for (std::size_t i = 0; i + 2 < size; i += 3) step(data[i], data[i + 1], data[i + 2]);
        settle();
    }

private:
    static constexpr std::size_t kPeers = 6;

    void step(unsigned what, unsigned who, unsigned amount) {
        const std::size_t count = 1 + amount * (what >> 4);
        if (peers_.size() < kPeers && who % 16 == 15) open(amount);
        if (peers_.empty()) open(amount);
        Peer& peer = *peers_[who % peers_.size()];
        switch (what % 14) {
            case 0: arrive(peer, count); break;
            case 1: kernel_->take(peer.fd, count); break;
            case 2: kernel_->socket(peer.fd).room = amount; break;
            case 3: kernel_->reset(peer.fd); break;
            case 4: kernel_->end_input(peer.fd); break;
            case 5: send(peer, count); break;
            case 6: publish(count); break;
            case 7: pause(peer, amount % 2 == 0); break;
            case 8:
                if (peer.connection != nullptr) peer.connection->finish();
                peer.finished = true;
                break;
            case 9:
                if (peer.connection != nullptr && amount < 64) {
                    peer.connection->abort();
                    peer.aborted = true;
                }
                break;
            case 10: loop_->post([this, &peer, count] { send(peer, count); }); break;
            case 11: loop_->post([this, &peer] { move(peer); }); break;
            case 12: clock_.advance(milliseconds{amount * 100}); [[fallthrough]];
            default: turn();
        }
    }

    void open(unsigned amount) {
        peers_.push_back(std::make_unique<Peer>());
        Peer& peer = *peers_.back();
        peer.fd = kernel_->open();
        peer.echoes = amount % 3 == 0;
        peer.connection = &set_->open(peer.fd, std::make_unique<Ear>(peer));
    }

    void arrive(Peer& peer, std::size_t count) {
        if (kernel_->socket(peer.fd).input_ended) return;
        const std::string bytes = some(count);
        kernel_->arrive(peer.fd, bytes);
        peer.arrived += bytes;
    }

    void send(Peer& peer, std::size_t count) {
        if (peer.connection == nullptr || peer.connection->is_closing()) return;
        const std::string bytes = some(count);
        peer.connection->send_copy(bytes);
        peer.sent += bytes;
    }

    /// One chunk for everybody, as a room's message is.
    void publish(std::size_t count) {
        const std::string bytes = some(count);
        const Slice slice = Slice::whole(ChunkRef::copy_of(bytes));
        for (auto& peer : peers_) {
            if (peer->connection == nullptr || !peer->connection->can_take()) continue;
            peer->connection->send(slice);
            peer->sent += bytes;
        }
    }

    /// As a connection goes to another loop.
    void move(Peer& peer) {
        if (peer.connection == nullptr || peer.connection->is_closing()) return;
        auto detached = peer.connection->detach();
        peer.paused = false;
        peer.connection = &set_->open(std::move(detached), std::make_unique<Ear>(peer));
    }

    static void pause(Peer& peer, bool pauses) {
        if (peer.connection == nullptr) return;
        peer.paused = pauses;
        if (pauses) {
            peer.connection->pause_reading();
        } else {
            peer.connection->resume_reading();
        }
    }

    std::string some(std::size_t count) {
        std::string out(count, '\0');
        for (char& c : out) c = static_cast<char>(next_++);
        return out;
    }

    void turn() {
        loop_->run_once();
        std::size_t queued = 0;
        for (auto& peer : peers_) {
            const auto& socket = kernel_->socket(peer->fd);
            require(peer->sent.starts_with(socket.taken));
            require(peer->arrived.starts_with(peer->heard));
            require(socket.closed == (peer->connection == nullptr));
            if (peer->connection == nullptr) continue;
            queued += peer->connection->queued();
            require(socket.taken.size() + peer->connection->queued() == peer->sent.size());
        }
        require(set_->queued_bytes() == queued);
    }

    /// Every socket takes everything from now on: nothing may be left over.
    void settle() {
        for (auto& peer : peers_) {
            if (peer->connection != nullptr) pause(*peer, false);
            kernel_->socket(peer->fd).room = 0;
            kernel_->take(peer->fd, SIZE_MAX);
        }
        for (int i = 0; i < 64; ++i) turn();
        for (auto& peer : peers_) {
            const auto& socket = kernel_->socket(peer->fd);
            if (socket.broken != 0 || peer->aborted || peer->connection == nullptr) continue;
            require(peer->connection->queued() == 0);
            if (peer->finished) require(socket.output_ended);
            if (!peer->finished && peer->arrived.size() - peer->heard.size() > 64) std::abort();
        }
    }

    ManualClock clock_;
    rt::testing::FakeKernel* kernel_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::unique_ptr<Loop> loop_;
    std::unique_ptr<ConnectionSet> set_;
    unsigned char next_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 3 * 2048) return 0;
    Machine{}.run(data, size);
    return 0;
}
