#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// What /metrics shows. Parts take a Counter& or Histogram& at start and count on their hot path.
namespace parley::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::size_t kShards = 16;
/// This thread's shard: the first kShards threads that count have one each.
[[nodiscard]] std::size_t this_shard() noexcept;

/// A number that only rises. Thread: any; add() is one relaxed add on a cache line of the thread's own.
class Counter {
public:
    void add(std::uint64_t n = 1) noexcept { shards_[this_shard()].value.fetch_add(n, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const noexcept;

private:
    struct alignas(64) Shard {
        std::atomic<std::uint64_t> value{0};
    };
    std::array<Shard, kShards> shards_;
};

/// How often a value fell at or below each bound. Thread: any, as Counter.
class Histogram {
public:
    /// `bounds` rise; a bucket without bound follows them.
    explicit Histogram(std::vector<double> bounds);
    ~Histogram();
    Histogram(const Histogram&) = delete;
    Histogram& operator=(const Histogram&) = delete;
    void observe(double value) noexcept;

    struct Snapshot {
        std::vector<std::uint64_t> cumulative;  ///< per bound, then all
        double sum = 0;
    };
    [[nodiscard]] Snapshot snapshot() const;
    [[nodiscard]] const std::vector<double>& bounds() const noexcept { return bounds_; }

private:
    struct Shard;
    std::vector<double> bounds_;
    std::unique_ptr<Shard[]> shards_;
};

/// Seconds, from 50 µs to 10 s: for latencies.
[[nodiscard]] std::vector<double> latency_bounds();

class Registry;
/// Ends a gauge when it goes: hold it beside what the callback reads.
class GaugeHandle {
public:
    GaugeHandle() = default;
    GaugeHandle(GaugeHandle&& other) noexcept;
    GaugeHandle& operator=(GaugeHandle&& other) noexcept;
    ~GaugeHandle();

private:
    friend class Registry;
    GaugeHandle(Registry* registry, std::uint64_t id) noexcept : registry_(registry), id_(id) {}
    Registry* registry_ = nullptr;
    std::uint64_t id_ = 0;
};

/// Owns the metrics of one server; outlives whoever holds a reference or a handle.
/// Thread: any; making and rendering take a lock, counting does not.
/// Names: `parley_…`, counters end in `_total`. The same name and labels again is the same metric;
/// the same name as another kind aborts.
class Registry {
public:
    Registry();
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    Counter& counter(const std::string& name, const std::string& help, Labels labels = {});
    Histogram& histogram(const std::string& name, const std::string& help, std::vector<double> bounds,
                         Labels labels = {});
    /// `read` runs on the thread that renders, under the registry's lock: it may not make metrics.
    [[nodiscard]] GaugeHandle gauge(const std::string& name, const std::string& help, std::function<double()> read,
                                    Labels labels = {});

    /// The Prometheus text format, families by name.
    [[nodiscard]] std::string render() const;

private:
    friend class GaugeHandle;
    void remove_gauge(std::uint64_t id) noexcept;
    struct Family;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace parley::metrics
