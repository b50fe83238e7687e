#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace parley::redis {

/// One answer of the server.
struct Reply {
    enum class Kind : std::uint8_t { kNil, kText, kInteger, kArray, kError };
    Kind kind = Kind::kNil;
    std::string text{};  ///< of kText and kError
    std::int64_t integer = 0;
    std::vector<Reply> items{};
};

/// The bytes of a command.
[[nodiscard]] std::string encode(std::span<const std::string_view> words);

/// Bytes to replies (RESP2), by hiredis's reader.
/// Fails: kStoreUnavailable once the bytes are not RESP; nothing comes after it.
class ReplyReader {
public:
    ReplyReader();
    ~ReplyReader();
    ReplyReader(const ReplyReader&) = delete;
    ReplyReader& operator=(const ReplyReader&) = delete;

    void feed(std::string_view bytes);
    /// Nothing: the next one is not there as a whole.
    [[nodiscard]] Result<std::optional<Reply>> next();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace parley::redis
