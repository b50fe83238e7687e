#include "adapters/postgres/values.h"

#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace parley::postgres {
namespace {

std::string int32(std::uint32_t value) {
    std::string out(4, '\0');
    for (int i = 0; i < 4; ++i) out[static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * (3 - i)) & 0xff);
    return out;
}

int at(std::size_t row) { return static_cast<int>(row); }

}  // namespace

std::string Params::big_endian(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    return int32(static_cast<std::uint32_t>(bits >> 32)) + int32(static_cast<std::uint32_t>(bits));
}

Params& Params::text(std::string_view value) {
    types_.push_back(kText);
    bytes_.emplace_back(value);
    holds_nul_ = holds_nul_ || value.find('\0') != std::string_view::npos;
    return *this;
}

Params& Params::number(std::uint64_t value) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    types_.push_back(kNumber);
    bytes_.push_back(big_endian(static_cast<std::int64_t>(std::min(value, kMost))));
    return *this;
}

Params& Params::time(WallTime value) {
    types_.push_back(kNumber);
    bytes_.push_back(big_endian(value.time_since_epoch().count()));
    return *this;
}

void Params::begin_array(std::uint32_t type, std::uint32_t element, std::size_t size) {
    types_.push_back(type);
    // Dimensions, "may hold NULL", element type; then the one dimension: its length and first index.
    auto& bytes = bytes_.emplace_back(int32(size == 0 ? 0 : 1) + int32(0) + int32(element));
    if (size != 0) bytes += int32(static_cast<std::uint32_t>(size)) + int32(1);
}

void Params::add_element(std::string_view bytes) {
    bytes_.back() += int32(static_cast<std::uint32_t>(bytes.size()));
    bytes_.back() += bytes;
}

void Params::add_text(std::string_view text) {
    holds_nul_ = holds_nul_ || text.find('\0') != std::string_view::npos;
    add_element(text);
}

void Rows::Clear::operator()(pg_result* result) const noexcept { PQclear(result); }

std::size_t Rows::size() const { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::size_t Rows::changed() const { return std::strtoull(PQcmdTuples(result_.get()), nullptr, 10); }

bool Rows::is_null(std::size_t row, int column) const { return PQgetisnull(result_.get(), at(row), column) != 0; }

std::string Rows::text(std::size_t row, int column) const {
    return {PQgetvalue(result_.get(), at(row), column),
            static_cast<std::size_t>(PQgetlength(result_.get(), at(row), column))};
}

std::uint64_t Rows::number(std::size_t row, int column) const {
    const std::string bytes = text(row, column);
    // Sign-extended: a time before 1970 is a negative number.
    std::uint64_t value = !bytes.empty() && (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

bool Rows::flag(std::size_t row, int column) const { return number(row, column) != 0; }

WallTime Rows::time(std::size_t row, int column) const {
    return WallTime{milliseconds{static_cast<std::int64_t>(number(row, column))}};
}

}  // namespace parley::postgres
