#include "base/room_change.h"

#include <array>

#include "base/message.h"

namespace parley {
namespace {

constexpr std::array<std::string_view, 6> kNames{"INVITED", "JOINED", "LEFT", "KICKED", "MADE_PRIVATE", "MADE_PUBLIC"};
constexpr std::string_view kEvent = R"("event":")";
constexpr std::string_view kMember = R"(,"memberId":")";

/// Member ids are visible ASCII: only `"` and `\` were escaped.
std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        out += text[i];
    }
    return out;
}

}  // namespace

std::string to_extra(const RoomChange& change) {
    std::string out{kEvent};
    out += kNames[static_cast<std::size_t>(change.kind)];
    out += '"';
    if (!change.member.empty()) {
        out += R"(,"memberId":)";
        append_json_string(out, change.member.str());
    }
    return out;
}

std::optional<RoomChange> parse_room_change(std::string_view extra) {
    if (!extra.starts_with(kEvent)) return std::nullopt;
    extra.remove_prefix(kEvent.size());
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (!extra.starts_with(kNames[i]) || extra.substr(kNames[i].size(), 1) != "\"") continue;
        RoomChange change{static_cast<RoomChange::Kind>(i), {}};
        extra.remove_prefix(kNames[i].size() + 1);
        if (extra.starts_with(kMember) && extra.back() == '"') {
            extra.remove_prefix(kMember.size());
            extra.remove_suffix(1);
            change.member = MemberId::trusted(unescape(extra));
        }
        return change;
    }
    return std::nullopt;
}

}  // namespace parley
