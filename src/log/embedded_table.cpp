#include "log/embedded_table.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "log/records.h"
#include "rocks/explain.h"
#include "rocks/notes.h"
#include "rocks/open_files.h"

namespace parley::log {
namespace {

constexpr int kOpenFiles = 256;
/// Rows of the window are dropped in runs of about so many offsets.
constexpr std::uint64_t kWindowSlice = 4096;

// Keys (docs/storage-format.md). Numbers are big-endian; no room's id holds a NUL.
constexpr std::string_view kShapeKey = "shape";
constexpr char kPosition = 'P', kHead = 'H', kMessage = 'M', kWindow = 'W';

void put_number(std::string& out, std::uint64_t number, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}
std::uint64_t take_number(std::string_view& in, std::size_t bytes) {
    std::uint64_t out = 0;
    for (const char byte : in.substr(0, bytes)) out = out << 8 | static_cast<unsigned char>(byte);
    in.remove_prefix(std::min(bytes, in.size()));
    return out;
}
std::string of_partition(char kind, std::uint32_t partition) {
    std::string out{kind};
    put_number(out, partition, 4);
    return out;
}
std::string head_key(std::uint32_t partition, const RoomId& room) {
    return of_partition(kHead, partition) + room.str();
}
std::string room_prefix(const RoomId& room) { return kMessage + room.str() + '\0'; }
std::string message_key(const RoomId& room, RoomSeq seq) {
    std::string out = room_prefix(room);
    put_number(out, seq.value, 8);
    return out;
}
std::string window_key(std::uint32_t partition, std::uint64_t offset) {
    std::string out = of_partition(kWindow, partition);
    put_number(out, offset, 8);
    return out;
}

std::string place_of(const PlacedMessage& row) {
    std::string out;
    put_number(out, row.partition, 4);
    put_number(out, row.offset, 8);
    return out;
}
constexpr std::size_t kPlace = 12;

std::string encode(const TopicShape& shape, Epoch epoch) {
    std::string out{static_cast<char>(records::kFormat)};
    put_number(out, epoch.value, 8);
    put_number(out, shape.partitions, 4);
    put_number(out, shape.dedup_window, 8);
    return out + shape.cluster + '\0' + shape.topic;
}

bool is_known(std::string_view record) {
    return !record.empty() && static_cast<std::uint8_t>(record.front()) == records::kFormat;
}
Error unknown_format() { return {Code::kStoreUnavailable, "the topic's messages are of another Parley's format"}; }

std::string_view view(const rocksdb::Slice& slice) { return slice.ToStringView(); }

Result<MessageRef> decode(std::string_view record, const RoomId& room, RoomSeq seq) {
    if (record.size() < kPlace) return fail(unknown_format());
    auto message = records::decode_message(record.substr(kPlace), room, seq);
    if (!message) return fail(message.error());
    return MessageRef{std::make_shared<const Message>(std::move(*message))};
}

RoomSeq seq_in(std::string_view key) {
    key.remove_prefix(key.size() - 8);
    return {take_number(key, 8)};
}

}  // namespace

Result<std::unique_ptr<EmbeddedTable>> EmbeddedTable::open(const std::string& data_dir, const Clock& clock) {
    std::unique_ptr<EmbeddedTable> table{new EmbeddedTable{data_dir + "/topic", clock}};
    if (auto loaded = table->load(false); !loaded) return fail(loaded.error());
    return table;
}

Result<std::unique_ptr<EmbeddedTable>> EmbeddedTable::open_read_only(const std::string& data_dir, const Clock& clock) {
    std::unique_ptr<EmbeddedTable> table{new EmbeddedTable{data_dir + "/topic", clock}};
    if (auto loaded = table->load(true); !loaded) return fail(loaded.error());
    return table;
}

EmbeddedTable::EmbeddedTable(std::string folder, const Clock& clock) : folder_(std::move(folder)), clock_(clock) {}

EmbeddedTable::~EmbeddedTable() = default;

Error EmbeddedTable::unavailable(const rocksdb::Status& status) const {
    return rocks::explain(status, "the topic's messages in " + folder_,
                          "; stop the server and remove the folder: the topic is read again");
}

Result<> EmbeddedTable::load(bool read_only) {
    std::error_code error;
    if (!read_only) std::filesystem::create_directories(folder_, error);
    if (error) return fail(Code::kStoreUnavailable, "the folder " + folder_ + ": " + error.message());
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kLZ4Compression;
    options.write_buffer_size = (16_MiB).count;
    options.max_open_files = rocks::open_files(kOpenFiles);
    options.info_log = std::make_shared<rocks::Notes>("topic");
    options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    rocksdb::DB* db = nullptr;
    const auto opened =
        read_only ? rocksdb::DB::OpenForReadOnly(options, folder_, &db) : rocksdb::DB::Open(options, folder_, &db);
    if (!opened.ok()) return fail(unavailable(opened));
    db_.reset(db);

    std::string record;
    const auto status = db_->Get({}, rocksdb::Slice{kShapeKey.data(), kShapeKey.size()}, &record);
    if (status.IsNotFound()) {
        epoch_ = {static_cast<std::uint64_t>(clock_.wall().time_since_epoch().count())};
        return {};
    }
    if (!status.ok()) return fail(unavailable(status));
    if (!is_known(record)) return fail(unknown_format());
    std::string_view in = record;
    in.remove_prefix(1);
    epoch_ = {take_number(in, 8)};
    TopicShape shape;
    shape.partitions = static_cast<std::uint32_t>(take_number(in, 4));
    shape.dedup_window = take_number(in, 8);
    shape.cluster = in.substr(0, in.find('\0'));
    shape.topic = in.substr(std::min(shape.cluster.size() + 1, in.size()));
    shape_ = std::move(shape);
    return {};
}

Result<> EmbeddedTable::claim(const TopicShape& shape, std::span<const Position> beginnings) {
    const std::lock_guard lock{writing_};
    if (shape_) {
        if (*shape_ == shape) return {};
        return fail(Code::kBadRequest,
                    fmt::format("{} holds the messages of topic {} of cluster {} with {} partitions and a dedup window "
                                "of {}; this is topic {} of cluster {} with {} and {}",
                                folder_, shape_->topic, shape_->cluster, shape_->partitions, shape_->dedup_window,
                                shape.topic, shape.cluster, shape.partitions, shape.dedup_window));
    }
    rocksdb::WriteBatch batch;
    batch.Put(rocksdb::Slice{kShapeKey.data(), kShapeKey.size()}, encode(shape, epoch_));
    for (const Position& at : beginnings) {
        if (auto moved = move_position(batch, at); !moved) return moved;
    }
    if (auto written = write(batch); !written) return written;
    shape_ = shape;
    return {};
}

Result<std::vector<Position>> EmbeddedTable::positions() {
    std::vector<Position> out;
    const std::unique_ptr<rocksdb::Iterator> it{db_->NewIterator({})};
    for (it->Seek(std::string{kPosition}); it->Valid() && view(it->key()).front() == kPosition; it->Next()) {
        std::string_view key = view(it->key());
        std::string_view record = view(it->value());
        if (!is_known(record)) return fail(unknown_format());
        key.remove_prefix(1);
        record.remove_prefix(1);
        const auto partition = static_cast<std::uint32_t>(take_number(key, 4));
        out.push_back({partition, take_number(record, 8)});
    }
    if (!it->status().ok()) return fail(unavailable(it->status()));
    return out;
}

Result<Checkpoint> EmbeddedTable::checkpoint(std::uint32_t partition) {
    const std::lock_guard lock{writing_};
    Checkpoint out;
    const auto all = positions();
    if (!all) return fail(all.error());
    for (const Position& at : *all) {
        if (at.partition == partition) out.next = at.next;
    }
    const std::unique_ptr<rocksdb::Iterator> it{db_->NewIterator({})};
    const std::string heads = of_partition(kHead, partition);
    for (it->Seek(heads); it->Valid() && it->key().starts_with(heads); it->Next()) {
        std::string_view record = view(it->value());
        if (!is_known(record)) return fail(unknown_format());
        record.remove_prefix(1);
        const RoomSeq head{take_number(record, 8)};
        out.heads.push_back({RoomId::trusted(std::string{view(it->key()).substr(heads.size())}), head,
                             WallTime{milliseconds{take_number(record, 8)}}});
    }
    const std::uint64_t window = shape_ ? shape_->dedup_window : 0;
    const std::string rows = of_partition(kWindow, partition);
    for (it->Seek(window_key(partition, out.next < window ? 0 : out.next - window));
         it->Valid() && it->key().starts_with(rows); it->Next()) {
        std::string_view key = view(it->key()).substr(rows.size());
        Checkpoint::Row row;
        row.offset = take_number(key, 8);
        row.seq = seq_in(view(it->key()));
        row.room = RoomId::trusted(std::string{view(it->value())});
        const auto message = message_at(row.room, row.seq);
        if (!message) return fail(message.error());
        row.sender = message->sender;
        row.id = message->id;
        row.created_at = message->created_at;
        out.window.push_back(std::move(row));
    }
    if (!it->status().ok()) return fail(unavailable(it->status()));
    return out;
}

Result<> EmbeddedTable::store(std::span<const PlacedMessage> rows, std::span<const Position> positions) {
    const std::lock_guard lock{writing_};
    rocksdb::WriteBatch batch;
    std::map<std::string, const Message*> heads;
    for (const PlacedMessage& row : rows) {
        if (auto added = add_row(batch, row); !added) return added;
        heads[head_key(row.partition, row.message->room)] = row.message.get();
    }
    for (const auto& [key, message] : heads) {
        std::string known;
        const auto status = db_->Get({}, key, &known);
        if (!status.ok() && !status.IsNotFound()) return fail(unavailable(status));
        std::string_view in = known;
        in.remove_prefix(std::min<std::size_t>(1, in.size()));
        if (take_number(in, 8) >= message->seq.value) continue;
        std::string record{static_cast<char>(records::kFormat)};
        put_number(record, message->seq.value, 8);
        put_number(record, static_cast<std::uint64_t>(message->created_at.time_since_epoch().count()), 8);
        batch.Put(key, record);
    }
    for (const Position& position : positions) {
        if (auto moved = move_position(batch, position); !moved) return moved;
    }
    return write(batch);
}

Result<> EmbeddedTable::add_row(rocksdb::WriteBatch& batch, const PlacedMessage& row) {
    const Message& message = *row.message;
    const std::string key = message_key(message.room, message.seq);
    const std::string place = place_of(row);
    std::string known;
    const auto status = db_->Get({}, key, &known);
    if (status.ok()) {
        if (known.starts_with(place)) return {};
        std::string_view in = known;
        const auto partition = take_number(in, 4);
        return fail(Code::kInternal,
                    fmt::format("room {}, message {} is the record at {}:{} in the store and at {}:{} in the topic",
                                message.room.str(), message.seq.value, partition, take_number(in, 8), row.partition,
                                row.offset));
    }
    if (!status.IsNotFound()) return fail(unavailable(status));
    std::string record = records::encode_draft(message);
    records::stamp(record, message.created_at);
    batch.Put(key, place + record);
    std::string in_window = window_key(row.partition, row.offset);
    put_number(in_window, message.seq.value, 8);
    batch.Put(in_window, message.room.str());
    return {};
}

Result<> EmbeddedTable::move_position(rocksdb::WriteBatch& batch, const Position& position) {
    const std::string key = of_partition(kPosition, position.partition);
    std::string known;
    const auto status = db_->Get({}, key, &known);
    if (!status.ok() && !status.IsNotFound()) return fail(unavailable(status));
    std::string_view in = known;
    in.remove_prefix(std::min<std::size_t>(1, in.size()));
    const std::uint64_t before = take_number(in, 8);
    if (status.ok() && before >= position.next) return {};
    std::string record{static_cast<char>(records::kFormat)};
    put_number(record, position.next, 8);
    batch.Put(key, record);
    const std::uint64_t window = shape_ ? shape_->dedup_window : 0;
    if (window > 0 && position.next > window && before / kWindowSlice != position.next / kWindowSlice)
        batch.DeleteRange(window_key(position.partition, 0), window_key(position.partition, position.next - window));
    return {};
}

Result<> EmbeddedTable::write(rocksdb::WriteBatch& batch) {
    auto status = db_->Write({}, &batch);
    // After a failed write the store refuses all until it is told to go on.
    if (!status.ok() && db_->Resume().ok()) status = db_->Write({}, &batch);
    if (!status.ok()) return fail(unavailable(status));
    return {};
}

Result<Message> EmbeddedTable::message_at(const RoomId& room, RoomSeq seq) {
    std::string record;
    const auto status = db_->Get({}, message_key(room, seq), &record);
    if (!status.ok()) return fail(unavailable(status));
    if (record.size() < kPlace) return fail(unknown_format());
    return records::decode_message(std::string_view{record}.substr(kPlace), room, seq);
}

RoomSeq EmbeddedTable::head_of(rocksdb::Iterator& rows, const RoomId& room) const {
    rows.SeekForPrev(message_key(room, {UINT64_MAX}));
    if (!rows.Valid() || !rows.key().starts_with(room_prefix(room))) return {};
    return seq_in(view(rows.key()));
}

Result<Page> EmbeddedTable::read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) {
    const std::unique_ptr<rocksdb::Iterator> it{db_->NewIterator({})};
    Page page{{epoch_, {1}, head_of(*it, room)}, {}};
    if (after >= page.at.head) return page;
    const std::string prefix = room_prefix(room);
    std::size_t bytes = 0;
    for (it->Seek(message_key(room, after.next())); it->Valid() && it->key().starts_with(prefix); it->Next()) {
        if (page.messages.size() >= limit || (!page.messages.empty() && bytes >= max.count)) break;
        auto message = decode(view(it->value()), room, seq_in(view(it->key())));
        if (!message) return fail(message.error());
        bytes += it->value().size();
        page.messages.push_back(std::move(*message));
    }
    if (!it->status().ok()) return fail(unavailable(it->status()));
    return page;
}

