#include "adapters/mongo/document.h"

#include <bson/bson.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace parley::mongo {
namespace {

/// Calls `each` with an iterator on every element of the array.
template <class Each>
void for_each(const bson_t* bson, const char* name, Each each) {
    bson_iter_t at;
    bson_iter_t element;
    if (!bson_iter_init_find(&at, bson, name) || !BSON_ITER_HOLDS_ARRAY(&at) || !bson_iter_recurse(&at, &element))
        return;
    while (bson_iter_next(&element)) each(element);
}

std::string text_at(const bson_iter_t& at) {
    if (!BSON_ITER_HOLDS_UTF8(&at)) return {};
    std::uint32_t size = 0;
    const char* text = bson_iter_utf8(&at, &size);
    return {text, size};
}

template <class Values, class Append>
void append_array(bson_t* bson, const char* name, const Values& values, Append append) {
    bson_t array;
    bson_append_array_begin(bson, name, -1, &array);
    std::uint32_t i = 0;
    for (const auto& value : values) append(&array, std::to_string(i++), value);
    bson_append_array_end(bson, &array);
}

void append_text(bson_t* bson, const char* name, std::string_view text) {
    bson_append_utf8(bson, name, -1, text.data(), static_cast<int>(text.size()));
}

}  // namespace

bool is_utf8(std::string_view text) { return bson_utf8_validate(text.data(), text.size(), true); }

void Document::Destroy::operator()(bson_t* bson) const noexcept { bson_destroy(bson); }

Document::Document() : bson_(bson_new()) {}
Document::Document(const std::uint8_t* data, std::uint32_t size) : bson_(bson_new_from_data(data, size)) {
    if (bson_ == nullptr) bson_.reset(bson_new());
}
Document::~Document() = default;
Document::Document(const Document& other) : bson_(bson_copy(other.bson_.get())), bad_text_(other.bad_text_) {}
Document& Document::operator=(const Document& other) {
    if (this != &other) *this = Document{other};
    return *this;
}
Document::Document(Document&& other) noexcept = default;
Document& Document::operator=(Document&& other) noexcept = default;

Document Document::copy_of(const bson_t& bson) { return {bson_get_data(&bson), bson.len}; }

Document& Document::text(const char* name, std::string_view value) {
    bad_text_ = bad_text_ || !is_utf8(value);
    append_text(bson_.get(), name, value);
    return *this;
}

Document& Document::number(const char* name, std::uint64_t value) {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    bson_append_int64(bson_.get(), name, -1, static_cast<std::int64_t>(std::min(value, kMost)));
    return *this;
}

Document& Document::integer(const char* name, std::int32_t value) {
    bson_append_int32(bson_.get(), name, -1, value);
    return *this;
}

Document& Document::flag(const char* name, bool value) {
    bson_append_bool(bson_.get(), name, -1, value);
    return *this;
}

Document& Document::time(const char* name, WallTime value) {
    bson_append_date_time(bson_.get(), name, -1, value.time_since_epoch().count());
    return *this;
}

Document& Document::document(const char* name, const Document& value) {
    bad_text_ = bad_text_ || value.bad_text_;
    bson_append_document(bson_.get(), name, -1, value.bson_.get());
    return *this;
}

Document& Document::texts(const char* name, const std::vector<std::string>& values) {
    append_array(bson_.get(), name, values, [this](bson_t* array, const std::string& i, const std::string& value) {
        bad_text_ = bad_text_ || !is_utf8(value);
        append_text(array, i.c_str(), value);
    });
    return *this;
}

Document& Document::documents(const char* name, const std::vector<Document>& values) {
    append_array(bson_.get(), name, values, [this](bson_t* array, const std::string& i, const Document& value) {
        bad_text_ = bad_text_ || value.bad_text_;
        bson_append_document(array, i.c_str(), -1, value.raw());
    });
    return *this;
}

bool Document::has(const char* name) const { return bson_has_field(bson_.get(), name); }

std::string Document::text(const char* name) const {
    bson_iter_t at;
    return bson_iter_init_find(&at, bson_.get(), name) ? text_at(at) : std::string{};
}

std::uint64_t Document::number(const char* name) const {
    bson_iter_t at;
    if (!bson_iter_init_find(&at, bson_.get(), name) || !BSON_ITER_HOLDS_NUMBER(&at)) return 0;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(bson_iter_as_int64(&at), 0));
}

bool Document::flag(const char* name) const {
    bson_iter_t at;
    return bson_iter_init_find(&at, bson_.get(), name) && bson_iter_as_bool(&at);
}

WallTime Document::time(const char* name) const {
    bson_iter_t at;
    if (!bson_iter_init_find(&at, bson_.get(), name) || !BSON_ITER_HOLDS_DATE_TIME(&at)) return {};
    return WallTime{milliseconds{bson_iter_date_time(&at)}};
}

Document Document::document(const char* name) const {
    bson_iter_t at;
    if (!bson_iter_init_find(&at, bson_.get(), name) || !BSON_ITER_HOLDS_DOCUMENT(&at)) return {};
    std::uint32_t size = 0;
    const std::uint8_t* data = nullptr;
    bson_iter_document(&at, &size, &data);
    return {data, size};
}

std::vector<std::string> Document::texts(const char* name) const {
    std::vector<std::string> out;
    for_each(bson_.get(), name, [&](const bson_iter_t& at) { out.push_back(text_at(at)); });
    return out;
}

std::vector<Document> Document::documents(const char* name) const {
    std::vector<Document> out;
    for_each(bson_.get(), name, [&](const bson_iter_t& at) {
        if (!BSON_ITER_HOLDS_DOCUMENT(&at)) return;
        std::uint32_t size = 0;
        const std::uint8_t* data = nullptr;
        bson_iter_document(&at, &size, &data);
        out.push_back(Document{data, size});
    });
    return out;
}

std::size_t Document::size() const { return bson_->len; }

}  // namespace parley::mongo
