#include "adapters/kafka/kafka_log.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <charconv>

#include "adapters/kafka/murmur2.h"
#include "adapters/kafka/producer.h"
#include "adapters/kafka/table_progress.h"
#include "adapters/kafka/topic.h"
#include "adapters/kafka/topic_reader.h"
#include "base/logger.h"
#include "base/uuid.h"
#include "log/held_message.h"

namespace parley::kafka {
namespace {

using log::AppendDone;
using log::AppendRequest;
using std::chrono::steady_clock;

constexpr milliseconds kReadWait{20};
constexpr seconds kBetweenWords{1};
constexpr std::size_t kMessageOverhead = 400;  // ids, headers and JSON around one message

std::uint64_t random_number() {
    const std::string hex = random_hex(8);
    std::uint64_t out = 0;
    std::from_chars(hex.data(), hex.data() + hex.size(), out, 16);
    return out;
}

std::size_t bytes_of(const AppendRequest& request) {
    std::size_t out = 0;
    for (const Draft& draft : request.drafts)
        out += draft.nickname.size() + draft.content.size() + draft.extra.size() + kMessageOverhead;
    return out;
}

}  // namespace

KafkaLog::KafkaLog(Settings settings, KafkaLogOptions options, log::MessageTable& table, const Clock& clock)
    : settings_(std::move(settings)),
      options_(std::move(options)),
      table_(table),
      clock_(clock),
      server_(random_number()),
      waiting_(options_.queue_limit, options_.patience) {}

Result<std::unique_ptr<KafkaLog>> KafkaLog::open(const Settings& settings, KafkaLogOptions options,
                                                 log::MessageTable& table, const Clock& clock) {
    std::unique_ptr<KafkaLog> log{new KafkaLog{settings, std::move(options), table, clock}};
    if (auto started = log->start(); !started) return fail(started.error());
    return log;
}

Result<> KafkaLog::start() {
    auto client = Client::open(Client::Kind::kConsumer, settings_, {}, nullptr);
    if (!client) return fail(client.error());
    const auto topic = open_topic(**client, settings_);
    if (!topic) return fail(topic.error());
    const auto count = static_cast<std::uint32_t>(topic->partitions.size());
    std::vector<log::Position> beginnings;
    for (std::uint32_t i = 0; i < count; ++i) beginnings.push_back({i, topic->partitions[i].begin});
    if (auto ours = table_.claim({topic->cluster, settings_.topic, count, settings_.dedup_window}, beginnings); !ours)
        return ours;
    if (auto loaded = load_partitions(**client, count); !loaded) return loaded;

    std::vector<TopicReader::Start> starts;
    for (std::uint32_t i = 0; i < count; ++i) {
        const Partition& partition = partitions_[i];
        const bool look_back = partition.expected && partition.expected->offset >= topic->partitions[i].begin;
        starts.push_back({i, look_back ? partition.expected->offset : partition.next});
    }
    recent_ = std::make_unique<Recent>(count, options_.recent_limit);
    auto reader = TopicReader::open(settings_, starts);
    if (!reader) return fail(reader.error());
    reader_ = std::move(*reader);
    for (std::uint32_t i = 0; i < count; ++i)
        ends_.push_back(std::make_unique<SharedQuestion>([reader = reader_.get(), i] { return reader->end_of(i); }));
    if (auto read = catch_up(*topic); !read) return read;
    faults_ = std::make_unique<PartitionFaults>(count);
    auto producer = Producer::open(
        settings_, count,
        [this](std::uint64_t number, std::uint32_t partition, const Error* why) { on_sent(number, partition, why); });
    if (!producer) return fail(producer.error());
    producer_ = std::move(*producer);
    reading_ = std::thread{[this] { read_topic(); }};
    asking_ = std::thread{[this] { ask_table(); }};
    return {};
}

Result<> KafkaLog::load_partitions(Client& client, std::uint32_t count) {
    const auto any = table_.head(RoomId::trusted("~probe"));
    if (!any) return fail(any.error());
    epoch_ = any->epoch;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto checkpoint = table_.checkpoint(i);
        if (!checkpoint) return fail(checkpoint.error());
        // After the checkpoint: others go on writing both.
        const auto kept = range_of(client, settings_, i, checkpoint->next);
        if (!kept) return fail(kept.error());
        if (checkpoint->next < kept->begin || checkpoint->next > kept->end)
            return fail(unavailable(
                fmt::format("topic {}: partition {} holds offsets {} to {}, and the store has all below {}: {}",
                            settings_.topic, i, kept->begin, kept->end, checkpoint->next,
                            checkpoint->next < kept->begin ? "records were removed before they were stored"
                                                           : "the topic was made anew, or has lost records")));
        Partition partition{PartitionCounter{settings_.dedup_window, *checkpoint}, checkpoint->next};
        if (!checkpoint->window.empty()) {
            const auto& last = checkpoint->window.back();
            partition.expected = {last.offset, last.room, last.id};
        }
        partitions_.push_back(std::move(partition));
    }
    return {};
}

