#include "adapters/mongo/commands.h"

namespace parley::mongo {
namespace {

constexpr std::uint64_t kConfirmationLimitMs = 4'000;
constexpr std::int32_t kMostOfOneBatch = 1'000;

Document& confirmed(Document& command) {
    Document concern;
    concern.text("w", "majority").flag("j", true).number("wtimeout", kConfirmationLimitMs);
    return command.document("writeConcern", concern);
}

}  // namespace

Document insert(const char* collection, const std::vector<Document>& documents) {
    Document out;
    out.text("insert", collection).flag("ordered", false).documents("documents", documents);
    return confirmed(out);
}

Document change(const Document& filter, const Document& change, Else otherwise) {
    Document out;
    out.document("q", filter).document("u", change).flag("upsert", otherwise == Else::kInsert);
    return out;
}

Document update(const char* collection, const std::vector<Document>& changes) {
    Document out;
    out.text("update", collection).flag("ordered", false).documents("updates", changes);
    return confirmed(out);
}

Document remove(const char* collection, const Document& filter) {
    Document out;
    out.text("delete", collection);
    out.documents("deletes", {Document{}.document("q", filter).number("limit", 0)});
    return confirmed(out);
}

Document find_and_change(const char* collection, const Document& filter, const Document& change, Else otherwise) {
    Document out;
    out.text("findAndModify", collection).document("query", filter).document("update", change);
    out.flag("new", true).flag("upsert", otherwise == Else::kInsert);
    return confirmed(out);
}

Document find(const char* collection, const Document& filter, std::uint64_t limit, Sorted sorted,
              const Document& fields) {
    Document out;
    out.text("find", collection).document("filter", filter);
    out.document("sort", Document{}.integer(sorted.by, sorted.descending ? -1 : 1));
    out.document("projection", fields);
    if (limit > 0) out.number("limit", limit);
    const bool fits = limit > 0 && limit < kMostOfOneBatch;
    out.integer("batchSize", fits ? static_cast<std::int32_t>(limit) : kMostOfOneBatch);
    out.document("readConcern", Document{}.text("level", "majority"));
    return out;
}

Document more_of(const char* collection, std::uint64_t cursor) {
    return Document{}.number("getMore", cursor).text("collection", collection).integer("batchSize", kMostOfOneBatch);
}

Document any_of(const char* name, const std::vector<std::string>& values) {
    return Document{}.document(name, Document{}.texts("$in", values));
}

}  // namespace parley::mongo
