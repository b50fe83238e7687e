#include "gateway/iso_time.h"
#include "gateway/rest.h"
#include "gateway/rest_json.h"

namespace parley::gateway {
namespace {

constexpr std::size_t kPage = 256;
constexpr Bytes kPageBytes = 512_KiB;

/// Where a replay begins: at a seq, or at the first message of a time.
struct Start {
    RoomSeq from{1};
    std::optional<WallTime> time;
};

Result<Start> parse_start(const RestCall& call) {
    const auto seq = call.number("from-seq");
    if (!seq) return fail(seq.error());
    const auto text = call.query.get("from-time");
    if (!text) return Start{.from = {std::max<std::uint64_t>(1, seq->value_or(1))}, .time = {}};
    if (*seq) return fail(Code::kBadRequest, "from-seq and from-time exclude each other");
    const auto time = parse_iso_time(*text);
    if (!time) return fail(Code::kBadRequest, "from-time must be an ISO 8601 time");
    return Start{.from = {1}, .time = time};
}

/// One page as NDJSON, and where the next one begins.
struct Lines {
    log::RoomHead at;
    std::string text;
    RoomSeq after;
    bool position_invalid = false;
    bool truncated = false;
};

Lines to_lines(const log::Page& page, RoomSeq after, RoomSeq end) {
    Lines lines;
    lines.at = page.at;
    lines.after = after;
    for (const MessageRef& message : page.messages) {
        if (message->seq > end) break;
        lines.text += to_json(*message);
        lines.text += '\n';
        lines.after = message->seq;
    }
    if (page.messages.empty()) lines.after = end;
    return lines;
}

/// Reads a page whenever the connection can take one, up to where the head was at the beginning.
///
/// Thread: core-local. Owned by whatever will call it next: the asker's answer or the exchange's on_drained.
/// Fails:  once the answer has begun, trouble closes the connection: the body is then visibly cut off.
class Replay : public std::enable_shared_from_this<Replay> {
public:
    Replay(Core& core, RestCallRef call, RoomJudge judge, const Lines& first)
        : core_(core), call_(std::move(call)), judge_(std::move(judge)), end_(first.at.head) {}

    void begin(const Lines& first) {
        const std::string epoch = std::to_string(first.at.epoch.value);
        const std::string oldest = std::to_string(first.at.first.value);
        const std::string head = std::to_string(first.at.head.value);
        std::vector<wire::HttpField> fields{{"Content-Type", "application/x-ndjson; charset=utf-8"},
                                            {"Cache-Control", "no-store"},
                                            {"X-Parley-Epoch", epoch},
                                            {"X-Parley-First-Seq", oldest},
                                            {"X-Parley-Head-Seq", head}};
        if (first.truncated) fields.push_back({"X-Parley-Truncated", name(Code::kHistoryTruncated)});
        call_->exchange()->begin_stream(200, std::move(fields));
        if (call_->request().method == "HEAD") {
            call_->exchange()->end_stream();
        } else {
            go_on(first);
        }
    }

private:
    void go_on(const Lines& lines) {
        Exchange& exchange = *call_->exchange();
        after_ = lines.after;
        exchange.write(lines.text);
        if (!exchange.is_open()) return;
        if (after_ >= end_) {
            exchange.end_stream();
        } else if (exchange.connection()->can_take()) {
            read();
        } else {
            exchange.on_drained([self = shared_from_this()] { self->read(); });
        }
    }

    void read() {
        core_.asker().ask(
            [&log = core_.services().log, judge = judge_, room = call_->room, after = after_,
             end = end_]() -> Result<Lines> {
                const auto page = log.read(room, after, kPage, kPageBytes);
                if (!page) return fail(page.error());
                if (const auto still = judge(); !still) return fail(still.error());
                return to_lines(*page, after, end);
            },
            [self = shared_from_this()](Result<Lines> lines) {
                if (lines) {
                    self->go_on(*lines);
                } else if (self->call_->exchange()->is_open()) {
                    self->call_->exchange()->connection()->abort();
                }
            });
    }

    Core& core_;
    RestCallRef call_;
    RoomJudge judge_;
    RoomSeq after_;
    const RoomSeq end_;
};

}  // namespace

void Rest::replay(const RestCallRef& call) {
    const auto start = parse_start(*call);
    if (!start) {
        call->refuse(start.error());
        return;
    }
    auto judge_again = judge(call, auth::Operation::kHistory);
    in_room(
        call, auth::Operation::kHistory,
        [&log = core_.services().log, judge = judge_again, room = call->room,
         start = *start](const RoomEntry&) -> Result<Lines> {
            RoomSeq after = start.from.prev();
            if (start.time) {
                const auto found = log.seek(room, *start.time);
                if (!found) return fail(found.error());
                after = *found;
            }
            const auto page = log.read(room, after, kPage, kPageBytes);
            if (!page) return fail(page.error());
            if (const auto still = judge(); !still) return fail(still.error());
            Lines lines = to_lines(*page, after, page->at.head);
            lines.position_invalid = !start.time && after > page->at.head;
            lines.truncated = after.next() < page->at.first;
            return lines;
        },
        [this, call, judge_again](const Lines& first) {
            if (first.position_invalid) {
                call->exchange()->respond_json(409, position_invalid_json(first.at));
                return;
            }
            std::make_shared<Replay>(core_, call, judge_again, first)->begin(first);
        });
}

}  // namespace parley::gateway
