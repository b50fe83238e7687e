#include "adapters/kafka/dedup_window.h"

#include <openssl/sha.h>

#include <cstring>
#include <string>

namespace parley::kafka {
namespace {
constexpr std::size_t kFirstIndex = 64;
}

DedupWindow::Key DedupWindow::key(std::string_view room, std::string_view sender, std::string_view id) {
    // None of them holds a space.
    thread_local std::string text;
    text.assign(room).append(1, ' ').append(sender).append(1, ' ').append(id);
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
    Key out;
    std::memcpy(out.data(), hash.data(), sizeof out);
    return out;
}

const DedupWindow::Entry* DedupWindow::find(const Key& key) const {
    if (entries_.empty()) return nullptr;
    for (std::size_t slot = home(key); index_[slot] != 0; slot = next(slot)) {
        const Entry& found = entry(index_[slot]);
        if (found.key == key) return &found;
    }
    return nullptr;
}

void DedupWindow::add(const Entry& entry) {
    // Numbers begin again at 1 whenever nothing is kept, and after 2^32 entries by way of grow().
    if (entries_.empty()) first_ = 1;
    const bool wraps = first_ + entries_.size() > 0xffff'ffffULL;
    entries_.push_back(entry);
    if (wraps || index_.empty() || entries_.size() * 4 > index_.size() * 3) {
        grow();
    } else {
        insert(static_cast<Number>(first_ + entries_.size() - 1));
    }
}

void DedupWindow::forget_before(std::uint64_t first) {
    while (!entries_.empty() && entries_.front().offset < first) {
        erase(entries_.front().key);
        entries_.pop_front();
        ++first_;
    }
}

void DedupWindow::insert(Number number) {
    std::size_t slot = home(entry(number).key);
    while (index_[slot] != 0) slot = next(slot);
    index_[slot] = number;
}

void DedupWindow::erase(const Key& key) {
    std::size_t hole = home(key);
    while (entry(index_[hole]).key != key) hole = next(hole);
    // What would not be found behind a free slot moves into it.
    for (std::size_t slot = next(hole); index_[slot] != 0; slot = next(slot)) {
        const std::size_t wanted = home(entry(index_[slot]).key);
        const bool stays = hole <= slot ? (hole < wanted && wanted <= slot) : (hole < wanted || wanted <= slot);
        if (stays) continue;
        index_[hole] = index_[slot];
        hole = slot;
    }
    index_[hole] = 0;
}

/// Or shrinks, to what fits half of it, and numbers from 1 again.
void DedupWindow::grow() {
    std::size_t size = kFirstIndex;
    while (entries_.size() * 2 > size) size *= 2;
    index_.assign(size, 0);
    first_ = 1;
    for (std::size_t i = 0; i < entries_.size(); ++i) insert(static_cast<Number>(i + 1));
}

}  // namespace parley::kafka
