#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "adapters/mongo/document.h"

/// The commands Parley gives. Every write waits for a journaled majority, every read sees what a majority has.
namespace parley::mongo {

enum class Else : std::uint8_t { kNothing, kInsert };  ///< when nothing matches

struct Sorted {
    const char* by = "_id";
    bool descending = false;
};

[[nodiscard]] Document insert(const char* collection, const std::vector<Document>& documents);
/// One of the updates of update(): of the first document that matches.
[[nodiscard]] Document change(const Document& filter, const Document& change, Else otherwise = Else::kNothing);
[[nodiscard]] Document update(const char* collection, const std::vector<Document>& changes);
[[nodiscard]] Document remove(const char* collection, const Document& filter);
/// Changes one document and answers it, as it is then, in `value`.
[[nodiscard]] Document find_and_change(const char* collection, const Document& filter, const Document& change,
                                       Else otherwise = Else::kNothing);
/// `fields`: {name: 0} leaves one out. `limit` 0: all of them.
[[nodiscard]] Document find(const char* collection, const Document& filter, std::uint64_t limit = 0, Sorted sorted = {},
                            const Document& fields = {});

[[nodiscard]] Document more_of(const char* collection, std::uint64_t cursor);

/// {name: {"$in": values}}
[[nodiscard]] Document any_of(const char* name, const std::vector<std::string>& values);

}  // namespace parley::mongo
