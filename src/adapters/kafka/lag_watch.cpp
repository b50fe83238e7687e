#include "adapters/kafka/lag_watch.h"

#include <pthread.h>

#include <algorithm>

#include "adapters/kafka/kafka_log.h"

namespace parley::kafka {
namespace {

constexpr milliseconds kPatience{1'500};

}  // namespace

LagWatch::LagWatch(LagWatchOptions options, KafkaLog& log, log::MessageTable& table)
    : options_(std::move(options)),
      log_(log),
      table_(table),
      partitions_(static_cast<std::uint32_t>(log.positions().size())) {
    auto unknown = std::make_shared<Lags>(Lags{{"sender", {}}, {kTableWriters, {}}});
    for (const std::string& group : options_.groups) unknown->push_back({group, {}});
    alarms_.assign(unknown->size(), LagAlarm{options_.warn_at});
    last_ = std::move(unknown);
}

Result<std::unique_ptr<LagWatch>> LagWatch::open(const Settings& settings, LagWatchOptions options, KafkaLog& log,
                                                 log::MessageTable& table) {
    std::unique_ptr<LagWatch> watch{new LagWatch{std::move(options), log, table}};
    auto topic = GroupAdmin::open(settings, {}, watch->partitions_, kPatience);
    if (!topic) return fail(topic.error());
    watch->topic_ = std::move(*topic);
    for (const std::string& name : watch->options_.groups) {
        auto group = GroupAdmin::open(settings, settings.group_prefix + name + watch->options_.group_end,
                                      watch->partitions_, kPatience);
        if (!group) return fail(group.error());
        watch->groups_.push_back(std::move(*group));
    }
    watch->thread_ = std::thread{[self = watch.get()] { self->run(); }};
    return watch;
}

LagWatch::~LagWatch() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    stopped_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const LagWatch::Lags> LagWatch::last() const {
    const std::lock_guard lock{mutex_};
    return last_;
}

void LagWatch::run() {
    ::pthread_setname_np(::pthread_self(), "kafka-lag");
    for (;;) {
        look();
        std::unique_lock lock{mutex_};
        if (stopped_.wait_for(lock, options_.every, [this] { return stopping_; })) return;
    }
}

Result<LagWatch::Positions> LagWatch::table_positions() {
    const auto stored = table_.positions();
    if (!stored) return fail(stored.error());
    Positions out(partitions_);
    for (const auto& [partition, next] : *stored) out.at(partition) = next;
    return out;
}

Result<LagWatch::Positions> LagWatch::group_positions(GroupAdmin& group) {
    const auto committed = group.positions();
    if (!committed) return fail(committed.error());
    if (std::ranges::none_of(*committed, [](const auto& one) { return one.has_value(); }))
        return fail(Code::kNotFound, "the group has not begun");
    Result<std::vector<TopicFacts::Range>> kept = std::vector<TopicFacts::Range>{};
    Positions out;
    for (std::uint32_t i = 0; i < partitions_; ++i) {
        if (!(*committed)[i] && kept->empty()) kept = topic_->ranges();
        if (!kept) return fail(kept.error());
        out.push_back((*committed)[i] ? *(*committed)[i] : (*kept)[i].begin);
    }
    return out;
}

void LagWatch::look() {
    const auto is_over = [this] {
        const std::lock_guard lock{mutex_};
        return stopping_;
    };
    auto lags = std::make_shared<Lags>(*last());
    for (auto& lag : *lags) lag.by_partition.clear();
    // The end first: what is stored meanwhile is nobody's delay.
    const auto ends = topic_->ends();
    for (std::size_t i = 0; ends && i < lags->size() && !is_over(); ++i) {
        const auto positions = i == 0   ? Result<Positions>{log_.positions()}
                               : i == 1 ? table_positions()
                                        : group_positions(*groups_[i - 2]);
        if (!positions) continue;
        for (std::uint32_t p = 0; p < partitions_; ++p) {
            const std::uint64_t end = (*ends)[p];
            (*lags)[i].by_partition.push_back(end > (*positions)[p] ? end - (*positions)[p] : 0);
        }
        const std::uint64_t records = (*lags)[i].total();
        const auto change = alarms_[i].see(records);
        if (change != LagAlarm::Change::kNone && options_.on_change)
            options_.on_change((*lags)[i].reader, records, change);
    }
    const std::lock_guard lock{mutex_};
    last_ = std::move(lags);
}

}  // namespace parley::kafka
