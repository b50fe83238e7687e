#include "adapters/mongo/library.h"

#include <mongoc/mongoc.h>

#include <mutex>

namespace parley::mongo {
namespace {

void silence(int, char**, char**) {
    mongoc_log_set_handler([](mongoc_log_level_t, const char*, const char*, void*) {}, nullptr);
}

// The library begins in its own constructor, whether MongoDB is used or not, and writes to stderr where /dev/shm
// cannot be written. Only .preinit_array comes before the constructors of shared libraries.
[[gnu::section(".preinit_array"), gnu::used]] void (*const before_constructors)(int, char**, char**) = silence;

}  // namespace

void start_library() {
    static std::once_flag once;
    std::call_once(once, [] { mongoc_init(); });
}

}  // namespace parley::mongo
