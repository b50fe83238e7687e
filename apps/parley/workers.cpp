#include "workers.h"

#include <charconv>
#include <thread>

#include "base/config_keys.h"
#include "base/uuid.h"
#include "gateway/notifications.h"
#include "worker/analytics.h"

namespace parley::app {
namespace {

constexpr std::size_t kMostRows = 500;
constexpr milliseconds kListAlone{10 * 60'000};  ///< its own hints do not get lost
constexpr milliseconds kListInFleet{30'000};
constexpr milliseconds kListUnheard{2'000};  ///< nobody tells what other servers store

Result<std::size_t> limit_of(const wire::QueryParams& query) {
    const auto text = query.get("limit");
    if (!text) return 100;
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size() || value == 0)
        return fail(Code::kBadRequest, "limit must be a whole number, 1 or more");
    return std::min(value, kMostRows);
}

}  // namespace

Workers::Workers(const Config& config, Parts parts)
    : parts_(std::move(parts)), threads_(static_cast<std::size_t>(config.get(keys::kafka_workers))) {
    if (parts_.stores.ledger_is_shared) server_ = random_hex(8);
}

Result<std::unique_ptr<Workers>> Workers::open(const Config& config, const std::vector<std::string>& roles,
                                               Parts parts) {
    std::unique_ptr<Workers> workers{new Workers{config, std::move(parts)}};
    for (const std::string& name : roles) {  // db-writer works as soon as the stores are open
        Result<> started;
        if (name == "analytics")
            started = workers->start(std::make_unique<worker::AnalyticsRole>(workers->parts_.metrics));
        if (name == "notification") started = workers->start(workers->notification());
        if (!started) return fail(started.error());
    }
    return workers;
}

/// All at once: each may have to wait.
Workers::~Workers() {
    std::vector<std::jthread> ending;
    for (Running& running : running_) {
        running.gauges.clear();
        ending.emplace_back([&running] {
            running.runner.reset();
            running.group.reset();
        });
    }
}

std::unique_ptr<worker::Role> Workers::notification() {
    return std::make_unique<worker::NotificationRole>(
        *parts_.stores.directory, parts_.clock, parts_.present,
        [&log = *parts_.stores.log, &bus = parts_.bus](const worker::NotificationRole::Notification& one, auto done) {
            gateway::notify_once(log, bus, one.member, one.key, one.json, std::move(done));
        });
}

Result<> Workers::start(std::unique_ptr<worker::Role> role) {
    Running running;
    running.role = std::move(role);
    if (!parts_.stores.share_reading) {
        run_alone(running);
    } else if (auto joined = run_in_group(running); !joined) {
        return joined;
    }
    running_.push_back(std::move(running));
    return {};
}

template <class AtWork, class Behind>
void Workers::show(Running& running, AtWork at_work, Behind behind) {
    const metrics::Labels labels{{"role", running.role->name()}};
    running.gauges.push_back(parts_.metrics.gauge(
        "parley_worker_at_work", "1 where this server works for the role", [at_work] { return at_work() ? 1.0 : 0.0; },
        labels));
    running.gauges.push_back(parts_.metrics.gauge(
        "parley_worker_rooms_behind", "Rooms with messages that the role has not done",
        [behind] { return static_cast<double>(behind()); }, labels));
}

void Workers::run_alone(Running& running) {
    worker::Reader::Options options;
    options.server = server_;
    options.list_every = [shared = parts_.stores.ledger_is_shared, hears = parts_.hears_others] {
        if (!shared) return kListAlone;
        return hears() ? kListInFleet : kListUnheard;
    };
    running.runner =
        std::make_unique<worker::Runner>(worker::Reader::Parts{*parts_.stores.log, parts_.stores.list_rooms,
                                                               *parts_.stores.ledger, parts_.clock, parts_.metrics},
                                         std::move(options), *running.role);
    const worker::Reader& reader = running.runner->reader();
    show(
        running, [&reader] { return reader.is_at_work(); }, [&reader] { return reader.rooms_behind(); });
}

Result<> Workers::run_in_group(Running& running) {
    worker::Reader::Options options;
    options.on_dead_letter = [put = parts_.stores.put_dead_letter, role = running.role->name()](
                                 const Message& message, const std::string& reason) {
        return put(role, message, reason);
    };
    auto group =
        worker::GroupRunner::open({*parts_.stores.log, {}, *parts_.stores.ledger, parts_.clock, parts_.metrics},
                                  options, *running.role, threads_, parts_.stores.share_reading);
    if (!group) return fail(group.error());
    running.group = std::move(*group);
    const worker::GroupRunner& runner = *running.group;
    show(
        running, [&runner] { return runner.partitions() > 0; }, [&runner] { return runner.rooms_behind(); });
    return {};
}

void Workers::hint(const bus::MessageBatch& messages) {
    for (const Running& running : running_) {
        if (running.runner != nullptr) running.runner->hint(messages);
    }
}

void Workers::missed() {
    for (const Running& running : running_) {
        if (running.runner != nullptr) running.runner->missed();
    }
}

std::vector<std::string> Workers::faults() const {
    std::vector<std::string> out;
    for (const Running& running : running_) {
        const bool well = running.group != nullptr ? running.group->is_well() : !running.runner->reader().is_stuck();
        if (!well) out.push_back(running.role->name());
    }
    return out;
}

Result<std::optional<std::string>> Workers::analytics(const wire::QueryParams& query) {
    const auto limit = limit_of(query);
    if (!limit) return fail(limit.error());
    auto rooms = worker::AnalyticsRole::rooms(*parts_.stores.ledger, query.get("after").value_or(""), *limit,
                                              parts_.clock.wall());
    if (!rooms) return fail(rooms.error());
    return std::move(*rooms);
}

Result<std::optional<std::string>> Workers::read(const std::string& path, const wire::QueryParams& query) {
    constexpr std::string_view kAnalytics = "/admin/api/analytics";
    if (path == "/admin/api/dead-letters") return dead_letters(query);
    if (path == kAnalytics) return analytics(query);
    if (!path.starts_with(std::string{kAnalytics} + '/')) return std::optional<std::string>{};
    const auto segments = wire::split_path(path);
    if (!segments) return fail(segments.error());
    const auto room = segments->size() == 4 ? RoomId::parse(segments->back()) : RoomId::parse({});
    if (!room) return std::optional<std::string>{};
    return worker::AnalyticsRole::room(*parts_.stores.ledger, room->str(), parts_.clock.wall());
}

Result<std::optional<std::string>> Workers::dead_letters(const wire::QueryParams& query) {
    const auto limit = limit_of(query);
    if (!limit) return fail(limit.error());
    const std::string role = query.get("role").value_or("notification");
    worker::DeadLetters dead{*parts_.stores.ledger, role, parts_.clock};
    auto page = dead.list(query.get("after").value_or(""), *limit);
    if (!page) return fail(page.error());
    std::string json = R"({"deadLetters":)" + page->json;
    if (!page->next.empty()) {
        json += R"(,"next":)";
        append_json_string(json, page->next);
    }
    return json + '}';
}

}  // namespace parley::app