/// To where the topic ended when it was opened: under load its end may never be met. Kafka may be slow, but may not
/// stand still.
Result<> KafkaLog::catch_up(const TopicFacts& topic) {
    const auto is_read = [&](std::uint32_t i) {
        const Partition& partition = partitions_[i];
        const TopicFacts::Range& kept = topic.partitions[i];
        const bool is_to_be_compared = partition.expected && partition.expected->offset >= kept.begin;
        return reader_->has_caught_up(i) || (partition.next >= kept.end && !is_to_be_compared);
    };
    auto limit = steady_clock::now() + settings_.connect_limit;
    for (std::uint32_t i = 0; i < partitions_.size();) {
        if (is_read(i)) {
            ++i;
            continue;
        }
        const auto records = reader_->read(kReadWait);
        if (!records) return fail(records.error());
        if (auto passed = pass(*records); !passed) return passed;
        const auto now = steady_clock::now();
        if (!records->empty()) limit = now + settings_.connect_limit;
        if (now > limit)
            return fail(
                unavailable(fmt::format("topic {} cannot be read to its end{}", settings_.topic, reader_->trouble())));
    }
    return {};
}

KafkaLog::~KafkaLog() {
    closing_ = true;
    if (reading_.joinable()) waiting_.wait_until_empty();
    stopping_ = true;
    if (asking_.joinable()) asking_.join();
    if (reading_.joinable()) reading_.join();
    producer_.reset();
}

void KafkaLog::on_commit(CommitListener listener) {
    const std::lock_guard lock{listener_mutex_};
    listener_ = std::move(listener);
}

void KafkaLog::on_own_commit(CommitListener listener) {
    const std::lock_guard lock{listener_mutex_};
    own_listener_ = std::move(listener);
}

void KafkaLog::append_all(std::vector<log::Append> appends) {
    for (log::Append& each : appends) {
        const std::uint32_t partition = number_of(each.request.room);
        if (closing_ || broken_ || !faults_->may_try(partition, steady_clock::now())) {
            refuse(each.done, {Code::kStoreUnavailable, "the message store is not taking writes"});
        } else {
            send(std::move(each.request), partition, std::move(each.done));
        }
    }
}

void KafkaLog::send(AppendRequest request, std::uint32_t partition, AppendDone done) {
    request.give_ids(clock_.wall());
    for (const Draft& draft : request.drafts) {
        // No database holds it.
        if (draft.nickname.find('\0') != std::string::npos || draft.content.find('\0') != std::string::npos) {
            refuse(done, {Code::kInvalidPayload, "U+0000 cannot be stored"});
            return;
        }
    }
    const auto now = steady_clock::now();
    AppendDone counted = [this, begun = now,
                          done = std::move(done)](Result<std::vector<log::Appended>> answer) mutable {
        if (answer) {
            counters_.count_commit(std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun));
        } else {
            ++counters_.refused;
        }
        done(std::move(answer));
    };
    const auto number = waiting_.add(counted, partition, bytes_of(request), now);
    if (!number) {
        counted(fail(Code::kStoreUnavailable, "too much is waiting for the message store"));
        return;
    }
    producer_->send(encode(request, clock_.wall(), {server_, *number}), *number);
}

