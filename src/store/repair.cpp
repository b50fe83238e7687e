#include "store/repair.h"

#include <rocksdb/db.h>

#include <memory>

#include "rocks/explain.h"
#include "rocks/notes.h"

namespace parley::store {
namespace {

rocksdb::Options repair_options() {
    rocksdb::Options options;
    options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    options.info_log = std::make_shared<rocks::Notes>("directory");
    return options;
}

/// Opens, checks every block and counts. The status says what is wrong.
rocksdb::Status count_records(const std::string& folder, std::uint64_t& records) {
    rocksdb::DB* raw = nullptr;
    auto status = rocksdb::DB::Open(repair_options(), folder, &raw);
    if (!status.ok()) return status;
    const std::unique_ptr<rocksdb::DB> db{raw};
    status = db->VerifyChecksum();
    if (!status.ok()) return status;
    records = 0;
    const std::unique_ptr<rocksdb::Iterator> it{db->NewIterator({})};
    for (it->SeekToFirst(); it->Valid(); it->Next()) ++records;
    return it->status();
}

}  // namespace

Result<DirectoryRepair> repair(const std::filesystem::path& folder, const Clock& clock) {
    DirectoryRepair report;
    if (!std::filesystem::exists(folder)) return report;
    const auto status = count_records(folder.string(), report.records);
    if (status.ok()) return report;
    if (status.IsIOError()) {
        // In use, or the disk's fault: neither is mended by a repair. A missing file is.
        const std::string text = status.ToString();
        if (text.find("lock") != std::string::npos || text.find("No such file") == std::string::npos) {
            return fail(rocks::explain(status, "the directory in " + folder.string()));
        }
    }
    report.damaged = true;
    report.old_folder = folder.string() + ".damaged-" + std::to_string(clock.wall().time_since_epoch().count());
    std::error_code error;
    std::filesystem::copy(folder, report.old_folder, std::filesystem::copy_options::recursive, error);
    if (error) {
        return fail(Code::kStoreUnavailable, "cannot keep a copy in " + report.old_folder + ": " + error.message());
    }
    auto repaired = rocksdb::RepairDB(folder.string(), repair_options());
    if (repaired.ok()) repaired = count_records(folder.string(), report.records);
    if (!repaired.ok()) {
        return fail(Code::kStoreUnavailable, "the directory in " + folder.string() + " cannot be repaired (" +
                                                 repaired.ToString() + "); it is kept in " + report.old_folder);
    }
    return report;
}

std::string to_text(const DirectoryRepair& report) {
    if (!report.damaged) return "the directory of accounts and rooms is whole\n";
    return "the directory of accounts and rooms was damaged; " + std::to_string(report.records) +
           " records can be read again\nthe directory as it was: " + report.old_folder + "\n";
}

}  // namespace parley::store
