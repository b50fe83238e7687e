#pragma once
#include <rocksdb/status.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace parley::rocks {

/// A status as kStoreUnavailable with a sentence for the operator: `store` ("the directory in /data/directory") is in
/// use, damaged (in which file, where RocksDB names it) or cannot be used. `remedy` ends the sentence of a damaged one.
[[nodiscard]] Error explain(const rocksdb::Status& status, std::string_view store, std::string_view remedy = {});
/// The first name of a RocksDB file in `text`; empty: none.
[[nodiscard]] std::string file_named_in(const std::string& text);

}  // namespace parley::rocks
