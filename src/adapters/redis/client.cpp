#include "adapters/redis/client.h"

#include <fmt/format.h>
#include <pthread.h>

#include <future>

#include "base/logger.h"

namespace parley::redis {

Client::Client(const Settings& settings, const Clock& clock) : settings_(settings), runtime_(1, clock) {
    run_on_loop([this] {
        ::pthread_setname_np(::pthread_self(), "parley-redis");
        link_ = std::make_unique<Link>(loop(), resolver_, settings_, Link::Use::kCommands,
                                       static_cast<Link::Owner&>(*this));
        link_->start();
    });
}

Client::~Client() {
    run_on_loop([this] { link_.reset(); });
    runtime_.stop();
}

Result<std::shared_ptr<Client>> Client::open(const Settings& settings, const Clock& clock) {
    std::shared_ptr<Client> client{new Client{settings, clock}};
    std::unique_lock lock{client->mutex_};
    const bool known = client->changed_.wait_for(lock, settings.connect_limit + seconds{1},
                                                 [&] { return client->trouble_.has_value(); });
    const std::string why = known ? *client->trouble_ : "its name is not resolved in time";
    if (!why.empty()) {
        return fail(Code::kStoreUnavailable, fmt::format("Redis at {} cannot be used: {}", place(settings), why));
    }
    return client;
}

void Client::run_on_loop(const std::function<void()>& body) {
    runtime_.for_each([&](rt::Loop&) { body(); });
}

void Client::command_of(std::span<const std::string_view> words, Link::Done done) {
    loop().post([this, bytes = encode(words), done = std::move(done)]() mutable {
        link_->command(std::move(bytes), std::move(done));
    });
}

void Client::command_here(std::initializer_list<std::string_view> words, Link::Done done) {
    link_->command(encode({words.begin(), words.size()}), std::move(done));
}

Result<Reply> Client::ask(std::initializer_list<std::string_view> words) {
    std::promise<Result<Reply>> answer;
    command(words, [&](Result<Reply> reply) { answer.set_value(std::move(reply)); });
    return answer.get_future().get();
}

std::string Client::trouble() const {
    const std::lock_guard lock{mutex_};
    return trouble_.value_or("");
}

void Client::on_up() {
    const std::lock_guard lock{mutex_};
    if (trouble_ && !trouble_->empty()) {
        logger::info("redis", "Redis answers again", {{"server", place(settings_)}});
    }
    trouble_ = "";
    changed_.notify_all();
}

void Client::on_down(const std::string& why) {
    const std::lock_guard lock{mutex_};
    // Once for each time it goes, not for each attempt.
    if (trouble_ && trouble_->empty()) {
        logger::error("redis", "Redis does not answer; it is tried again and again",
                      {{"server", place(settings_)}, {"why", why}});
    }
    trouble_ = why;
    changed_.notify_all();
}

}  // namespace parley::redis
