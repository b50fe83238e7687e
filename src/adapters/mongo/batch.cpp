#include "adapters/mongo/batch.h"

#include <algorithm>
#include <thread>

#include "adapters/mongo/commands.h"
#include "adapters/mongo/database.h"
#include "adapters/mongo/schema.h"
#include "base/uuid.h"
#include "log/held_message.h"

namespace parley::mongo {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kCommandBytes = 12 << 20;
constexpr std::size_t kKnownHeads = 50'000;
/// A block that refuses ours, and that no majority has yet.
constexpr milliseconds kUntilConfirmed{2};

}  // namespace

Batch::Batch(std::span<log::Pending> appends, Writer& writer)
    : pending_(appends), writer_(writer), appends_(appends.size()) {
    std::unordered_map<RoomId, Line*> rooms;
    std::unordered_map<std::string, const Entry*> seen;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        const auto& request = pending_[i].request;
        Line*& line = rooms[request.room];
        if (line == nullptr) line = &lines_.emplace_back(Line{&request.room, {}, 0, {}});
        line->appends.push_back(i);
        auto& entries = appends_[i].entries;
        entries.resize(request.drafts.size());
        for (std::size_t k = 0; k < entries.size(); ++k) {
            entries[k].draft = &request.drafts[k];
            const auto [first, is_new] = seen.emplace(repeat_key(request.room, request.drafts[k]), &entries[k]);
            if (is_new) continue;
            entries[k].first = first->second;
            entries[k].state = State::kRepeat;
        }
    }
}

Result<> Batch::store(WallTime now, Deadline deadline) {
    const auto waits = [](const Line& line) { return !line.ended(); };
    Result<> stored;
    while (stored && std::any_of(lines_.begin(), lines_.end(), waits)) {
        if (steady_clock::now() >= deadline) {
            stored = fail(Code::kStoreUnavailable, "MongoDB: other servers stored to the same rooms all the time");
        } else {
            stored = store_round(now);
        }
    }
    if (stored) return stored;
    writer_.heads.clear();
    if (writer_.connection != nullptr && !writer_.connection->is_open()) writer_.connection.reset();
    return stored;
}

Result<> Batch::store_round(WallTime now) {
    if (writer_.connection == nullptr) {
        auto opened = writer_.pool.open(in(writer_.pool.settings().connect_limit));
        if (!opened) return fail(std::move(opened.error()));
        writer_.connection = std::move(*opened);
    }
    if (auto looked = look_up_missing(); !looked) return looked;
    std::vector<Line*> tried;
    for (Line& line : lines_) {
        if (!line.attempt) prepare(line, now);
        if (line.attempt) tried.push_back(&line);
    }
    if (tried.empty()) return {};
    const auto refused = insert_blocks(tried);
    if (!refused) return fail(refused.error());
    if (!refused->empty()) {
        if (auto settled = settle(*refused, tried); !settled) return settled;
    }
    return tried.empty() ? Result<>{} : confirm(tried);
}

Result<> Batch::look_up_missing() {
    std::vector<std::string> rooms;
    for (const Line& line : lines_) {
        if (!line.ended() && !line.attempt && !writer_.heads.contains(line.room->str()))
            rooms.push_back(line.room->str());
    }
    if (rooms.empty()) return {};
    auto heads = look_up_heads(*writer_.connection, rooms);
    if (!heads) return fail(std::move(heads.error()));
    if (writer_.heads.size() > kKnownHeads) {
        writer_.heads.clear();
        return look_up_missing();
    }
    writer_.heads.insert(heads->begin(), heads->end());
    return {};
}

void Batch::prepare(Line& line, WallTime now) {
    Attempt attempt;
    std::size_t end = line.next;
    for (; end < line.appends.size(); ++end) {
        std::vector<Entry*> added;
        std::uint64_t bytes = 0;
        for (Entry& entry : appends_[line.appends[end]].entries) {
            if (entry.state != State::kUnknown) continue;
            added.push_back(&entry);
            bytes += size_of(*entry.draft);
        }
        const bool too_large =
            attempt.entries.size() + added.size() > kBlockMessages || attempt.block.bytes + bytes > kBlockBytes;
        if (!attempt.entries.empty() && too_large) break;
        attempt.entries.insert(attempt.entries.end(), added.begin(), added.end());
        attempt.block.bytes += bytes;
        if (!attempt.entries.empty()) continue;
        appends_[line.appends[end]].stored = true;  // all of it was before
        line.next = end + 1;
    }
    if (attempt.entries.empty()) return;
    const Head& head = writer_.heads[line.room->str()];
    Block& block = attempt.block;
    block.first = head.head.next();
    block.last = {head.head.value + attempt.entries.size()};
    block.id = block_id(line.room->str(), block.first);
    block.created_at = std::max(now, head.last_created);
    block.total = head.total + block.bytes;
    block.nonce = random_hex(8);
    std::vector<const Draft*> drafts;
    for (const Entry* entry : attempt.entries) drafts.push_back(entry->draft);
    attempt.document = to_document(block, *line.room, drafts);
    attempt.end = end;
    line.attempt = std::move(attempt);
}