Result<Page> EmbeddedTable::read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) {
    const std::unique_ptr<rocksdb::Iterator> it{db_->NewIterator({})};
    Page page{{epoch_, {1}, head_of(*it, room)}, {}};
    if (before.value <= 1) return page;
    const std::string prefix = room_prefix(room);
    std::size_t bytes = 0;
    for (it->SeekForPrev(message_key(room, before.prev())); it->Valid() && it->key().starts_with(prefix); it->Prev()) {
        if (page.messages.size() >= limit || (!page.messages.empty() && bytes >= max.count)) break;
        auto message = decode(view(it->value()), room, seq_in(view(it->key())));
        if (!message) return fail(message.error());
        bytes += it->value().size();
        page.messages.push_back(std::move(*message));
    }
    if (!it->status().ok()) return fail(unavailable(it->status()));
    std::reverse(page.messages.begin(), page.messages.end());
    return page;
}

Result<RoomHead> EmbeddedTable::head(const RoomId& room) {
    const std::unique_ptr<rocksdb::Iterator> it{db_->NewIterator({})};
    const RoomSeq head = head_of(*it, room);
    if (!it->status().ok()) return fail(unavailable(it->status()));
    return RoomHead{epoch_, {1}, head};
}

Result<RoomSeq> EmbeddedTable::seek(const RoomId& room, WallTime time) {
    const auto at = head(room);
    if (!at) return fail(at.error());
    std::uint64_t low = 1;
    std::uint64_t high = at->head.value + 1;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        const auto message = message_at(room, {middle});
        if (!message) return fail(message.error());
        if (message->created_at < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return RoomSeq{low - 1};
}

}  // namespace parley::log
