#include <benchmark/benchmark.h>

#include "base/metrics.h"

namespace {

void counter_add(benchmark::State& state) {
    static parley::metrics::Counter counter;
    for (auto _ : state) counter.add();
}
BENCHMARK(counter_add)->Threads(1)->Threads(2);

void histogram_observe(benchmark::State& state) {
    static parley::metrics::Histogram histogram{parley::metrics::latency_bounds()};
    for (auto _ : state) histogram.observe(0.0012);
}
BENCHMARK(histogram_observe)->Threads(1)->Threads(2);

}  // namespace
