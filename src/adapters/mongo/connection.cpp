#include "adapters/mongo/connection.h"

#include <fmt/format.h>
#include <mongoc/mongoc.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "adapters/mongo/commands.h"
#include "adapters/mongo/library.h"

namespace parley::mongo {
namespace {

using std::chrono::ceil;
using std::chrono::steady_clock;

constexpr std::uint64_t kDuplicateKey = 11000;
/// The server is none that takes writes, or is ending: the next connection looks for the one that does.
constexpr std::array<std::uint64_t, 8> kNotPrimary{91, 189, 10058, 10107, 11600, 11602, 13435, 13436};
constexpr std::size_t kMostBytes = 16 << 20;

/// Sentences of the server and of libmongoc in one line. What is in braces is a command or a document: not for a log.
std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, text.find('{'))) {
        const bool space = c == '\n' || c == '\t' || c == ' ';
        if (space && (out.empty() || out.back() == ' ')) continue;
        out += space ? ' ' : c;
    }
    while (!out.empty() && (out.back() == ' ' || out.back() == ':')) out.pop_back();
    return out.empty() ? "no answer" : out;
}

/// "No suitable servers found (…): [connection refused calling hello on 'a:1']" in its useful part.
std::string reason(const bson_error_t& error) {
    const std::string_view text = error.message;
    const auto begin = text.find('[');
    const auto end = text.rfind(']');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return one_line(text);
    return one_line(text.substr(begin + 1, end - begin - 1));
}

Error unavailable(const std::string& why) { return {Code::kStoreUnavailable, "MongoDB: " + why}; }

std::int32_t milliseconds_until(Deadline deadline, milliseconds at_most) {
    const auto left = std::min(ceil<milliseconds>(deadline - steady_clock::now()), at_most);
    return static_cast<std::int32_t>(std::max<std::int64_t>(left.count(), 1));
}

}  // namespace

void Connection::Close::operator()(mongoc_client_t* client) const noexcept { mongoc_client_destroy(client); }

Connection::Connection(mongoc_client_t* client, std::string database, Breaks breaks)
    : client_(client), database_(std::move(database)), breaks_(std::move(breaks)), breaks_before_(breaks_->load()) {}

Connection::~Connection() = default;

Error Connection::broken(const std::string& why) {
    if (!broken_) ++*breaks_;
    broken_ = true;
    return unavailable(why);
}

Result<std::unique_ptr<Connection>> Connection::open(const Settings& settings, const Breaks& breaks,
                                                     Deadline deadline) {
    start_library();
    if (auto checked = check_url(settings.url); !checked) return fail(checked.error());
    const std::unique_ptr<mongoc_uri_t, void (*)(mongoc_uri_t*)> uri{mongoc_uri_new(settings.url.c_str()),
                                                                     mongoc_uri_destroy};
    const std::int32_t connect_limit = milliseconds_until(deadline, settings.connect_limit);
    mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS, connect_limit);
    mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_CONNECTTIMEOUTMS, connect_limit);
    mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_SOCKETTIMEOUTMS,
                                   static_cast<std::int32_t>(settings.answer_limit.count()));
    if (!mongoc_uri_has_option(uri.get(), MONGOC_URI_APPNAME)) mongoc_uri_set_appname(uri.get(), "parley");
    bson_error_t error;
    mongoc_client_t* client = mongoc_client_new_from_uri_with_error(uri.get(), &error);
    if (client == nullptr) return fail(unavailable(reason(error)));
    mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
    std::unique_ptr<Connection> out{new Connection{client, settings.database, breaks}};
    // Connects, and logs in.
    if (auto answered = out->run(Document{}.number("ping", 1)); !answered) return fail(std::move(answered.error()));
    return out;
}

Result<Reply> Connection::run(const Document& command) {
    if (command.holds_bad_text()) return fail(Code::kInvalidPayload, "MongoDB: a text is not UTF-8");
    if (command.size() > kMostBytes) return fail(Code::kInvalidPayload, "MongoDB: too large for one document");
    Reply reply;
    bson_t answer;
    bson_error_t error;
    const bool ok =
        mongoc_client_command_simple(client_.get(), database_.c_str(), command.raw(), nullptr, &answer, &error);
    reply.body = Document::copy_of(answer);
    bson_destroy(&answer);
    if (!ok && error.domain != MONGOC_ERROR_SERVER) return fail(broken(reason(error)));
    if (!ok) {
        const std::uint64_t code = reply.body.number("code");
        if (code == kDuplicateKey) {
            reply.duplicates.push_back(0);
            return reply;
        }
        const std::string why = fmt::format("{} (code {})", one_line(error.message), code);
        const bool gone = std::find(kNotPrimary.begin(), kNotPrimary.end(), code) != kNotPrimary.end();
        return fail(gone ? broken(why) : unavailable(why));
    }
    for (const Document& refused : reply.body.documents("writeErrors")) {
        if (refused.number("code") != kDuplicateKey) {
            return fail(unavailable(one_line(refused.text("errmsg"))));
        }
        reply.duplicates.push_back(refused.number("index"));
    }
    if (const Document unsure = reply.body.document("writeConcernError"); unsure.has("code")) {
        return fail(unavailable("a write is not confirmed: " + one_line(unsure.text("errmsg"))));
    }
    return reply;
}

Result<std::vector<Document>> Connection::find(const Document& command) {
    std::vector<Document> out;
    auto reply = run(command);
    if (!reply) return fail(std::move(reply.error()));
    Document cursor = reply->body.document("cursor");
    out = cursor.documents("firstBatch");
    while (const std::uint64_t id = cursor.number("id")) {
        reply = run(more_of(command.text("find").c_str(), id));
        if (!reply) return fail(std::move(reply.error()));
        cursor = reply->body.document("cursor");
        for (Document& document : cursor.documents("nextBatch")) out.push_back(std::move(document));
    }
    return out;
}

}  // namespace parley::mongo