Result<std::vector<Batch::Line*>> Batch::insert_blocks(std::vector<Line*>& lines) {
    std::vector<Line*> placed;
    std::vector<Line*> refused;
    for (std::size_t at = 0; at < lines.size();) {
        std::vector<Document> documents;
        std::size_t bytes = 0;
        std::size_t end = at;
        while (end < lines.size() && (end == at || bytes + lines[end]->attempt->document.size() < kCommandBytes)) {
            bytes += lines[end]->attempt->document.size();
            documents.push_back(lines[end++]->attempt->document);
        }
        const auto inserted = writer_.connection->run(insert(collection::kMessages, documents));
        if (!inserted) return fail(inserted.error());
        for (std::size_t i = at; i < end; ++i) {
            const auto& no = inserted->duplicates;
            const bool is_refused = std::find(no.begin(), no.end(), i - at) != no.end();
            (is_refused ? refused : placed).push_back(lines[i]);
        }
        at = end;
    }
    lines = std::move(placed);
    return refused;
}

Result<> Batch::settle(const std::vector<Line*>& refused, std::vector<Line*>& placed) {
    std::vector<std::string> rooms;
    std::vector<std::string> ids;
    std::vector<std::string> keys;
    for (const Line* line : refused) {
        rooms.push_back(line->room->str());
        ids.push_back(line->attempt->block.id);
        for (const Entry* entry : line->attempt->entries) keys.push_back(repeat_key(*line->room, *entry->draft));
    }
    Connection& connection = *writer_.connection;
    const auto heads = look_up_heads(connection, rooms);
    if (!heads) return fail(heads.error());
    const auto there = connection.find(find(collection::kMessages, any_of("_id", ids), 0, {}, without_messages()));
    if (!there) return fail(there.error());
    const auto repeats =
        connection.find(find(collection::kMessages, any_of("keys", keys), 0, {}, Document{}.integer("messages", 0)));
    if (!repeats) return fail(repeats.error());
    std::unordered_map<std::string, std::string> nonces;
    for (const Document& document : *there) nonces.emplace(document.text("_id"), document.text("nonce"));

    bool learned = false;
    for (Line* line : refused) {
        const Head& head = heads->at(line->room->str());
        const auto nonce = nonces.find(line->attempt->block.id);
        if (nonce != nonces.end() && nonce->second == line->attempt->block.nonce) {
            placed.push_back(line);
            learned = true;
            continue;
        }
        bool changed = nonce != nonces.end();
        if (auto noted = note_repeats(*line, *repeats, head, changed); !noted) return noted;
        if (!changed) continue;
        learned = true;
        writer_.heads[line->room->str()] = head;
        line->attempt.reset();
    }
    if (!learned) std::this_thread::sleep_for(kUntilConfirmed);
    return {};
}

Result<> Batch::note_repeats(Line& line, const std::vector<Document>& found, const Head& head, bool& learned) {
    std::unordered_map<std::string, Entry*> wanted;
    for (Entry* entry : line.attempt->entries) wanted.emplace(repeat_key(*line.room, *entry->draft), entry);
    for (const Document& document : found) {
        if (document.text("room") != line.room->str()) continue;
        if (auto known = check_format(document); !known) return known;
        const Block block = read_block(document);
        const auto keys = document.texts("keys");
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const auto entry = wanted.find(keys[i]);
            if (entry == wanted.end()) continue;
            if (block.last < head.first) {
                if (auto removed = remove_block(block); !removed) return removed;
                break;
            }
            entry->second->state = State::kRepeat;
            entry->second->seq = {block.first.value + i};
            entry->second->created_at = block.created_at;
            learned = true;
        }
    }
    return {};
}

Result<> Batch::confirm(const std::vector<Line*>& placed) {
    std::vector<Block> blocks;
    for (const Line* line : placed) blocks.push_back(line->attempt->block);
    const auto below = raise_heads(*writer_.connection, blocks);
    if (!below) return fail(below.error());
    for (std::size_t i = 0; i < placed.size(); ++i) {
        Line& line = *placed[i];
        if (std::find(below->begin(), below->end(), i) != below->end()) {
            writer_.heads.erase(line.room->str());
            if (auto removed = remove_block(line.attempt->block); !removed) return removed;
            line.attempt.reset();
            continue;
        }
        RoomSeq seq = line.attempt->block.first;
        for (Entry* entry : line.attempt->entries) {
            entry->state = State::kNew;
            entry->seq = seq;
            entry->created_at = line.attempt->block.created_at;
            seq = seq.next();
        }
        for (; line.next < line.attempt->end; ++line.next) appends_[line.appends[line.next]].stored = true;
        writer_.heads[line.room->str()].pass(line.attempt->block);
        line.attempt.reset();
    }
    return {};
}

Result<> Batch::remove_block(const Block& block) {
    Document exactly;
    exactly.text("_id", block.id).text("nonce", block.nonce);
    if (auto removed = writer_.connection->run(remove(collection::kMessages, exactly)); !removed)
        return fail(std::move(removed.error()));
    return {};
}

log::BatchTry::Outcome Batch::take() {
    Outcome out;
    out.answers.resize(pending_.size());
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        if (!appends_[i].stored) continue;
        auto& request = pending_[i].request;
        for (std::size_t k = 0; k < request.drafts.size(); ++k) {
            const Entry& entry = appends_[i].entries[k];
            const Entry& stored = entry.first != nullptr ? *entry.first : entry;
            const bool repeated = entry.state == State::kRepeat;
            out.answers[i].push_back({stored.seq, stored.created_at, repeated});
            if (repeated) {
                ++out.repeats;
            } else {
                out.messages.push_back(
                    log::hold(std::move(request.drafts[k]), request.room, stored.seq, stored.created_at));
            }
        }
    }
    return out;
}

}  // namespace parley::mongo
