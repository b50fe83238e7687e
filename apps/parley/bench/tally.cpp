#include "bench/tally.h"

namespace parley::bench {

void Tally::problem(std::string line) {
    constexpr std::size_t kShown = 5;
    if (problems.size() < kShown) problems.push_back(std::move(line));
}

}  // namespace parley::bench
