#include "worker/analytics.h"

#include "worker/reader.h"
#include "worker/room_figures.h"

namespace parley::worker {
namespace {

constexpr const char* kName = "analytics";
const std::string kRooms = Reader::rooms_of(kName);

RoomFigures figures_of(const store::LedgerRow& row) { return RoomFigures::parse(Reader::saved_in(row.value)); }

metrics::Counter& counter(metrics::Registry& metrics, const char* kind) {
    return metrics.counter("parley_analytics_anomalies_total", "What looked wrong in a room", {{"kind", kind}});
}

}  // namespace

class AnalyticsRole::InRoom final : public RoomWork {
public:
    InRoom(AnalyticsRole& role, RoomFigures figures) : role_(role), figures_(std::move(figures)) {}
    Result<> take(const Message& message) override {
        for (const auto& anomaly : figures_.add(message)) {
            (anomaly.kind == RoomFigures::Kind::kFlood ? role_.floods_ : role_.repeats_).add();
        }
        return {};
    }
    [[nodiscard]] std::string save() const override { return figures_.save(); }

private:
    AnalyticsRole& role_;
    RoomFigures figures_;
};

AnalyticsRole::AnalyticsRole(metrics::Registry& metrics)
    : floods_(counter(metrics, "flood")), repeats_(counter(metrics, "repeat")) {}

const std::string& AnalyticsRole::name() const {
    static const std::string name = kName;
    return name;
}

std::unique_ptr<RoomWork> AnalyticsRole::open(const RoomId&, std::string_view saved) {
    return std::make_unique<InRoom>(*this, RoomFigures::parse(saved));
}

Result<std::optional<std::string>> AnalyticsRole::room(store::Ledger& ledger, const std::string& room, WallTime now) {
    const auto row = ledger.row(kRooms + room);
    if (!row) return fail(row.error());
    if (!*row) return std::optional<std::string>{};
    return figures_of(**row).json(room, now, true);
}

Result<std::string> AnalyticsRole::rooms(store::Ledger& ledger, const std::string& after, std::size_t limit,
                                         WallTime now) {
    const auto rows = ledger.rows(kRooms, after.empty() ? after : kRooms + after, limit);
    if (!rows) return fail(rows.error());
    std::string out = R"({"rooms":[)";
    for (const store::LedgerRow& row : *rows) {
        if (out.back() != '[') out += ',';
        out += figures_of(row).json(row.key.substr(kRooms.size()), now, false);
    }
    out += ']';
    if (rows->size() == limit) {
        out += R"(,"next":)";
        append_json_string(out, rows->back().key.substr(kRooms.size()));
    }
    return out + '}';
}

}  // namespace parley::worker
