#include "adapters/kafka/table_writer.h"

#include <pthread.h>

#include <chrono>
#include <utility>

#include "log/held_message.h"

namespace parley::kafka {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kLook{20};

}  // namespace

TableWriter::TableWriter(Settings settings, TableWriterOptions options, log::MessageTable& table)
    : settings_(std::move(settings)), options_(std::move(options)), table_(table) {}

Result<std::unique_ptr<TableWriter>> TableWriter::open(const Settings& settings, TableWriterOptions options,
                                                       log::MessageTable& table) {
    std::unique_ptr<TableWriter> writer{new TableWriter{settings, std::move(options), table}};
    auto member = GroupMember::open(settings, writer->options_.group, writer->options_.between_tries, *writer);
    if (!member) return fail(member.error());
    writer->member_ = std::move(*member);
    writer->thread_ = std::thread{[self = writer.get()] { self->run(); }};
    return writer;
}

TableWriter::~TableWriter() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    member_->stop();
    thread_.join();
}

void TableWriter::run() {
    ::pthread_setname_np(::pthread_self(), "db-writer");
    while (!stopping_ && !stopped_) {
        gather();
        // Stopped while a batch could not be stored: what was gathered behind it must not move the positions past it.
        if (!stopping_ && !moved_.empty() && settle()) hand_over();
    }
    settle();
    member_->leave();
}

/// What comes until the batch is full or its time is over.
void TableWriter::gather() {
    auto end = steady_clock::time_point::max();
    while (!stopping_ && !stopped_ && batch_.size() < options_.batch_messages && steady_clock::now() < end) {
        const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
        const auto wait = moved_.empty() ? kLook : std::min(kLook, left);
        if (storing_.valid() && storing_.wait_for(milliseconds{0}) == std::future_status::ready && !settle()) return;
        const auto records = member_->read(wait, options_.batch_messages - batch_.size());
        if (!records) {
            stop_for_good(records.error().message);
            return;
        }
        for (const InRecord& record : *records) take(record);
        if (moved_.empty()) on_trouble(member_->waiting_for());
        if (!moved_.empty() && end == steady_clock::time_point::max()) end = steady_clock::now() + options_.batch_time;
    }
}

void TableWriter::take(const InRecord& record) {
    const auto owned = owned_.find(record.partition);
    if (owned == owned_.end() || record.offset < owned->second.next) return;
    owned->second.next = record.offset + 1;
    moved_[record.partition] = record.offset + 1;
    const auto head = parse_head(record);
    if (!head) return;
    auto drafts = decode(record, *head);
    const auto counted = owned->second.counter.count(record, *head);
    for (std::size_t i = 0; i < counted.size(); ++i) {
        if (counted[i].repeated) continue;
        batch_.push_back({record.partition, record.offset,
                          log::hold(std::move(drafts[i]), RoomId::trusted(std::string{head->room}), counted[i].seq,
                                    counted[i].created_at)});
    }
}

/// The next batch is gathered while this one is stored.
void TableWriter::hand_over() {
    sent_ = std::exchange(batch_, {});
    sent_moved_ = std::exchange(moved_, {});
    sent_positions_.clear();
    for (const auto& [partition, next] : sent_moved_) sent_positions_.push_back({partition, next});
    begin_to_store();
}

void TableWriter::begin_to_store() {
    std::promise<Result<>> stored;
    storing_ = stored.get_future();
    // There is room: one at a time is handed over.
    (void)storer_.try_submit(
        [this, stored = std::move(stored)]() mutable { stored.set_value(table_.store(sent_, sent_positions_)); });
}

/// Until what was handed over is there. What another member takes over meanwhile is stored by both alike.
bool TableWriter::settle() {
    if (!storing_.valid()) return !stopped_;
    for (auto stored = storing_.get(); !stored; stored = storing_.get()) {
        if (stored.error().code == Code::kInternal) {
            stop_for_good(stored.error().message);
            return false;
        }
        on_trouble(stored.error().message);
        if (!wait_to_try_again()) return false;
        begin_to_store();
    }
    on_trouble(member_->waiting_for());
    stored_ += sent_.size();
    // For tools that show how far the group is; nobody begins at them.
    if (!sent_moved_.empty()) member_->commit(sent_moved_);
    return true;
}

Result<std::uint64_t> TableWriter::on_assigned(std::uint32_t partition) {
    const auto checkpoint = table_.checkpoint(partition);
    if (!checkpoint) return fail(checkpoint.error());
    owned_.insert_or_assign(partition, Owned{PartitionCounter{settings_.dedup_window, *checkpoint}, checkpoint->next});
    return checkpoint->next;
}

/// Who takes them over begins at the table's position, whether what is being stored is there yet or not.
void TableWriter::on_revoked(const GroupMember::Partitions& partitions) {
    for (const std::uint32_t number : partitions) {
        owned_.erase(number);
        moved_.erase(number);
        sent_moved_.erase(number);
        std::erase_if(batch_, [number](const auto& row) { return row.partition == number; });
    }
}

bool TableWriter::wait_to_try_again() {
    const auto end = steady_clock::now() + options_.between_tries;
    while (!stopping_ && steady_clock::now() < end) std::this_thread::sleep_for(kLook);
    return !stopping_;
}

void TableWriter::stop_for_good(const std::string& why) {
    stopped_ = true;
    on_trouble("stopped: " + why);
}

void TableWriter::on_trouble(const std::string& why) {
    if (why == trouble_ || (stopped_ && why.empty())) return;
    trouble_ = why;
    if (options_.on_trouble) options_.on_trouble(why);
    in_trouble_ = !why.empty();
}

}  // namespace parley::kafka
