#include "adapters/mongo/library.h"

#include <mongoc/mongoc.h>

#include <mutex>

namespace parley::mongo {

void start_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        mongoc_log_set_handler([](mongoc_log_level_t, const char*, const char*, void*) {}, nullptr);
        mongoc_init();
    });
}

}  // namespace parley::mongo
