#include "adapters/redis/link.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

namespace parley::redis {
namespace {

constexpr milliseconds kTick{100};
constexpr std::size_t kPiece = 4'096;
constexpr milliseconds kIdle{1'000};
constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{2'000};

/// Longer each time, and not the same on every server of a fleet.
milliseconds pause(std::size_t attempt) {
    static thread_local std::minstd_rand random{std::random_device{}()};
    const auto whole = std::min(kLongestPause, kFirstPause * (1 << std::min<std::size_t>(attempt, 6)));
    return whole * (75 + random() % 51) / 100;
}

std::string words(std::initializer_list<std::string_view> list) { return encode({list.begin(), list.size()}); }

}  // namespace

Link::Link(rt::Loop& loop, rt::WorkPool& resolver, const Settings& settings, Use use, Owner& owner)
    : loop_(loop),
      settings_(settings),
      use_(use),
      owner_(owner),
      resolver_(loop, resolver),
      tick_(rt::Timer::of<&Link::on_tick>(this)) {}

Link::~Link() {
    if (is_up()) write();  // the last words of a server that ends
    close_socket();
    state_ = State::kDown;
    loop_.forget_turn_end(*this);
    for (Waiting& waiting : std::exchange(waiting_, {})) {
        if (waiting.done) waiting.done(fail(Code::kStoreUnavailable, "the server is shutting down"));
    }
}

// --- coming up
// --------------------------------------------------------------------------------------------------------

Result<std::vector<Link::Address>> Link::resolve(const Settings& settings) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(settings.host.c_str(), std::to_string(settings.port).c_str(), &hints, &found);
    if (error != 0) return fail(Code::kStoreUnavailable, ::gai_strerror(error));
    std::vector<Address> out;
    for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
        const auto* bytes = reinterpret_cast<const char*>(a->ai_addr);
        out.push_back({a->ai_family, {bytes, bytes + a->ai_addrlen}});
    }
    ::freeaddrinfo(found);
    return out;
}

void Link::start() {
    state_ = State::kResolving;
    began_ = loop_.now();
    loop_.arm(tick_, kTick);
    resolver_.ask([settings = settings_] { return resolve(settings); },
                  [this](const Result<std::vector<Address>>& found) {
                      if (state_ != State::kResolving) return;
                      if (!found) {
                          break_off(found.error().message);
                      } else {
                          connect_to((*found)[attempt_ % found->size()]);
                      }
                  });
}

void Link::connect_to(const Address& address) {
    fd_ = ::socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) {
        break_off(std::strerror(errno));
        return;
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    state_ = State::kConnecting;
    const auto* to = reinterpret_cast<const sockaddr*>(address.bytes.data());
    if (::connect(fd_, to, static_cast<socklen_t>(address.bytes.size())) != 0 && errno != EINPROGRESS) {
        break_off(std::strerror(errno));
        return;
    }
    loop_.watch(fd_, *this);
}

void Link::greet() {
    state_ = State::kGreeting;
    reader_ = std::make_unique<ReplyReader>();
    heard_ = loop_.now();
    greetings_ = 1;
    if (!settings_.password.empty()) {
        ++greetings_;
        out_ += settings_.user.empty() ? words({"AUTH", settings_.password})
                                       : words({"AUTH", settings_.user, settings_.password});
    }
    if (settings_.database != 0) {
        ++greetings_;
        out_ += words({"SELECT", std::to_string(settings_.database)});
    }
    out_ += words({"PING"});
    write();
}

void Link::on_greeting(const Reply& reply) {
    if (reply.kind == Reply::Kind::kError) {
        break_off("it refuses this server: " + reply.text);
        return;
    }
    if (--greetings_ != 0) return;
    state_ = State::kUp;
    attempt_ = 0;
    owner_.on_up();
}

// --- while it is up
// ---------------------------------------------------------------------------------------------------

void Link::command(std::string bytes, Done done) {
    if (!is_up() || out_.size() - written_ + bytes.size() > kMaxQueued) {
        if (done)
            done(fail(Code::kStoreUnavailable, is_up() ? "Redis: it does not keep up" : "Redis: it does not answer"));
        return;
    }
    queue(bytes, std::move(done));
}

void Link::queue(std::string_view bytes, Done done) {
    out_ += bytes;
    if (use_ == Use::kCommands) waiting_.push_back({std::move(done), loop_.now()});
    loop_.at_turn_end(*this);
}

void Link::on_events(std::uint32_t events) {
    if (state_ == State::kConnecting) {
        if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) {
            break_off(std::strerror(error));
            return;
        }
        greet();
    }
    if (fd_ >= 0) read();
    if (fd_ >= 0) write();
}

