#include "base/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <sstream>

namespace parley::metrics {

std::size_t this_shard() noexcept {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t shard = next.fetch_add(1, std::memory_order_relaxed) % kShards;
    return shard;
}

std::uint64_t Counter::value() const noexcept {
    std::uint64_t sum = 0;
    for (const Shard& shard : shards_) sum += shard.value.load(std::memory_order_relaxed);
    return sum;
}

struct alignas(64) Histogram::Shard {
    std::unique_ptr<std::atomic<std::uint64_t>[]> counts;
    std::atomic<double> sum{0};
};

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), shards_(new Shard[kShards]) {
    for (std::size_t i = 0; i < kShards; ++i) {
        shards_[i].counts = std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1);
    }
}
Histogram::~Histogram() = default;

void Histogram::observe(double value) noexcept {
    Shard& shard = shards_[this_shard()];
    const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    shard.counts[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
    shard.sum.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
    Snapshot out{std::vector<std::uint64_t>(bounds_.size() + 1), 0};
    for (std::size_t s = 0; s < kShards; ++s) {
        for (std::size_t i = 0; i <= bounds_.size(); ++i)
            out.cumulative[i] += shards_[s].counts[i].load(std::memory_order_relaxed);
        out.sum += shards_[s].sum.load(std::memory_order_relaxed);
    }
    for (std::size_t i = 1; i < out.cumulative.size(); ++i) out.cumulative[i] += out.cumulative[i - 1];
    return out;
}

std::vector<double> latency_bounds() {
    return {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

GaugeHandle::GaugeHandle(GaugeHandle&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), id_(other.id_) {}
GaugeHandle& GaugeHandle::operator=(GaugeHandle&& other) noexcept {
    std::swap(registry_, other.registry_);
    std::swap(id_, other.id_);
    return *this;
}
GaugeHandle::~GaugeHandle() {
    if (registry_ != nullptr) registry_->remove_gauge(id_);
}

struct Registry::Family {
    struct Gauge {
        std::uint64_t id;
        std::function<double()> read;
    };
    prometheus::MetricType type;
    std::string help;
    // Ordered by labels; metrics never move, so references to them stay good.
    std::map<Labels, std::unique_ptr<Counter>> counters;
    std::map<Labels, std::unique_ptr<Histogram>> histograms;
    std::map<Labels, Gauge> gauges;
};

struct Registry::Impl {
    mutable std::mutex mutex;
    std::map<std::string, Family> families;
    std::uint64_t last_gauge = 0;

    Family& family(const std::string& name, const std::string& help, prometheus::MetricType type) {
        auto& found = families.try_emplace(name, Family{type, help, {}, {}, {}}).first->second;
        if (found.type != type) {
            std::fprintf(stderr, "metric %s is made as two kinds\n", name.c_str());
            std::abort();
        }
        return found;
    }
};

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(const std::string& name, const std::string& help, Labels labels) {
    const std::lock_guard lock{impl_->mutex};
    auto& slot = impl_->family(name, help, prometheus::MetricType::Counter).counters[std::move(labels)];
    if (!slot) slot = std::make_unique<Counter>();
    return *slot;
}

Histogram& Registry::histogram(const std::string& name, const std::string& help, std::vector<double> bounds,
                               Labels labels) {
    const std::lock_guard lock{impl_->mutex};
    auto& slot = impl_->family(name, help, prometheus::MetricType::Histogram).histograms[std::move(labels)];
    if (!slot) slot = std::make_unique<Histogram>(std::move(bounds));
    return *slot;
}

GaugeHandle Registry::gauge(const std::string& name, const std::string& help, std::function<double()> read,
                            Labels labels) {
    const std::lock_guard lock{impl_->mutex};
    const std::uint64_t id = ++impl_->last_gauge;
    auto& gauges = impl_->family(name, help, prometheus::MetricType::Gauge).gauges;
    gauges.insert_or_assign(std::move(labels), Family::Gauge{id, std::move(read)});
    return {this, id};
}

void Registry::remove_gauge(std::uint64_t id) noexcept {
    const std::lock_guard lock{impl_->mutex};
    for (auto& [name, family] : impl_->families) {
        std::erase_if(family.gauges, [id](const auto& entry) { return entry.second.id == id; });
    }
}

namespace {

prometheus::ClientMetric labelled(const Labels& labels) {
    prometheus::ClientMetric out;
    for (const auto& [key, value] : labels) out.label.push_back({key, value});
    return out;
}

prometheus::ClientMetric sample(const Labels& labels, const Histogram& histogram) {
    auto out = labelled(labels);
    const auto now = histogram.snapshot();
    for (std::size_t i = 0; i < histogram.bounds().size(); ++i) {
        out.histogram.bucket.push_back({now.cumulative[i], histogram.bounds()[i]});
    }
    out.histogram.sample_count = now.cumulative.back();
    out.histogram.sample_sum = now.sum;
    return out;
}

}  // namespace

std::string Registry::render() const {
    std::vector<prometheus::MetricFamily> families;
    {
        const std::lock_guard lock{impl_->mutex};
        for (const auto& [name, family] : impl_->families) {
            prometheus::MetricFamily out{name, family.help, family.type, {}};
            for (const auto& [labels, counter] : family.counters) {
                out.metric.push_back(labelled(labels));
                out.metric.back().counter.value = static_cast<double>(counter->value());
            }
            for (const auto& [labels, histogram] : family.histograms) out.metric.push_back(sample(labels, *histogram));
            for (const auto& [labels, gauge] : family.gauges) {
                out.metric.push_back(labelled(labels));
                out.metric.back().gauge.value = gauge.read();
            }
            if (!out.metric.empty()) families.push_back(std::move(out));
        }
    }
    std::ostringstream text;
    prometheus::TextSerializer{}.Serialize(text, families);
    return std::move(text).str();
}

}  // namespace parley::metrics
