#include "base/ids.h"

#include <algorithm>

namespace parley {
namespace {

bool is_visible_ascii(char c) noexcept { return c > ' ' && c < '\x7f'; }

bool is_room_char(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
}

const char* visible_id_problem(std::string_view text, const char* length, const char* chars, const char* own) noexcept {
    if (text.empty() || text.size() > 64) return length;
    if (!std::all_of(text.begin(), text.end(), is_visible_ascii)) return chars;
    if (text.front() == '~') return own;
    return nullptr;
}

}  // namespace

const char* RoomTag::problem(std::string_view text) noexcept {
    if (text.empty() || text.size() > 120) return "roomId must have 1 to 120 characters";
    if (text.front() == '~') return "a roomId that begins with ~ is the server's own";
    if (!std::all_of(text.begin(), text.end(), is_room_char)) return "roomId may hold A-Z a-z 0-9 _ . - only";
    return nullptr;
}

const char* MemberTag::problem(std::string_view text) noexcept {
    return visible_id_problem(text, "memberId must have 1 to 64 characters", "memberId may hold visible ASCII only",
                              "a memberId that begins with ~ is the server's own");
}

const char* MessageTag::problem(std::string_view text) noexcept {
    return visible_id_problem(text, "messageId must have 1 to 64 characters", "messageId may hold visible ASCII only",
                              "a messageId that begins with ~ is the server's own");
}

}  // namespace parley
