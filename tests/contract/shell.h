#pragma once
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace parley::contract {

struct Ran {
    int status = -1;  ///< -1: it did not end by itself
    std::string out;
};

/// Runs a command line to its end.
inline Ran shell(const std::string& command) {
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return {};
    std::string out;
    std::array<char, 4096> part{};
    while (const auto size = std::fread(part.data(), 1, part.size(), pipe)) out.append(part.data(), size);
    const int status = ::pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, out};
}

inline std::string last_line(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    const auto before = text.rfind('\n');
    return before == std::string::npos ? text : text.substr(before + 1);
}

}  // namespace parley::contract
