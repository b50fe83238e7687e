#pragma once
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace parley::rocks {

/// For tests: a disk that can lose power, fail, be full or slow, between RocksDB and the real one.
///
/// It knows of every file what was fsynced. A power cut takes the rest: bytes behind the last fsync,
/// and new files whose folder was not fsynced. Renames and removals count as durable at once.
/// Thread: any. Owns the Env it hands out; must outlive the stores opened on it.
class FaultDisk {
public:
    FaultDisk() : fs_(std::make_shared<FileSystem>(*this)), env_(rocksdb::NewCompositeEnv(fs_)) {}

    [[nodiscard]] rocksdb::Env* env() const noexcept { return env_.get(); }

    /// From now on nothing reaches the disk and every call that would fails.
    void cut_power() {
        const std::lock_guard lock{mutex_};
        dead_ = true;
        held_ = false;
        wake_.notify_all();
    }
    /// What the disk holds after the cut. No store may be open. `torn` bytes behind the last fsync survive
    /// at the end of the write-ahead logs.
    void restore_power(std::size_t torn = 0) {
        const std::lock_guard lock{mutex_};
        for (const auto& [name, file] : files_) {
            if (!file.linked && file.synced == 0 && torn == 0) {
                std::filesystem::remove(name);
                continue;
            }
            std::size_t keep = file.synced;
            if (name.ends_with(".log")) keep = std::min(file.size, keep + torn);
            if (std::filesystem::exists(name)) std::filesystem::resize_file(name, keep);
        }
        files_.clear();
        dead_ = false;
    }

    enum class Fault { kNone, kIo, kFull, kReadOnly };
    /// What appends to files whose name ends with `suffix` answer, after writing half.
    void fail_appends(Fault fault, std::string suffix = "") {
        const std::lock_guard lock{mutex_};
        append_fault_ = fault;
        append_suffix_ = std::move(suffix);
    }
    /// What fsyncs answer. The bytes stay readable, as in a page cache, but do not survive a power cut.
    void fail_syncs(Fault fault, std::string suffix = "") {
        const std::lock_guard lock{mutex_};
        sync_fault_ = fault;
        sync_suffix_ = std::move(suffix);
    }
    /// fsyncs of write-ahead logs wait until release(), as on a disk that answers late.
    void hold_syncs() {
        const std::lock_guard lock{mutex_};
        held_ = true;
    }
    void release_syncs() {
        const std::lock_guard lock{mutex_};
        held_ = false;
        wake_.notify_all();
    }
    /// Returns when at least one fsync waits.
    void wait_for_held_sync() {
        std::unique_lock lock{mutex_};
        wake_.wait(lock, [this] { return waiting_ > 0; });
    }

private:
    struct File {
        std::size_t size = 0;
        std::size_t synced = 0;
        bool linked = false;  ///< its folder was fsynced since
    };

    static rocksdb::IOStatus status(Fault fault) {
        switch (fault) {
            case Fault::kNone: return rocksdb::IOStatus::OK();
            case Fault::kFull: return rocksdb::IOStatus::NoSpace("No space left on device");
            case Fault::kReadOnly: return rocksdb::IOStatus::IOError("Read-only file system");
            case Fault::kIo: break;
        }
        return rocksdb::IOStatus::IOError("Input/output error");
    }

    rocksdb::IOStatus check_change() {
        const std::lock_guard lock{mutex_};
        if (dead_) return rocksdb::IOStatus::IOError("power is cut");
        return append_fault_ == Fault::kReadOnly ? status(Fault::kReadOnly) : rocksdb::IOStatus::OK();
    }
    void created(const std::string& name) {
        const std::lock_guard lock{mutex_};
        files_[name] = {};
    }
    /// How much of `bytes` may be written, and what to answer.
    std::pair<std::size_t, rocksdb::IOStatus> before_append(const std::string& name, std::size_t bytes) {
        const std::lock_guard lock{mutex_};
        if (dead_) return {0, rocksdb::IOStatus::IOError("power is cut")};
        const bool hit = append_fault_ != Fault::kNone && name.ends_with(append_suffix_);
        const std::size_t written = hit ? (append_fault_ == Fault::kReadOnly ? 0 : bytes / 2) : bytes;
        files_[name].size += written;
        return {written, hit ? status(append_fault_) : rocksdb::IOStatus::OK()};
    }
    rocksdb::IOStatus sync(const std::string& name) {
        std::unique_lock lock{mutex_};
        const std::size_t size = files_[name].size;
        if (held_ && name.ends_with(".log")) {
            ++waiting_;
            wake_.notify_all();
            wake_.wait(lock, [this] { return !held_; });
            --waiting_;
        }
        if (dead_) return rocksdb::IOStatus::IOError("power is cut");
        if (sync_fault_ != Fault::kNone && name.ends_with(sync_suffix_)) return status(sync_fault_);
        files_[name].synced = size;
        return rocksdb::IOStatus::OK();
    }
    void sync_folder(const std::string& folder) {
        const std::lock_guard lock{mutex_};
        if (dead_) return;
        for (auto& [name, file] : files_)
            if (name.starts_with(folder + "/")) file.linked = true;
    }

    class Writable final : public rocksdb::FSWritableFileOwnerWrapper {
    public:
        Writable(FaultDisk& disk, std::string name, std::unique_ptr<rocksdb::FSWritableFile> real)
            : FSWritableFileOwnerWrapper(std::move(real)), disk_(disk), name_(std::move(name)) {}
        rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* debug) override {
            auto [written, status] = disk_.before_append(name_, data.size());
            const auto real = FSWritableFileOwnerWrapper::Append({data.data(), written}, options, debug);
            return status.ok() ? real : status;
        }
        rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                                 const rocksdb::DataVerificationInfo& /*info*/,
                                 rocksdb::IODebugContext* debug) override {
            return Append(data, options, debug);
        }
        rocksdb::IOStatus Sync(const rocksdb::IOOptions& /*options*/, rocksdb::IODebugContext* /*debug*/) override {
            return disk_.sync(name_);
        }
        rocksdb::IOStatus Fsync(const rocksdb::IOOptions& /*options*/, rocksdb::IODebugContext* /*debug*/) override {
            return disk_.sync(name_);
        }

    private:
        FaultDisk& disk_;
        const std::string name_;
    };

    class Folder final : public rocksdb::FSDirectory {
    public:
        Folder(FaultDisk& disk, std::string name) : disk_(disk), name_(std::move(name)) {}
        rocksdb::IOStatus Fsync(const rocksdb::IOOptions& /*options*/, rocksdb::IODebugContext* /*debug*/) override {
            disk_.sync_folder(name_);
            return rocksdb::IOStatus::OK();
        }

    private:
        FaultDisk& disk_;
        const std::string name_;
    };

    class FileSystem final : public rocksdb::FileSystemWrapper {
    public:
        explicit FileSystem(FaultDisk& disk) : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}
        const char* Name() const override { return "FaultDisk"; }
        rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                          std::unique_ptr<rocksdb::FSWritableFile>* out,
                                          rocksdb::IODebugContext* debug) override {
            if (auto status = disk_.check_change(); !status.ok()) return status;
            std::unique_ptr<rocksdb::FSWritableFile> real;
            auto status = FileSystemWrapper::NewWritableFile(name, options, &real, debug);
            if (!status.ok()) return status;
            disk_.created(name);
            *out = std::make_unique<Writable>(disk_, name, std::move(real));
            return status;
        }
        rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& /*options*/,
                                       std::unique_ptr<rocksdb::FSDirectory>* out,
                                       rocksdb::IODebugContext* /*debug*/) override {
            *out = std::make_unique<Folder>(disk_, name);
            return rocksdb::IOStatus::OK();
        }
        rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                                     rocksdb::IODebugContext* debug) override {
            if (auto status = disk_.check_change(); !status.ok()) return status;
            const std::lock_guard lock{disk_.mutex_};
            disk_.files_.erase(name);
            return FileSystemWrapper::DeleteFile(name, options, debug);
        }
        rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                                     rocksdb::IODebugContext* debug) override {
            if (auto status = disk_.check_change(); !status.ok()) return status;
            const std::lock_guard lock{disk_.mutex_};
            if (auto node = disk_.files_.extract(from); !node.empty()) {
                node.key() = to;
                disk_.files_.erase(to);
                disk_.files_.insert(std::move(node));
            }
            return FileSystemWrapper::RenameFile(from, to, options, debug);
        }

    private:
        FaultDisk& disk_;
    };

    std::mutex mutex_;
    std::condition_variable wake_;
    std::map<std::string, File> files_;
    bool dead_ = false;
    bool held_ = false;
    int waiting_ = 0;
    Fault append_fault_ = Fault::kNone;
    std::string append_suffix_;
    Fault sync_fault_ = Fault::kNone;
    std::string sync_suffix_;
    std::shared_ptr<FileSystem> fs_;
    std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace parley::rocks
