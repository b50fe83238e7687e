#include "worker/lease.h"

#include <charconv>

namespace parley::worker {
namespace {

constexpr milliseconds kAsk = Lease::kTime / 3;

struct Holder {
    std::string name;
    WallTime until{};
};

Holder parse(const std::string& text) {
    const auto space = text.find(' ');
    if (space == std::string::npos) return {};
    std::int64_t until = 0;
    std::from_chars(text.data() + space + 1, text.data() + text.size(), until);
    return {text.substr(0, space), WallTime{milliseconds{until}}};
}

}  // namespace

std::string Lease::text(WallTime until) const { return me_ + ' ' + std::to_string(until.time_since_epoch().count()); }

bool Lease::hold() {
    const auto now = clock_.steady();
    if (now < next_) return held_;
    next_ = now + kAsk;
    const auto got = ask();
    answered_ = got.has_value();
    if (got) {
        held_ = *got;
        if (held_) until_ = now + kTime;
    } else if (now >= until_) {
        held_ = false;
    }
    return held_;
}

Result<bool> Lease::ask() {
    const auto row = ledger_.row(key_);
    if (!row) return fail(row.error());
    const auto now = clock_.wall();
    if (*row) {
        const Holder holder = parse((*row)->value);
        // Longer than anybody takes it: a clock was wrong.
        if (holder.name != me_ && holder.until > now && holder.until <= now + 2 * kTime) return false;
    }
    const auto stored = ledger_.put({{key_, *row ? (*row)->revision : 0, text(now + kTime)}});
    if (!stored) return fail(stored.error());
    return stored->front();
}

void Lease::give_back() {
    if (!held_) return;
    held_ = false;
    const auto row = ledger_.row(key_);
    if (row && *row && parse((*row)->value).name == me_) {
        static_cast<void>(ledger_.put({{key_, (*row)->revision, text(WallTime{})}}));
    }
}

}  // namespace parley::worker
