#include "rt/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace parley::rt {

Mailbox::Mailbox() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) std::abort();
}

Mailbox::~Mailbox() {
    drop_pending();
    ::close(fd_);
}

void Mailbox::drop_pending() noexcept {
    for (Node* node = head_.exchange(nullptr); node != nullptr;) {
        Node* next = node->next;
        delete node;
        node = next;
    }
}

void Mailbox::push(Task task) {
    auto* node = new Node{std::move(task)};
    node->next = head_.load(std::memory_order_relaxed);
    while (!head_.compare_exchange_weak(node->next, node, std::memory_order_seq_cst, std::memory_order_relaxed)) {
    }
    // Sequentially consistent with prepare_sleep(): either we see asleep_, or the loop sees our node.
    if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false)) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto n = ::write(fd_, &one, sizeof one);
    }
}

bool Mailbox::prepare_sleep() noexcept {
    asleep_.store(true, std::memory_order_seq_cst);
    if (head_.load(std::memory_order_seq_cst) == nullptr) return true;
    asleep_.store(false, std::memory_order_relaxed);
    return false;
}

void Mailbox::woke() noexcept { asleep_.store(false, std::memory_order_relaxed); }

std::size_t Mailbox::run_pending() {
    Node* newest = head_.exchange(nullptr, std::memory_order_acquire);
    Node* oldest = nullptr;
    while (newest != nullptr) {
        Node* next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    std::size_t count = 0;
    while (oldest != nullptr) {
        Node* next = oldest->next;
        oldest->task();
        delete oldest;
        oldest = next;
        ++count;
    }
    return count;
}

}  // namespace parley::rt
