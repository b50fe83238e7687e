#include "worker/mentions.h"

#include <algorithm>

namespace parley::worker {
namespace {

constexpr std::size_t kMost = 50;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_word(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_'; }

bool begins_with(std::string_view text, std::string_view name) {
    if (name.empty() || text.size() < name.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (lower(text[i]) != lower(name[i])) return false;
    }
    return text.size() == name.size() || !is_word(name.back()) || !is_word(text[name.size()]);
}

}  // namespace

std::vector<MemberId> find_mentions(std::string_view content, const std::vector<Named>& people) {
    std::vector<bool> found(people.size());
    for (auto at = content.find('@'); at != std::string_view::npos; at = content.find('@', at + 1)) {
        if (at > 0 && is_word(content[at - 1])) continue;
        const std::string_view text = content.substr(at + 1);
        std::size_t longest = 0;
        for (const Named& named : people) {
            if (begins_with(text, named.nickname)) longest = std::max(longest, named.nickname.size());
        }
        for (std::size_t i = 0; longest != 0 && i < people.size(); ++i) {
            if (people[i].nickname.size() == longest && begins_with(text, people[i].nickname)) found[i] = true;
        }
    }
    std::vector<MemberId> out;
    for (std::size_t i = 0; i < people.size() && out.size() < kMost; ++i) {
        if (found[i] && std::ranges::find(out, people[i].member) == out.end()) out.push_back(people[i].member);
    }
    return out;
}

}  // namespace parley::worker
