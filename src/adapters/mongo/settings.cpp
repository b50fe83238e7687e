#include "adapters/mongo/settings.h"

#include <mongoc/mongoc.h>

#include <memory>
#include <string_view>

#include "adapters/mongo/library.h"

namespace parley::mongo {
namespace {

struct DestroyUri {
    void operator()(mongoc_uri_t* uri) const noexcept { mongoc_uri_destroy(uri); }
};
using Uri = std::unique_ptr<mongoc_uri_t, DestroyUri>;

Uri parse(const std::string& url) {
    start_library();
    bson_error_t error;
    return Uri{mongoc_uri_new_with_error(url.c_str(), &error)};
}

/// A piece of a password that was not encoded would be taken for a host or an option.
bool holds_a_piece_of_password(const std::string& url) {
    const auto begin = url.find("://") + 3;
    const auto end = url.find('/', begin);
    const auto hosts = url.rfind('@', end);
    if (hosts == std::string::npos || hosts < begin) return url.find('@', begin) != std::string::npos;
    return url.find('@', begin) != hosts || url.find('@', hosts + 1) != std::string::npos;
}

/// What the URL asks for that would make an acknowledged message one that may be lost. Empty: nothing.
std::string weaker(const mongoc_uri_t* uri) {
    const auto* write = mongoc_uri_get_write_concern(uri);
    const bool has_w = mongoc_uri_has_option(uri, MONGOC_URI_W);
    if (has_w && !mongoc_write_concern_get_wmajority(write)) return "w";
    if (mongoc_write_concern_journal_is_set(write) && !mongoc_write_concern_get_journal(write)) return "journal";
    if (mongoc_read_prefs_get_mode(mongoc_uri_get_read_prefs_t(uri)) != MONGOC_READ_PRIMARY) return "readPreference";
    const char* level = mongoc_read_concern_get_level(mongoc_uri_get_read_concern(uri));
    if (level != nullptr && std::string_view{level} != MONGOC_READ_CONCERN_LEVEL_MAJORITY) return "readConcernLevel";
    return {};
}

}  // namespace

Result<> check_url(const std::string& url) {
    static constexpr const char* kExpected =
        "expected mongodb://USER:PASSWORD@HOST:PORT/?replicaSet=NAME; in a password write @ as %40, : as %3A, / as "
        "%2F, % as %25";
    if (url.find("://") == std::string::npos || holds_a_piece_of_password(url)) {
        return fail(Code::kBadRequest, kExpected);
    }
    const Uri uri = parse(url);
    if (uri == nullptr) return fail(Code::kBadRequest, kExpected);
    if (const std::string option = weaker(uri.get()); !option.empty()) {
        return fail(Code::kBadRequest,
                    option +
                        " in the URL asks for less than a journaled majority and the primary, which is what "
                        "Parley writes to and reads from: leave it out");
    }
    return {};
}

std::string place(const std::string& url) {
    const Uri uri = check_url(url) ? parse(url) : nullptr;
    if (uri == nullptr) return "MongoDB";
    if (const char* service = mongoc_uri_get_srv_hostname(uri.get()); service != nullptr) return service;
    std::string out;
    for (const auto* host = mongoc_uri_get_hosts(uri.get()); host != nullptr; host = host->next) {
        out += (out.empty() ? "" : ",") + std::string{host->host_and_port};
    }
    return out;
}

}  // namespace parley::mongo
