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
        // Stopped: what was gathered is left to who comes after.
        if (!stopping_ && !gathered_.moved.empty() && settle(kUnderWay - 1)) hand_over();
    }
    settle(0);
    member_->leave();
}

/// What comes until the batch is full or its time is over.
void TableWriter::gather() {
    auto end = steady_clock::time_point::max();
    const auto& rows = gathered_.rows;
    const auto& moved = gathered_.moved;
    while (!stopping_ && !stopped_ && rows.size() < options_.batch_messages && steady_clock::now() < end) {
        const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
        const auto wait = moved.empty() ? kLook : std::min(kLook, left);
        if (!sent_.empty() && sent_.front().stored.wait_for(milliseconds{0}) == std::future_status::ready &&
            !settle(sent_.size() - 1))
            return;
        const auto records = member_->read(wait, options_.batch_messages - rows.size());
        if (!records) {
            stop_for_good(records.error().message);
            return;
        }
        for (const InRecord& record : *records) take(record);
        if (moved.empty()) on_trouble(member_->waiting_for());
        if (!moved.empty() && end == steady_clock::time_point::max()) end = steady_clock::now() + options_.batch_time;
    }
}

void TableWriter::take(const InRecord& record) {
    const auto owned = owned_.find(record.partition);
    if (owned == owned_.end() || record.offset < owned->second.next) return;
    owned->second.next = record.offset + 1;
    gathered_.moved[record.partition] = record.offset + 1;
    const auto head = parse_head(record);
    if (!head) return;
    auto drafts = decode(record, *head);
    const auto counted = owned->second.counter.count(record, *head);
    for (std::size_t i = 0; i < counted.size(); ++i) {
        if (counted[i].repeated) continue;
        gathered_.rows.push_back({record.partition, record.offset,
                                  log::hold(std::move(drafts[i]), RoomId::trusted(std::string{head->room}),
                                            counted[i].seq, counted[i].created_at)});
    }
}

void TableWriter::hand_over() {
    Batch& batch = sent_.emplace_back(std::exchange(gathered_, {}));
    for (const auto& [partition, next] : batch.moved) batch.positions.push_back({partition, next});
    begin_to_store(batch);
}

void TableWriter::begin_to_store(Batch& batch) {
    std::promise<Result<>> stored;
    batch.stored = stored.get_future();
    // There is room: no more than kUnderWay are handed over.
    (void)storer_.try_submit([this, &batch, stored = std::move(stored)]() mutable {
        Result<> result = fail(Code::kStoreUnavailable, "one before it is not there");
        if (!holding_) result = table_.store(batch.rows, batch.positions);
        holding_ = !result;
        stored.set_value(std::move(result));
    });
}

/// What another member takes over meanwhile is stored by both alike.
bool TableWriter::settle(std::size_t most) {
    while (sent_.size() > most) {
        const auto stored = sent_.front().stored.get();
        if (stored) {
            on_trouble(member_->waiting_for());
            stored_ += sent_.front().rows.size();
            // For tools that show how far the group is; nobody begins at them.
            if (!sent_.front().moved.empty()) member_->commit(sent_.front().moved);
            sent_.pop_front();
            continue;
        }
        for (auto behind = sent_.begin() + 1; behind != sent_.end(); ++behind) behind->stored.wait();
        if (!may_try_again(stored.error())) {
            sent_.clear();
            return false;
        }
        holding_ = false;
        for (Batch& batch : sent_) begin_to_store(batch);
    }
    return !stopped_;
}

bool TableWriter::may_try_again(const Error& error) {
    if (error.code == Code::kInternal) {
        stop_for_good(error.message);
        return false;
    }
    on_trouble(error.message);
    return wait_to_try_again();
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
        gathered_.moved.erase(number);
        std::erase_if(gathered_.rows, [number](const auto& row) { return row.partition == number; });
        for (Batch& batch : sent_) batch.moved.erase(number);
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