void Link::on_turn_end() {
    if (fd_ >= 0) write();
}

void Link::read() {
    const auto buffer = loop_.read_buffer();
    while (fd_ >= 0) {
        const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (size <= 0) {
            break_off(size == 0 ? "it closed the connection" : std::strerror(errno));
            return;
        }
        heard_ = loop_.now();
        // The reader moves what it holds after each KiB it has given out: it gets little at a time.
        for (std::string_view rest{buffer.data(), static_cast<std::size_t>(size)}; !rest.empty() && fd_ >= 0;) {
            const auto piece = rest.substr(0, kPiece);
            rest.remove_prefix(piece.size());
            reader_->feed(piece);
            take_replies();
        }
    }
}

void Link::take_replies() {
    while (fd_ >= 0) {
        auto reply = reader_->next();
        if (!reply) {
            break_off(reply.error().message);
        } else if (*reply) {
            on_reply(std::move(**reply));
        } else {
            return;
        }
    }
}

void Link::on_reply(Reply reply) {
    if (state_ == State::kGreeting) {
        on_greeting(reply);
    } else if (use_ == Use::kSubscriptions) {
        owner_.on_push(std::move(reply));
    } else if (waiting_.empty()) {
        break_off("it answered what was not asked");
    } else {
        Done done = std::move(waiting_.front().done);
        waiting_.pop_front();
        if (!done) return;
        if (reply.kind == Reply::Kind::kError) {
            done(fail(Code::kStoreUnavailable, reply.text));
        } else {
            done(std::move(reply));
        }
    }
}

void Link::write() {
    while (written_ < out_.size()) {
        const ssize_t size = ::send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (size < 0) {
            break_off(std::strerror(errno));
            return;
        }
        written_ += static_cast<std::size_t>(size);
    }
    out_.clear();
    written_ = 0;
}

void Link::on_tick() {
    const SteadyTime now = loop_.now();
    loop_.arm(tick_, kTick);
    switch (state_) {
        case State::kDown:
            if (now >= next_try_) start();
            return;
        case State::kResolving: return;
        case State::kConnecting:
        case State::kGreeting:
            if (now - began_ > settings_.connect_limit) {
                break_off(
                    fmt::format("no answer within {} s", std::chrono::ceil<seconds>(settings_.connect_limit).count()));
            }
            return;
        case State::kUp: break;
    }
    const bool is_late = use_ == Use::kCommands
                             ? !waiting_.empty() && now - waiting_.front().since > settings_.answer_limit
                             : pinged_ > heard_ && now - pinged_ > settings_.answer_limit;
    if (is_late) {
        break_off(fmt::format("no answer within {} ms", settings_.answer_limit.count()));
    } else if (now - heard_ > kIdle && pinged_ <= heard_) {
        pinged_ = now;
        queue(words({"PING"}), {});
    }
}

void Link::break_off(const std::string& why) {
    close_socket();
    state_ = State::kDown;
    next_try_ = loop_.now() + pause(attempt_++);
    out_.clear();
    written_ = 0;
    // Whoever is told finds it down: the owner first, and the next command is refused.
    auto unanswered = std::exchange(waiting_, {});
    owner_.on_down(why);
    for (Waiting& waiting : unanswered) {
        if (waiting.done) waiting.done(fail(Code::kStoreUnavailable, "Redis: " + why));
    }
}

void Link::close_socket() noexcept {
    if (fd_ < 0) return;
    loop_.unwatch(fd_, *this);
    ::close(fd_);
    fd_ = -1;
}

}  // namespace parley::redis
