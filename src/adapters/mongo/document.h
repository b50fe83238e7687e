#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

struct _bson_t;

namespace parley::mongo {

/// A BSON document: commands, filters, what is stored and what is answered. Fields stand in the order they were added.
///
/// Reading a field that is not there, or is of another type, gives an empty value: what depends on it asks has().
class Document {
public:
    Document();
    ~Document();
    Document(const Document& other);
    Document& operator=(const Document& other);
    Document(Document&& other) noexcept;
    Document& operator=(Document&& other) noexcept;
    static Document copy_of(const _bson_t& bson);

    Document& text(const char* name, std::string_view value);
    /// Clamped to what an int64 holds.
    Document& number(const char* name, std::uint64_t value);
    Document& integer(const char* name, std::int32_t value);
    Document& flag(const char* name, bool value);
    Document& time(const char* name, WallTime value);
    Document& document(const char* name, const Document& value);
    Document& texts(const char* name, const std::vector<std::string>& values);
    Document& documents(const char* name, const std::vector<Document>& values);

    [[nodiscard]] bool has(const char* name) const;
    [[nodiscard]] std::string text(const char* name) const;
    [[nodiscard]] std::uint64_t number(const char* name) const;
    [[nodiscard]] bool flag(const char* name) const;
    [[nodiscard]] WallTime time(const char* name) const;
    [[nodiscard]] Document document(const char* name) const;
    [[nodiscard]] std::vector<std::string> texts(const char* name) const;
    [[nodiscard]] std::vector<Document> documents(const char* name) const;

    /// A text among its fields, or theirs, is not UTF-8.
    [[nodiscard]] bool holds_bad_text() const { return bad_text_; }
    [[nodiscard]] std::size_t size() const;
    /// libbson's form.
    [[nodiscard]] _bson_t* raw() const { return bson_.get(); }

private:
    struct Destroy {
        void operator()(_bson_t* bson) const noexcept;
    };
    Document(const std::uint8_t* data, std::uint32_t size);

    std::unique_ptr<_bson_t, Destroy> bson_;
    bool bad_text_ = false;
};

/// U+0000 may be part of it.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace parley::mongo
