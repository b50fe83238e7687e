#include "worker/dead_letters.h"

#include <fmt/format.h>

#include "base/utf8_cut.h"

namespace parley::worker {
namespace {

constexpr std::size_t kMostReason = 500;

std::string prefix(const std::string& role) { return role + "/dead/"; }

/// In one line.
std::string short_reason(std::string_view reason) {
    std::string out{whole_characters(reason, kMostReason)};
    for (char& c : out) {
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    return out;
}

}  // namespace

Result<> DeadLetters::put(const Message& message, const std::string& reason) {
    std::string json = R"({"role":)";
    append_json_string(json, role_);
    json += R"(,"roomId":)";
    append_json_string(json, message.room.str());
    json += fmt::format(R"(,"seq":{},"messageId":)", message.seq.value);
    append_json_string(json, message.id.str());
    json += R"(,"senderId":)";
    append_json_string(json, message.sender.str());
    json += R"(,"reason":)";
    append_json_string(json, short_reason(reason));
    json += fmt::format(R"(,"at":"{}"}})", format_iso(clock_.wall()));
    // The number is padded so that keys are in the order of seqs.
    const auto stored = ledger_.put(
        {{fmt::format("{}{}/{:020}", prefix(role_), message.room.str(), message.seq.value), 0, std::move(json)}});
    if (!stored) return fail(stored.error());
    return {};
}

Result<DeadLetters::Page> DeadLetters::list(const std::string& after, std::size_t limit) {
    const auto rows = ledger_.rows(prefix(role_), after.empty() ? after : prefix(role_) + after, limit);
    if (!rows) return fail(rows.error());
    Page page{"[", {}};
    for (const store::LedgerRow& row : *rows) {
        if (page.json.size() > 1) page.json += ',';
        page.json += row.value;
    }
    page.json += ']';
    if (rows->size() == limit && limit != 0) page.next = rows->back().key.substr(prefix(role_).size());
    return page;
}

}  // namespace parley::worker
