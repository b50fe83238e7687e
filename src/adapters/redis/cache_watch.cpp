#include "adapters/redis/cache_watch.h"

#include <fmt/format.h>

#include <future>
#include <utility>

#include "base/logger.h"
#include "base/uuid.h"

namespace parley::redis {
namespace {

constexpr std::chrono::milliseconds kLives{10'000};  ///< of what a round leaves behind
constexpr std::chrono::microseconds kCost{1'000};

}  // namespace

/// Of a round: the first refusal, told when the last answer is there.
struct CacheWatch::Answers {
    explicit Answers(UniqueFunction<void(std::string)> then) : done(std::move(then)) {}

    static auto to(const std::shared_ptr<Answers>& all, const char* command) {
        ++all->missing;
        return [all, command](const auto& answer) {
            if (!answer && (all->refused.empty() || is_of_link(answer.error().message))) {
                const std::string& why = answer.error().message;
                all->refused = is_of_link(why) ? why : fmt::format("it refuses {}: {}", command, why);
            }
            if (--all->missing == 0) all->done(std::move(all->refused));
        };
    }
    UniqueFunction<void(std::string)> done;
    std::size_t missing = 0;
    std::string refused;
};

CacheWatch::CacheWatch(std::shared_ptr<Client> client, std::string prefix, const Clock& clock, milliseconds every)
    : client_(std::move(client)),
      cache_(client_, std::move(prefix), clock),
      clock_(clock),
      every_(every),
      timer_(rt::Timer::of<&CacheWatch::run>(this)) {}

Result<std::unique_ptr<CacheWatch>> CacheWatch::open(std::shared_ptr<Client> client, std::string prefix,
                                                     const Clock& clock, milliseconds every) {
    std::unique_ptr<CacheWatch> watch{new CacheWatch{std::move(client), std::move(prefix), clock, every}};
    auto answer = std::make_shared<std::promise<std::string>>();
    watch->client_->run_on_loop(
        [&] { watch->ask([answer](std::string refused) { answer->set_value(std::move(refused)); }); });
    if (const std::string refused = answer->get_future().get(); !refused.empty())
        return fail(Code::kStoreUnavailable,
                    fmt::format("Redis at {} cannot be used: {}", place(watch->client_->settings()), refused));
    watch->client_->run_on_loop([self = watch.get()] { self->client_->loop().arm(self->timer_, self->every_); });
    return watch;
}

CacheWatch::~CacheWatch() {
    client_->run_on_loop([this] {
        timer_.cancel();
        alive_.reset();
    });
}

std::string CacheWatch::trouble() const {
    const std::lock_guard lock{mutex_};
    return trouble_;
}

/// Each command that RedisCache gives, with each kind of key; scripts last, as they say less well what is refused. On
/// the loop, as are the answers.
void CacheWatch::ask(UniqueFunction<void(std::string refused)> done) {
    const auto all = std::make_shared<Answers>(std::move(done));
    const std::string key = "check:" + random_hex(8);
    const WallTime expires = clock_.wall() + kLives;
    cache_.put(key, "1", expires, Answers::to(all, "SET"));
    cache_.get(key, Answers::to(all, "GET"));
    cache_.take(key, Answers::to(all, "GETDEL"));
    cache_.put(key, {}, WallTime{}, Answers::to(all, "DEL"));
    cache_.revoke(key, expires, Answers::to(all, "SET"));
    cache_.is_revoked(key, Answers::to(all, "EXISTS"));
    cache_.claim(key, "1", expires, Answers::to(all, "EVAL"));
    cache_.release(key, "1", Answers::to(all, "EVAL"));
    cache_.spend(key, kCost, kCost, Answers::to(all, "EVAL"));
}

void CacheWatch::run() {
    client_->loop().arm(timer_, every_);
    ask([this, alive = std::weak_ptr<bool>{alive_}](const std::string& refused) {
        if (!alive.expired() && !is_of_link(refused)) note(refused);
    });
}

void CacheWatch::note(const std::string& refused) {
    const std::lock_guard lock{mutex_};
    if (refused == trouble_) return;
    trouble_ = refused;
    if (refused.empty()) {
        logger::info("redis", "Redis does again what the cache asks of it");
    } else {
        logger::error("redis", "Redis does not do what the cache asks of it", {{"why", refused}});
    }
}

}  // namespace parley::redis
