#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "../tests/contract/bench_support.h"
#include "adapters/redis/redis_carrier.h"
#include "bus/fleet_bus.h"

namespace parley::redis {
namespace {

const SystemClock kClock;
constexpr int kMessages = 100'000;
constexpr int kInFlight = 5'000;
constexpr int kRounds = 5;

/// A server of the fleet with one core, which counts what it hears.
class Node final : public bus::Bus::Listener {
public:
    Node(const Settings& settings, bool mirror) : runtime_(1, kClock) {
        runtime_.for_each([this](rt::Loop& loop) { local_.attach(loop, *this); });
        auto carrier = std::make_unique<RedisCarrier>(*Client::open(settings, kClock), "bench");
        fleet_ = std::make_unique<bus::FleetBus>(local_, std::move(carrier), bus::FrameCodec{{"key"}}, kClock, metrics_,
                                                 bus::FleetBus::Options{.mirror = mirror});
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return is_linked_; });
    }
    ~Node() override {
        fleet_.reset();
        runtime_.for_each([this](rt::Loop& loop) { local_.detach(loop); });
    }
    bus::Bus& bus() { return *fleet_; }
    void wait_for(int heard) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return heard_ >= heard; });
    }

private:
    void on_messages(const bus::MessageBatch& batch) override {
        const std::lock_guard lock{mutex_};
        heard_ += static_cast<int>(batch->size());
        changed_.notify_all();
    }
    void on_room_event(const bus::RoomEvent&) override {}
    void on_notice(const bus::Notice&) override {}
    void on_missed() override {
        const std::lock_guard lock{mutex_};
        is_linked_ = true;
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    int heard_ = 0;
    bool is_linked_ = false;
    metrics::Registry metrics_;
    rt::Runtime runtime_;
    bus::InprocBus local_{runtime_};
    std::unique_ptr<bus::FleetBus> fleet_;
};

std::vector<MessageRef> make_batch(int size) {
    std::vector<MessageRef> out;
    for (int i = 0; i < size; ++i) {
        auto message = std::make_shared<Message>();
        message->room = RoomId::trusted("r-42");
        message->seq = {static_cast<std::uint64_t>(i)};
        message->id = MessageId::trusted("018f3b5e-7e1a-7cc3-9a53-0123456789ab");
        message->sender = MemberId::trusted("u-1234567890");
        message->nickname = "앨리스";
        message->content.assign(100, 'x');
        out.push_back(std::move(message));
    }
    return out;
}

/// Messages a second from announce() at one server to the cores of another.
double announced(const Settings& settings, int batch_size, bool mirror) {
    Node here{settings, mirror};
    Node there{settings, mirror};
    const auto batch = make_batch(batch_size);
    const auto begun = kClock.steady();
    for (int sent = 0; sent < kMessages; sent += batch_size) {
        here.bus().announce(batch);
        if (sent >= kInFlight) there.wait_for(sent - kInFlight);
    }
    there.wait_for(kMessages);
    return kMessages / std::chrono::duration<double>(kClock.steady() - begun).count();
}

/// Takes what is published and throws it away, as fast as a socket gives it.
class BareSubscriber {
public:
    BareSubscriber(const Settings& settings, const std::string& channel) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(settings.port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const std::string command = "SUBSCRIBE " + channel + "\r\n";
        char answer = 0;
        is_ready_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                    ::send(socket_, command.data(), command.size(), 0) > 0 && ::recv(socket_, &answer, 1, 0) == 1;
        thread_ = std::thread{[this] {
            std::vector<char> buffer(64 * 1024);
            while (::recv(socket_, buffer.data(), buffer.size(), 0) > 0) {
            }
        }};
    }
    ~BareSubscriber() {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
    }
    [[nodiscard]] bool is_ready() const { return is_ready_; }

private:
    const int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_ready_ = false;
    std::thread thread_;
};

/// PUBLISH a second by redis-benchmark, as many bytes as a frame of one message has, many under way on one connection,
/// to as many subscribers as there are servers.
double published(const Settings& settings) {
    const BareSubscriber one{settings, "bench.yardstick"};
    const BareSubscriber other{settings, "bench.yardstick"};
    if (!one.is_ready() || !other.is_ready()) return 0;
    const auto frame = bus::FrameCodec{{"key"}}.encode({}, make_batch(1)).size();
    const std::string out =
        contract::shell(
            fmt::format("redis-benchmark -h {} -p {} -c 1 -P 64 -n {} --csv PUBLISH bench.yardstick {} | tail -n 1",
                        settings.host, settings.port, kMessages, std::string(frame, 'x')))
            .out;
    const auto rate = out.find("\",\"");
    return rate == std::string::npos ? 0 : std::stod(out.substr(rate + 3));
}

/// In turns with redis-benchmark; the argument is how many messages a commit announces at once.
void BM_AnnounceBesidePublish(benchmark::State& state) {
    const contract::BenchService server{"redis"};
    const auto settings = parse_url(server.url());
    if (!settings) {
        state.SkipWithError("skipped: Redis cannot be had (tools/setup.sh test)");
        return;
    }
    const auto batch = static_cast<int>(state.range(0));
    const bool mirror = state.range(1) != 0;
    for (auto _ : state) {
        std::vector<double> ours;
        std::vector<double> theirs;
        std::vector<double> ratios;
        for (int round = 0; round < kRounds; ++round) {
            theirs.push_back(published(*settings));
            ours.push_back(announced(*settings, batch, mirror));
            ratios.push_back(ours.back() / theirs.back());
        }
        state.counters["messages_s"] = contract::median(ours);
        state.counters["redis_benchmark_s"] = contract::median(theirs);
        state.counters["ratio"] = contract::median(ratios);
    }
}
BENCHMARK(BM_AnnounceBesidePublish)
    ->ArgNames({"batch", "mirror"})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Args({20, 0})
    ->Args({20, 1})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace parley::redis