void KafkaLog::on_sent(std::uint64_t number, std::uint32_t partition, const Error* why) {
    if (why == nullptr) {
        waiting_.stored(number);
        return;
    }
    if (why->code != Code::kMessageTooLarge) fault(partition, why->message);
    waiting_.refuse(number, *why);
}

void KafkaLog::read_topic() {
    ::pthread_setname_np(::pthread_self(), "kafka-reader");
    const Error late = unavailable("a message was not read back in time");
    while (!stopping_) {
        if (broken_) {
            waiting_.refuse_all(late);
            std::this_thread::sleep_for(kReadWait);
            continue;
        }
        const auto records = reader_->read(kReadWait);
        in_doubt_ = !reader_->doubt().empty();
        const Result<> passed = records ? pass(*records) : fail(records.error());
        if (!passed) give_up(passed.error().message);
        for (const auto partition : waiting_.expire(steady_clock::now(), late))
            fault(partition, late.message + reader_->trouble());
        try_untried();
    }
}

/// A message of the log's own tells when the partition takes records again, as the probe's does for all of it.
void KafkaLog::try_untried() {
    const auto partition = closing_ ? std::nullopt : faults_->untried(steady_clock::now());
    if (!partition) return;
    std::size_t name = 0;
    const auto room = [&name] { return RoomId::trusted(fmt::format("~probe.{}", name)); };
    while (number_of(room()) != *partition) ++name;
    Draft draft;
    draft.sender = MemberId::trusted("~probe");
    draft.nickname = "probe";
    draft.type = MessageType::kSystem;
    draft.content = "probe";
    send({room(), {std::move(draft)}}, *partition, [](const auto&) {});
}

Result<> KafkaLog::check(Partition& partition, const InRecord& record) const {
    if (!partition.expected || record.offset != partition.expected->offset) return {};
    const auto head = parse_head(record);
    const std::string& id = partition.expected->id.str();
    const bool same = head && head->room == partition.expected->room.str() &&
                      (is_made_up(id) || std::any_of(head->messages.begin(), head->messages.end(),
                                                     [&](const auto& ids) { return ids.id == id; }));
    partition.expected.reset();
    if (same) return {};
    return fail(
        unavailable(fmt::format("topic {}: the record at {}:{} is another one than the store has from there: "
                                "the topic was made anew",
                                settings_.topic, record.partition, record.offset)));
}

/// Counts what was read, tells it, and answers those of this server's appends that are among it.
Result<> KafkaLog::pass(std::span<const InRecord> records) {
    struct Read {
        const InRecord* record;
        RecordHead head;
        std::vector<Draft> drafts;
    };
    std::vector<Read> reads;
    for (const InRecord& record : records) {
        Partition& partition = partitions_[record.partition];
        if (record.offset < partition.next) {
            if (auto same = check(partition, record); !same) return same;
            continue;
        }
        auto head = parse_head(record);
        if (!head) {
            leave_out(record);
            continue;
        }
        auto drafts = decode(record, *head);
        reads.push_back({&record, std::move(*head), std::move(drafts)});
    }
    std::vector<MessageRef> fresh;
    std::vector<MessageRef> own;
    std::vector<std::tuple<std::uint64_t, std::uint32_t, std::vector<log::Appended>>> answers;
    {
        const std::lock_guard lock{state_mutex_};
        for (auto& [record, head, drafts] : reads) {
            const RoomId room = RoomId::trusted(std::string{head.room});
            const auto counted = partitions_[record->partition].counter.count(*record, head);
            const bool is_own = head.ticket && head.ticket->server == server_;
            std::vector<log::Appended> answer;
            for (std::size_t i = 0; i < counted.size(); ++i) {
                answer.push_back({counted[i].seq, counted[i].created_at, counted[i].repeated});
                if (counted[i].repeated) {
                    ++counters_.repeats;
                    continue;
                }
                fresh.push_back(log::hold(std::move(drafts[i]), room, counted[i].seq, counted[i].created_at));
                recent_->add(record->partition, record->offset, fresh.back());
                if (is_own) own.push_back(fresh.back());
            }
            if (is_own) answers.emplace_back(head.ticket->number, record->partition, std::move(answer));
        }
        const auto was_read = [this](std::uint32_t partition, std::uint64_t to) {
            auto& next = partitions_[partition].next;
            next = std::max(next, to);
        };
        for (const InRecord& record : records) was_read(record.partition, record.offset + 1);
        for (const auto& [partition, end] : reader_->ends()) was_read(partition, end);
    }
    passed_.notify_all();
    counters_.messages += fresh.size();
    if (!fresh.empty()) {
        const std::lock_guard lock{listener_mutex_};
        if (listener_) listener_(fresh);
        if (own_listener_ && !own.empty()) own_listener_(own);
    }
    for (auto& [number, partition, answer] : answers) {
        recovered(partition);
        waiting_.read_back(number, std::move(answer));
    }
    return {};
}

