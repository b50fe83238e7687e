#include "gateway/admin_replay.h"

#include <algorithm>
#include <limits>

#include "gateway/core.h"
#include "gateway/iso_time.h"
#include "gateway/rest_call.h"

namespace parley::gateway {
namespace {

/// Each may keep a window of a partition's messages in memory, and a thread of the pool.
constexpr std::size_t kMostAtOnce = 2;

Result<ReplayRange> parse_range(std::string_view text) {
    const auto query = wire::QueryParams::parse(text);
    if (!query) return fail(query.error());
    const auto partition = whole_number(*query, "partition");
    const auto from = whole_number(*query, "from-offset");
    const auto to = whole_number(*query, "to-offset");
    for (const auto* number : {&partition, &from, &to}) {
        if (!*number) return fail(number->error());
    }
    ReplayRange range{.from_offset = *from, .to_offset = *to};
    if (*partition)
        range.partition =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(**partition, std::numeric_limits<std::uint32_t>::max()));
    if (const auto time = query->get("from-time")) {
        range.from_time = parse_iso_time(*time);
        if (!range.from_time) return fail(Code::kBadRequest, "from-time must be an ISO 8601 time");
    }
    if (!range.partition && !range.from_time) return fail(Code::kBadRequest, "partition or from-time is missing");
    if (!range.partition && (*from || *to))
        return fail(Code::kBadRequest, "from-offset and to-offset are a partition's: partition is missing");
    if (range.from_time && *from) return fail(Code::kBadRequest, "from-offset and from-time exclude each other");
    if (*from && *to && **to < **from) return fail(Code::kBadRequest, "to-offset lies before from-offset");
    return range;
}

/// A source and its place among the few that are read at once, kept until the source has ended.
struct Reading {
    explicit Reading(std::atomic<std::size_t>& count) : place(count) {}
    const UnderWay place;
    std::unique_ptr<ReplaySource> source;
};
using ReadingRef = std::unique_ptr<Reading>;

/// Null where there are enough.
ReadingRef take_place(std::atomic<std::size_t>& count) {
    auto reading = std::make_unique<Reading>(count);
    if (count > kMostAtOnce) reading.reset();
    return reading;
}

struct Read {
    ReadingRef reading;  ///< null behind the last page
    ReplaySource::Page page;
};

/// Behind the last page the place is free before anybody hears of it.
Result<Read> read_on(ReadingRef reading) {
    auto page = reading->source->read();
    if (!page) return fail(page.error());
    if (page->is_last) reading.reset();
    return Read{std::move(reading), std::move(*page)};
}

/// Reads a page whenever the connection can take one.
///
/// Thread: core-local. Owned by whatever will call it next: the pool's answer or the exchange's on_drained. What it
///         reads goes to the pool for each page, and to its end.
/// Fails:  once the answer has begun, trouble closes the connection: the body is then visibly cut off.
class Replay : public std::enable_shared_from_this<Replay> {
public:
    Replay(Core& core, ExchangeRef exchange)
        : core_(core), services_(core.services()), exchange_(std::move(exchange)) {}
    ~Replay() { end_reading(); }
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;

    void begin(Read first) {
        exchange_->begin_stream(
            200, {{"Content-Type", "application/x-ndjson; charset=utf-8"}, {"Cache-Control", "no-store"}});
        if (exchange_->request().method == "HEAD") first.page.is_last = true;
        go_on(std::move(first));
    }

private:
    void go_on(Read read) {
        reading_ = std::move(read.reading);
        exchange_->write(read.page.lines);
        if (!exchange_->is_open()) return;
        if (read.page.is_last) {
            exchange_->end_stream();
        } else if (exchange_->connection()->can_take()) {
            ask();
        } else {
            exchange_->on_drained([self = shared_from_this()] { self->ask(); });
        }
    }

    void ask() {
        core_.replaying().ask([reading = std::move(reading_)]() mutable { return read_on(std::move(reading)); },
                              [self = shared_from_this()](Result<Read> read) {
                                  if (read) {
                                      self->go_on(std::move(*read));
                                  } else if (self->exchange_->is_open()) {
                                      self->exchange_->note_failure(read.error());
                                      self->exchange_->connection()->abort();
                                  }
                              });
    }

    void end_reading() {
        if (reading_ == nullptr) return;
        (void)services_.replay_pool().try_submit([reading = std::move(reading_)]() mutable { reading.reset(); });
    }

    Core& core_;
    Services& services_;
    ExchangeRef exchange_;
    ReadingRef reading_;  ///< null while a page is read, and at the end
};

}  // namespace

void serve_replay(Core& core, const AdminCallRef& call) {
    Services& services = core.services();
    const ExchangeRef& exchange = call->exchange;
    if (services.draining) {
        exchange->refuse({Code::kDraining, {}});
        return;
    }
    const auto range = parse_range(exchange->request().query);
    if (!range) {
        exchange->refuse(range.error());
        return;
    }
    auto reading = core.connections().is_short_of_memory() ? nullptr : take_place(services.replays);
    if (reading == nullptr) {
        exchange->refuse({Code::kServerFull, "other replays are under way, or memory is short"});
        return;
    }
    core.replaying().ask(
        [&services, range = *range, reading = std::move(reading)]() mutable -> Result<Read> {
            auto own = std::move(reading);  // a refusal is told when the place is free
            auto source = services.open_replay(range);
            if (!source) return fail(source.error());
            own->source = std::move(*source);
            return read_on(std::move(own));
        },
        [&core, call](Result<Read> first) {
            if (first) {
                std::make_shared<Replay>(core, call->exchange)->begin(std::move(*first));
            } else {
                call->exchange->refuse(first.error());
            }
        });
}

}  // namespace parley::gateway
