#include "adapters/postgres/copy_rows.h"

#include <utility>

namespace parley::postgres {

void CopyRows::add(std::uint64_t value, int bytes) {
    while (bytes-- > 0) bytes_ += static_cast<char>(value >> (8 * bytes) & 0xff);
}

CopyRows& CopyRows::row() {
    add(fields_, 2);
    return *this;
}

CopyRows& CopyRows::smallint(std::uint16_t value) {
    add(2, 4);
    add(value, 2);
    return *this;
}

CopyRows& CopyRows::integer(std::uint32_t value) {
    add(4, 4);
    add(value, 4);
    return *this;
}

CopyRows& CopyRows::bigint(std::uint64_t value) {
    add(8, 4);
    add(value, 8);
    return *this;
}

CopyRows& CopyRows::text(std::string_view value) {
    add(value.size(), 4);
    bytes_ += value;
    return *this;
}

std::string CopyRows::finish() && {
    add(0xffff, 2);
    return std::move(bytes_);
}

}  // namespace parley::postgres
