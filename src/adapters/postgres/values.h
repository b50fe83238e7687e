#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

struct pg_result;

namespace parley::postgres {

/// The values of one statement in PostgreSQL's binary form. An array is one value: `unnest($1)`.
class Params {
public:
    Params& text(std::string_view value);
    /// Clamped to what PostgreSQL's bigint holds.
    Params& number(std::uint64_t value);
    Params& time(WallTime value);
    /// `get(item)` gives the text, or the number, of each item.
    template <class Items, class Get>
    Params& texts(const Items& items, Get get) {
        begin_array(kTextArray, kText, items.size());
        for (const auto& item : items) add_text(std::string_view{get(item)});
        return *this;
    }
    template <class Items, class Get>
    Params& numbers(const Items& items, Get get) {
        begin_array(kNumberArray, kNumber, items.size());
        for (const auto& item : items) add_element(big_endian(static_cast<std::int64_t>(get(item))));
        return *this;
    }

    /// A text among them holds U+0000, which no column can.
    [[nodiscard]] bool holds_nul() const { return holds_nul_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] std::uint32_t type(std::size_t i) const { return types_[i]; }
    [[nodiscard]] const std::string& bytes(std::size_t i) const { return bytes_[i]; }

private:
    // Type numbers of pg_type, fixed for ever.
    static constexpr std::uint32_t kNumber = 20, kText = 25, kTextArray = 1009, kNumberArray = 1016;
    static std::string big_endian(std::int64_t value);
    void begin_array(std::uint32_t type, std::uint32_t element, std::size_t size);
    void add_element(std::string_view bytes);
    void add_text(std::string_view text);

    std::vector<std::uint32_t> types_;
    std::vector<std::string> bytes_;
    bool holds_nul_ = false;
};

/// What a statement answered, in binary form: columns are text, bool or whole numbers. Positions must exist.
class Rows {
public:
    explicit Rows(pg_result* result) : result_(result) {}
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const { return size() == 0; }
    /// Rows that an INSERT, UPDATE or DELETE changed.
    [[nodiscard]] std::size_t changed() const;
    [[nodiscard]] bool is_null(std::size_t row, int column) const;
    [[nodiscard]] std::string text(std::size_t row, int column) const;
    [[nodiscard]] std::uint64_t number(std::size_t row, int column) const;
    [[nodiscard]] bool flag(std::size_t row, int column) const;
    [[nodiscard]] WallTime time(std::size_t row, int column) const;

private:
    struct Clear {
        void operator()(pg_result* result) const noexcept;
    };
    std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace parley::postgres
