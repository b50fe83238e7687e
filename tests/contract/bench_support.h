#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "base/temp_dir.h"
#include "shell.h"

namespace parley::contract {

/// A real server for a benchmark, by the script of tools/services/, for as long as this lives; service.h is for tests.
class BenchService {
public:
    explicit BenchService(std::string name) : name_(std::move(name)) {
        const auto [status, out] = run("start");
        if (status == 0) url_ = last_line(out);
    }
    ~BenchService() { (void)run("stop"); }
    BenchService(const BenchService&) = delete;
    BenchService& operator=(const BenchService&) = delete;

    /// Empty: it cannot be had.
    [[nodiscard]] const std::string& url() const { return url_; }

private:
    [[nodiscard]] Ran run(const std::string& what) const {
        return shell("tools/services/" + name_ + ".sh " + what + " " + dir_.path() + " 2>/dev/null");
    }

    const std::string name_;
    TempDir dir_;
    std::string url_;
};

inline double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

}  // namespace parley::contract
