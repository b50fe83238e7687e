#pragma once
#include <fmt/format.h>

#include <string>
#include <vector>

#include "bench/dialect.h"

namespace parley::bench {

/// What a conversation said, as words.
class Heard final : public Events {
public:
    void on_live() override { said.emplace_back("live"); }
    void on_delivery(std::uint64_t seq, const Stamp& stamp) override {
        said.push_back(fmt::format("seq {} is {} of {}", seq, stamp.counter, stamp.sender));
    }
    void on_event(std::uint32_t sender) override { said.push_back(fmt::format("event of {}", sender)); }
    void on_other(std::uint64_t seq) override { said.push_back(fmt::format("other {}", seq)); }
    void on_start(std::uint64_t seq) override { said.push_back(fmt::format("start {}", seq)); }
    void on_unreadable(std::string_view) override { said.emplace_back("unreadable"); }
    void on_receipt(std::uint32_t counter, std::uint64_t seq) override {
        said.push_back(fmt::format("receipt {} seq {}", counter, seq));
    }
    void on_refusal(std::uint32_t counter, std::string_view) override {
        said.push_back(fmt::format("refused {}", counter));
    }
    void on_resync() override { said.emplace_back("resync"); }
    void on_end(End end, std::string_view why) override {
        said.push_back(fmt::format("end {} {}", static_cast<int>(end), why));
    }
    std::vector<std::string> said;
};

/// Gives a conversation the server's bytes, in pieces of `piece`.
inline void hear(Conversation& talk, std::string_view bytes, std::string& out, Heard& heard,
                 std::size_t piece = std::string_view::npos) {
    std::string pending;
    while (!bytes.empty()) {
        const std::string_view part = bytes.substr(0, piece);
        bytes.remove_prefix(part.size());
        pending += part;
        pending.erase(0, talk.take(pending, out, heard));
    }
}

}  // namespace parley::bench
