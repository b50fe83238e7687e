#include "adapters/mongo/schema.h"

namespace parley::mongo {
namespace {

struct Index {
    const char* name;
    std::vector<const char*> fields;
    bool unique = false;
};

Document indexes(const char* of, const std::vector<Index>& wanted) {
    std::vector<Document> out;
    for (const Index& index : wanted) {
        Document key;
        for (const char* field : index.fields) key.integer(field, 1);
        Document& made = out.emplace_back();
        made.document("key", key).text("name", index.name);
        if (index.unique) made.flag("unique", true);
    }
    return Document{}.text("createIndexes", of).documents("indexes", out);
}

}  // namespace

const std::vector<std::vector<Document>>& schema_steps() {
    static const std::vector<std::vector<Document>> steps{
        {indexes(collection::kAccounts, {{"name", {"folded_name"}, true}}),
         indexes(collection::kRevokedTokens, {{"expiry", {"expires"}}}),
         indexes(collection::kRooms,
                 {{"listed", {"kind", "visibility", "_id"}}, {"unfinished", {"unfinished.member"}}}),
         indexes(collection::kMemberships, {{"of_member", {"member", "active", "room"}}}),
         indexes(collection::kMessages, {{"repeats", {"keys"}, true}})}};
    return steps;
}

}  // namespace parley::mongo
