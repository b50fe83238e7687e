#pragma once

namespace parley::rocks {

/// How many files a store may keep open: `most`, less where the process may have few descriptors. The limit is read
/// anew each time; it does not change after the start.
[[nodiscard]] int open_files(int most);

}  // namespace parley::rocks
