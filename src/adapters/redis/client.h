#pragma once
#include <condition_variable>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "adapters/redis/link.h"
#include "rt/runtime.h"

namespace parley::redis {

/// This server's way to one Redis: a thread with a loop, and the connection that commands go by.
///
/// Thread: command() and trouble() from any; loop() and resolver() are for a Link of somebody else's on that loop.
/// Order:  commands of one thread reach Redis in the order they were given.
/// Fails:  open() when Redis cannot be reached or refuses; later it comes back by itself (see Link).
class Client final : private Link::Owner {
public:
    /// Waits until the connection stands, `connect_limit` at most. Error: one sentence that names the place.
    [[nodiscard]] static Result<std::shared_ptr<Client>> open(const Settings& settings, const Clock& clock);
    ~Client() override;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// `done` comes on the loop's thread; it may be empty. At the end of the client it may not come at all.
    void command(std::initializer_list<std::string_view> words, Link::Done done) {
        command_of({words.begin(), words.size()}, std::move(done));
    }
    void command_of(std::span<const std::string_view> words, Link::Done done);
    /// The same, from the loop's thread.
    void command_here(std::initializer_list<std::string_view> words, Link::Done done);
    /// The same, waiting for the answer: for start-up, never on the loop.
    [[nodiscard]] Result<Reply> ask(std::initializer_list<std::string_view> words);
    /// What is wrong with the connection; empty while it stands.
    [[nodiscard]] std::string trouble() const;

    [[nodiscard]] rt::Loop& loop() noexcept { return runtime_.loop(0); }
    /// Runs on the loop and returns when it has.
    void run_on_loop(const std::function<void()>& body);
    [[nodiscard]] rt::WorkPool& resolver() noexcept { return resolver_; }
    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }

private:
    Client(const Settings& settings, const Clock& clock);
    void on_up() override;
    void on_down(const std::string& why) override;
    void on_push(Reply) override {}

    const Settings settings_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::string> trouble_;  ///< none: it is not known yet; empty: there is none
    rt::Runtime runtime_;
    rt::WorkPool resolver_{"parley-resolve", 1, 8};  ///< ends before the loop that it answers to
    std::unique_ptr<Link> link_;
};

}  // namespace parley::redis
