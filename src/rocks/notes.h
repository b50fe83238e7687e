#pragma once
#include <rocksdb/env.h>

#include <mutex>
#include <string>
#include <string_view>

namespace parley::rocks {

/// What RocksDB tells its operator, as our debug lines instead of a LOG file beside the data: the library aborts
/// (7.8, with assertions) when it cannot write such a file. A store that is only read writes nothing this way, too.
///
/// Thread: any. Owned by the options (`info_log`) of the store it serves.
class Notes final : public rocksdb::Logger {
public:
    /// `area` names the lines and must outlive this.
    explicit Notes(std::string_view area) : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), area_(area) {}
    using Logger::Logv;
    void Logv(const char* format, va_list arguments) override;
    /// The first file that lost records while the store was opened; RocksDB says that here only. Empty: none.
    [[nodiscard]] std::string damaged() const;

private:
    const std::string_view area_;
    mutable std::mutex mutex_;
    std::string damaged_;
};

}  // namespace parley::rocks
