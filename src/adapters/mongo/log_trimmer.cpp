#include "adapters/mongo/log_trimmer.h"

#include "adapters/mongo/commands.h"
#include "adapters/mongo/schema.h"

namespace parley::mongo {
namespace {

constexpr std::size_t kRoomsPerLook = 1'000;
constexpr std::size_t kBlocksPerSlice = 500;

}  // namespace

LogTrimmer::LogTrimmer(Limits limits, const Clock& clock, Pool& pool) : limits_(limits), clock_(clock), pool_(pool) {
    if (limits_.max_age.count() == 0 && limits_.max_room_bytes.count == 0) return;
    thread_ = std::make_unique<rt::Periodic>("log-trimmer", limits_.interval, [this] {
        (void)sweep();
        return limits_.interval;
    });
}

LogTrimmer::~LogTrimmer() { ending_ = true; }

bool LogTrimmer::may_go(const Block& block, std::uint64_t gone, std::uint64_t total) const {
    const WallTime now = clock_.wall();
    if (block.created_at > now - limits_.min_age) return false;
    const bool too_old = limits_.max_age.count() > 0 && block.created_at < now - limits_.max_age;
    const bool too_much = limits_.max_room_bytes.count > 0 && total - gone > limits_.max_room_bytes.count;
    return too_old || too_much;
}

bool LogTrimmer::is_over(const Document& head) const {
    Block oldest;
    oldest.created_at = head.time("oldest");
    return head.number("head") >= head.number("first") && may_go(oldest, head.number("gone"), head.number("total"));
}

Result<std::size_t> LogTrimmer::sweep() {
    std::size_t removed = 0;
    std::string after;
    while (!ending_) {
        const Document next = Document{}.document("_id", Document{}.text("$gt", after));
        const auto rooms = pool_.find(find(collection::kHeads, next, kRoomsPerLook));
        if (!rooms) return fail(rooms.error());
        if (rooms->empty()) break;
        for (const Document& head : *rooms) {
            if (ending_) break;
            after = head.text("_id");
            if (head.number("swept") < head.number("first")) {
                if (auto done = delete_before(after, {head.number("first")}); !done) return fail(done.error());
            }
            for (bool more = is_over(head); more && !ending_;) {
                const auto cut = trim_slice(after);
                if (!cut) return fail(cut.error());
                removed += *cut;
                more = *cut > 0;
            }
        }
    }
    return removed;
}

Result<std::size_t> LogTrimmer::trim_slice(const std::string& room) {
    const auto heads = pool_.find(find(collection::kHeads, Document{}.text("_id", room)));
    if (!heads) return fail(heads.error());
    if (heads->empty()) return std::size_t{0};
    const Document& head = heads->front();
    const RoomSeq first{head.number("first")};
    const RoomSeq end = RoomSeq{head.number("head")}.next();
    const auto blocks = pool_.find(
        find(collection::kMessages, blocks_between(room, first, end), kBlocksPerSlice, {}, without_messages()));
    if (!blocks) return fail(blocks.error());
    RoomSeq kept_from = first;
    std::uint64_t gone = head.number("gone");
    WallTime oldest = head.time("oldest");
    for (const Document& document : *blocks) {
        const Block block = read_block(document);
        oldest = block.created_at;
        if (!may_go(block, gone, head.number("total"))) break;
        kept_from = block.last.next();
        gone = block.total;
    }
    if (kept_from == first && oldest == head.time("oldest")) return std::size_t{0};
    Document as_seen;
    as_seen.text("_id", room).number("first", first.value);
    Document raised;
    raised.number("first", kept_from.value).number("gone", gone).time("oldest", oldest);
    const auto noted = pool_.run(update(collection::kHeads, {change(as_seen, Document{}.document("$set", raised))}));
    if (!noted) return fail(noted.error());
    if (kept_from == first || noted->changed() == 0) return std::size_t{0};
    if (auto deleted = delete_before(room, kept_from); !deleted) return fail(deleted.error());
    return kept_from.value - first.value;
}

Result<> LogTrimmer::delete_before(const std::string& room, RoomSeq first) {
    if (auto deleted = pool_.run(remove(collection::kMessages, blocks_between(room, {0}, first))); !deleted)
        return fail(std::move(deleted.error()));
    const Document swept = Document{}.document("$max", Document{}.number("swept", first.value));
    if (auto noted = pool_.run(update(collection::kHeads, {change(Document{}.text("_id", room), swept)})); !noted)
        return fail(std::move(noted.error()));
    return {};
}

}  // namespace parley::mongo
