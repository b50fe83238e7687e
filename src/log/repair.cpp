#include "log/repair.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/env.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "log/store_scan.h"

namespace parley::log {
namespace {

namespace fs = std::filesystem;

Error io_error(const std::string& what, const std::string& why) {
    return {Code::kStoreUnavailable, "repairing the message store: " + what + ": " + why};
}

void sync_folder(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

/// Keeps every other process out for the time of the repair.
class FolderLock {
public:
    explicit FolderLock(const std::string& data_dir) {
        status_ = rocksdb::Env::Default()->LockFile(store_dir(data_dir) + "/LOCK", &lock_);
    }
    ~FolderLock() {
        if (lock_ != nullptr) rocksdb::Env::Default()->UnlockFile(lock_).PermitUncheckedError();
    }
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    [[nodiscard]] const rocksdb::Status& status() const { return status_; }

private:
    rocksdb::FileLock* lock_ = nullptr;
    rocksdb::Status status_;
};

/// Table files are never changed in place: a link is a copy. The rest is small.
std::error_code copy_store(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::create_directories(to, error);
    for (const auto& entry : fs::directory_iterator{from, error}) {
        // Closing a second descriptor of LOCK would release the lock on it.
        if (!entry.is_regular_file() || entry.path().filename() == "LOCK") continue;
        const fs::path target = to / entry.path().filename();
        if (entry.path().extension() == ".sst") {
            fs::create_hard_link(entry.path(), target, error);
            if (!error) continue;
            error.clear();
        }
        fs::copy_file(entry.path(), target, error);
        if (error) return error;
    }
    return error;
}

class Repair {
public:
    Repair(std::string data_dir, const Clock& clock)
        : data_dir_(std::move(data_dir)), build_(repair_dir(data_dir_) + "/new"), clock_(clock) {}

    Result<RepairReport> run() {
        if (auto cleared = finish_earlier(); !cleared) return fail(cleared.error());
        if (!fs::is_directory(store_dir(data_dir_))) return fail(io_error(store_dir(data_dir_), "there is no store"));
        if (auto made = build(); !made) {
            abandon();
            return fail(made.error());
        }
        if (!report_.damaged) return report_;
        if (auto swapped = swap(); !swapped) return fail(swapped.error());
        return report_;
    }

private:
    [[nodiscard]] std::string complete_mark() const { return repair_dir(data_dir_) + "/complete"; }

    /// A repair that was cut off: its swap is finished if the new store was complete, else it begins again.
    Result<> finish_earlier() {
        std::error_code error;
        if (fs::exists(complete_mark()) && !fs::exists(store_dir(data_dir_))) {
            fs::rename(store_dir(build_), store_dir(data_dir_), error);
            if (error) return fail(io_error(store_dir(data_dir_), error.message()));
            sync_folder(data_dir_);
        }
        fs::remove_all(repair_dir(data_dir_), error);
        if (error) return fail(io_error(repair_dir(data_dir_), error.message()));
        return {};
    }

    Result<> build() {
        const FolderLock lock{data_dir_};
        if (!lock.status().ok()) return fail(explain(lock.status(), data_dir_));
        if (auto opened = open_source(); !opened) return fail(opened.error());
        if (!is_whole())
            if (auto built = rebuild(); !built) return fail(built.error());
        source_.reset();
        return {};
    }
    void abandon() {
        source_.reset();
        target_.reset();
        std::error_code ignored;
        fs::remove_all(repair_dir(data_dir_), ignored);
    }

    Result<> open_source() {
        StoreOptions options{.data_dir = data_dir_, .read_only = true};
        if (open_source(options, "as it is")) return {};
        report_.left_out = true;
        options.skip_damaged_wal = true;
        if (open_source(options, "without the damaged parts of its write-ahead log")) return {};

        const std::string work = repair_dir(data_dir_) + "/work";
        if (const auto error = copy_store(store_dir(data_dir_), store_dir(work)))
            return fail(io_error(work, error.message()));
        options.data_dir = work;
        options.read_only = false;
        const auto status = rocksdb::RepairDB(store_dir(work), db_options(options), column_families(options));
        if (!status.ok()) return fail(explain(status, data_dir_));
        if (auto opened = open_source(options, "after RocksDB's own repair"); !opened) return fail(opened.error());
        return {};
    }
    Result<> open_source(const StoreOptions& options, std::string method) {
        auto opened = Store::open(options, clock_);
        if (!opened) return fail(opened.error());
        source_ = std::move(*opened);
        report_.method = std::move(method);
        return {};
    }

    bool is_whole() {
        StoreScan scan{*source_};
        bool whole = !report_.left_out && source_->epoch().value != 0;
        scan.run([&](auto, auto, auto, const Message&) { ++report_.messages; },
                 [&](auto, const ScannedRoom& room) {
                     ++report_.rooms;
                     whole = whole && room.whole();
                 });
        report_.left_out = report_.left_out || scan.heads_unreadable();
        report_.damaged = !whole || scan.unreadable();
        return !report_.damaged;
    }

    Result<> rebuild() {
        report_.rooms = report_.messages = 0;
        auto opened = Store::open({.data_dir = make_build_folder()}, clock_);
        if (!opened) return fail(opened.error());
        target_ = std::move(*opened);
        StoreScan scan{*source_};
        fresh_ = std::max({target_->epoch(), Epoch{source_->epoch().value + 1}, Epoch{scan.newest_epoch().value + 1}});
        write_status_ = target_->set_epoch(fresh_);
        scan.run([this](auto no, auto seq, auto record, const Message& message) { keep(no, seq, record, message); },
                 [this](auto no, const ScannedRoom& room) { keep(no, room); });
        write(0);
        if (write_status_.ok()) write_status_ = target_->db().SyncWAL();
        if (!write_status_.ok()) return fail(explain(write_status_, data_dir_));
        target_->flush();
        target_.reset();
        return {};
    }
    std::string make_build_folder() {
        std::error_code ignored;  // opening the store there says what is wrong
        fs::create_directories(build_, ignored);
        return build_;
    }
    void keep(records::RoomNo no, RoomSeq seq, rocksdb::Slice record, const Message& message) {
        batch_.Put(target_->messages(), records::message_key(no, seq), record);
        batch_.Put(target_->dedup(), records::dedup_key(no, message.sender, message.id),
                   records::encode_seen({seq, message.created_at}));
        ++report_.messages;
        write((4_MiB).count);
    }
    void keep(records::RoomNo no, const ScannedRoom& room) {
        if (room.id.empty()) return;
        records::Head head;
        head.room = no;
        head.first = room.first;
        head.head = room.head;
        head.last_created = room.last_created;
        head.bytes = room.bytes;
        head.epoch = room.known ? room.known->epoch : Epoch{};
        if (room.known) head.last_created = std::max(head.last_created, room.known->last_created);
        if (report_.left_out || !room.whole()) {
            report_.losses.push_back(
                {room.id, head.epoch, fresh_, room.first, room.head, room.known ? room.known->head : RoomSeq{}});
            head.epoch = fresh_;
        }
        batch_.Put(target_->messages(), records::message_key(no, {0}), records::encode_name(room.id));
        batch_.Put(target_->heads(), room.id.str(), records::encode_head(head));
        ++report_.rooms;
        write((4_MiB).count);
    }
    void write(std::size_t at_least) {
        if (batch_.GetDataSize() < at_least || !write_status_.ok()) return;
        write_status_ = target_->db().Write({}, &batch_);
        batch_.Clear();
    }

    Result<> swap() {
        report_.old_store =
            fmt::format("{}.damaged-{}", store_dir(data_dir_), clock_.wall().time_since_epoch().count());
        const int mark = ::open(complete_mark().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (mark < 0) return fail(io_error(complete_mark(), std::strerror(errno)));
        ::fsync(mark);
        ::close(mark);
        sync_folder(repair_dir(data_dir_));
        std::error_code error;
        fs::rename(store_dir(data_dir_), report_.old_store, error);
        if (!error) {
            fs::rename(store_dir(build_), store_dir(data_dir_), error);
            std::error_code ignored;
            if (error) fs::rename(report_.old_store, store_dir(data_dir_), ignored);
        }
        if (error) return fail(io_error(store_dir(data_dir_), error.message()));
        sync_folder(data_dir_);
        fs::remove_all(repair_dir(data_dir_), error);
        return {};
    }

    const std::string data_dir_;
    const std::string build_;
    const Clock& clock_;
    RepairReport report_;
    Epoch fresh_;  ///< above every epoch there was
    std::unique_ptr<Store> source_;
    std::unique_ptr<Store> target_;
    rocksdb::WriteBatch batch_;
    rocksdb::Status write_status_;
};

}  // namespace

Result<RepairReport> repair(const std::string& data_dir, const Clock& clock) { return Repair{data_dir, clock}.run(); }

std::string to_text(const RepairReport& report) {
    if (!report.damaged)
        return fmt::format("the store is whole: {} messages in {} rooms; nothing was changed\n", report.messages,
                           report.rooms);
    std::string out =
        fmt::format("read {}\nkept {} messages in {} rooms\n", report.method, report.messages, report.rooms);
    if (report.left_out) out += "parts of unknown content were left out: every room has a new epoch\n";
    for (const RoomLoss& loss : report.losses) {
        const bool unknown = loss.old_head.value == 0;
        out += fmt::format("room {}: kept {} to {} of {}; epoch {} is now {}\n", loss.room.str(), loss.first.value,
                           loss.head.value, unknown ? "unknown" : std::to_string(loss.old_head.value),
                           loss.old_epoch.value, loss.new_epoch.value);
    }
    return out + fmt::format("the store as it was is in {}\n", report.old_store);
}

}  // namespace parley::log