/// Somebody else's; it has no number at any reader.
void KafkaLog::leave_out(const InRecord& record) {
    ++counters_.left_out;
    const auto now = steady_clock::now();
    if (now < next_word_of_left_out_) return;
    next_word_of_left_out_ = now + kBetweenWords;
    logger::warn("kafka", "a record of the topic is no message and was left out",
                 {{"partition", record.partition}, {"offset", record.offset}});
}

/// What the table has need not be kept here.
void KafkaLog::ask_table() {
    ::pthread_setname_np(::pthread_self(), "kafka-table");
    TableProgress progress{static_cast<std::uint32_t>(partitions_.size()), options_.table_patience};
    auto next = steady_clock::now();
    while (!stopping_) {
        std::this_thread::sleep_for(kReadWait);
        if (steady_clock::now() < next) continue;
        next = steady_clock::now() + options_.ask_table_every;
        const auto positions = table_.positions();
        const auto now = steady_clock::now();
        table_answers_ = positions.has_value();
        if (positions) {
            const std::lock_guard lock{state_mutex_};
            for (const auto& [partition, stored] : *positions) {
                recent_->stored(partition, stored);
                progress.see(partition, stored, recent_->has_any(partition), now);
            }
        } else {
            progress.lose_sight();
        }
        table_stands_still_ = progress.stands_still(now);
    }
}

void KafkaLog::refuse(AppendDone& done, const Error& error) {
    ++counters_.refused;
    done(fail(error));
}

void KafkaLog::fault(std::uint32_t partition, const std::string& reason) {
    const std::lock_guard lock{fault_mutex_};
    if (!faults_->any()) ++counters_.faults;
    const std::string news = faults_->begin(partition, reason, steady_clock::now());
    if (!news.empty() && options_.on_trouble) options_.on_trouble(news);
}

void KafkaLog::recovered(std::uint32_t partition) {
    if (!faults_->any()) return;
    const std::lock_guard lock{fault_mutex_};
    if (faults_->end(partition) && options_.on_trouble) options_.on_trouble({});
}

void KafkaLog::give_up(const std::string& reason) {
    const std::lock_guard lock{fault_mutex_};
    ++counters_.faults;
    broken_why_ = reason;
    broken_ = true;
    if (options_.on_trouble) options_.on_trouble(reason);
}

std::string KafkaLog::broken() const {
    const std::lock_guard lock{fault_mutex_};
    return broken_why_;
}

std::vector<std::uint64_t> KafkaLog::positions() {
    const std::lock_guard lock{state_mutex_};
    std::vector<std::uint64_t> out;
    for (const Partition& partition : partitions_) out.push_back(partition.next);
    return out;
}

log::LogStats KafkaLog::stats() const {
    log::LogStats out = counters_.read();
    out.queue_bytes = waiting_.bytes();
    out.available = !faults_->any() && !in_doubt_ && !broken_;
    return out;
}

}  // namespace parley::kafka
