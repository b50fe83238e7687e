#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::postgres {

/// Rows in the binary form that `COPY … FROM STDIN (FORMAT binary)` reads. Each field has its column's very type.
///
/// Thread: one at a time.
class CopyRows {
public:
    /// Rows of `fields` columns each.
    explicit CopyRows(std::uint16_t fields) : fields_(fields) {}

    CopyRows& row();
    CopyRows& smallint(std::uint16_t value);
    CopyRows& integer(std::uint32_t value);
    CopyRows& bigint(std::uint64_t value);
    CopyRows& text(std::string_view value);
    /// Nothing may be added after it.
    std::string finish() &&;

private:
    void add(std::uint64_t value, int bytes);

    const std::uint16_t fields_;
    std::string bytes_{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};  ///< signature, no flags, no extension
};

}  // namespace parley::postgres
