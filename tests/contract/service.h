#pragma once
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/temp_dir.h"

namespace parley::contract {

/// A real server for the tests of one program, by the script of tools/services/: started with the first test, ended
/// with the program, however that ends. Where it cannot be had every test is skipped with the reason.
///
/// Thread: the main one. Owns the server and its data. Registered with testing::AddGlobalTestEnvironment().
class Service final : public testing::Environment {
public:
    explicit Service(std::string name) : name_(std::move(name)) {}

    [[nodiscard]] const std::string& url() const { return url_; }
    void start() {
        const auto [status, out] = run("start");
        if (status == 0) url_ = last_line(out);
        if (status == 3) GTEST_SKIP() << out;
        ASSERT_EQ(status, 0) << out;
    }
    void stop() { ASSERT_EQ(run("stop").status, 0); }
    /// The process of the server itself, for signals.
    [[nodiscard]] pid_t pid() const {
        pid_t pid = 0;
        if (std::FILE* file = std::fopen((dir_.path() + "/pid").c_str(), "r")) {
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
    struct Ran {
        int status;
        std::string out;
    };
    Ran run(const std::string& what) const {
        const std::string command = "SERVICE_OWNER=" + std::to_string(::getpid()) + " tools/services/" + name_ +
                                    ".sh " + what + " " + dir_.path() + " 2>&1";
        std::FILE* pipe = ::popen(command.c_str(), "r");
        std::string out;
        std::array<char, 4096> part{};
        while (const auto size = std::fread(part.data(), 1, part.size(), pipe)) out.append(part.data(), size);
        const int status = ::pclose(pipe);
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, out};
    }

    static std::string last_line(std::string text) {
        while (!text.empty() && text.back() == '\n') text.pop_back();
        const auto before = text.rfind('\n');
        return before == std::string::npos ? text : text.substr(before + 1);
    }

    const std::string name_;
    TempDir dir_;
    std::string url_;
};

}  // namespace parley::contract
