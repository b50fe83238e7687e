#pragma once
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/temp_dir.h"
#include "shell.h"

namespace parley::contract {

/// A real server for the tests of one program, by the script of tools/services/: started with the first test, ended
/// with the program, however that ends. Where it cannot be had every test is skipped with the reason.
///
/// Thread: the main one. Owns the server and its data. Registered with testing::AddGlobalTestEnvironment().
class Service final : public testing::Environment {
public:
    /// `environment`: what the script is told, such as `NODES=3`.
    explicit Service(std::string name, std::string environment = {})
        : name_(std::move(name)), environment_(std::move(environment)) {}

    [[nodiscard]] const std::string& url() const { return url_; }
    void start() {
        const auto [status, out] = run("start");
        if (status == 0) url_ = last_line(out);
        if (status == 3) GTEST_SKIP() << out;
        ASSERT_EQ(status, 0) << out;
    }
    void stop() { ASSERT_EQ(run("stop").status, 0); }
    /// A file in the service's directory.
    [[nodiscard]] std::string path(const std::string& file) const { return dir_.path() + "/" + file; }
    /// Another command of the script: `stop-node`, with what it needs.
    void command(const std::string& what, const std::string& more) { ASSERT_EQ(run(what, more).status, 0); }
    /// The process of the server itself, for signals; of one node of a cluster in `node1/pid`.
    [[nodiscard]] pid_t pid(const std::string& in = "pid") const {
        pid_t pid = 0;
        if (std::FILE* file = std::fopen((dir_.path() + "/" + in).c_str(), "r")) {
            if (std::fscanf(file, "%d", &pid) != 1) pid = 0;
            std::fclose(file);
        }
        return pid;
    }

    void SetUp() override { start(); }
    void TearDown() override {
        if (!url_.empty()) stop();
    }

private:
    Ran run(const std::string& what, const std::string& more = {}) const {
        return shell(environment_ + " SERVICE_OWNER=" + std::to_string(::getpid()) + " tools/services/" + name_ +
                     ".sh " + what + " " + dir_.path() + " " + more + " 2>&1");
    }

    const std::string name_;
    const std::string environment_;
    TempDir dir_;
    std::string url_;
};

}  // namespace parley::contract
