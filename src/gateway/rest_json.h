#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "log/room_log.h"
#include "store/directory.h"

namespace parley::gateway {

/// Writes one flat JSON object, in the order of the calls. Texts are valid UTF-8.
class JsonObject {
public:
    JsonObject& text(std::string_view name, std::string_view value);
    JsonObject& number(std::string_view name, std::uint64_t value);
    JsonObject& flag(std::string_view name, bool value);
    /// `json` as it is.
    JsonObject& raw(std::string_view name, std::string_view json);
    [[nodiscard]] std::string str() const { return out_ + '}'; }

private:
    void key(std::string_view name);
    std::string out_ = "{";
};

[[nodiscard]] std::string_view name(store::RoomKind kind) noexcept;
[[nodiscard]] std::string_view name(store::Visibility visibility) noexcept;
[[nodiscard]] std::string_view name(store::Standing standing) noexcept;
/// `public` or `private`.
[[nodiscard]] std::optional<store::Visibility> parse_visibility(std::string_view text) noexcept;
/// A member or the owner: not who is only invited, and not who was kicked.
[[nodiscard]] bool belongs(const std::optional<store::Membership>& membership) noexcept;

/// A room as the asker sees it; `membership` is the asker's own.
[[nodiscard]] std::string room_json(const store::RoomInfo& room, const std::optional<store::Membership>& membership,
                                    const log::RoomHead& head);
[[nodiscard]] std::string member_json(const store::Membership& membership, bool present);
/// Somebody present who has no standing: public rooms need none.
[[nodiscard]] std::string visitor_json(const MemberId& member, std::string_view nickname);

/// The refusal of a position that is not of this room's history, which says what is.
[[nodiscard]] std::string position_invalid_json(const log::RoomHead& head);

/// `{"resultCode":"200-1","statusCode":200,"msg":"…","data":…}`: what the existing web client reads.
[[nodiscard]] std::string envelope(int status, std::string_view message, std::string_view data);
/// The same for a refusal, with our code beside it.
[[nodiscard]] std::string refusal_envelope(int status, Code code, std::string_view message);

/// A name that people see: at most 64 characters, none of them invisible, no white space at its ends.
/// Error kInvalidPayload, calling it `what`.
[[nodiscard]] Result<std::string> visible_name(std::string_view text, std::string_view what);

}  // namespace parley::gateway
