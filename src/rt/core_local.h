#pragma once
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace parley::rt {

/// Remembers the thread that first used an object and aborts, in debug builds, when another one does.
/// A member `[[no_unique_address]] CoreLocal core_;` costs nothing in release.
class CoreLocal {
public:
#ifndef NDEBUG
    void check() const noexcept {
        if (owner_ == std::thread::id{}) owner_ = std::this_thread::get_id();
        if (owner_ != std::this_thread::get_id()) {
            std::fputs("core-local object used from another thread\n", stderr);
            std::abort();
        }
    }

private:
    mutable std::thread::id owner_;
#else
    void check() const noexcept {}
#endif
};

}  // namespace parley::rt
