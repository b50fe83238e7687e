#pragma once
#include <deque>
#include <string>
#include <vector>

#include "adapters/redis/reply.h"
#include "adapters/redis/settings.h"
#include "base/function.h"
#include "rt/asker.h"

namespace parley::redis {

/// Whether a failed command's reason is the link's own; else it is what Redis answered.
[[nodiscard]] inline bool is_of_link(std::string_view why) { return why.starts_with("Redis: "); }

/// One connection to a Redis server that comes back by itself.
///
/// Thread: core-local to its loop; names are looked up on the pool. Borrows loop, pool and owner.
/// Order:  commands leave in order, answers come in order. A turn's commands leave in one write.
/// Limit:  kMaxQueued bytes that the socket has not taken. A command that is not answered within `answer_limit` breaks
///         the connection, so that a server that hangs is found out; an idle connection is asked once a second.
/// Fails:  kStoreUnavailable for every command that was not answered when it broke, and for each while it is down.
class Link final : private rt::Watcher, private rt::TurnEnd {
public:
    using Done = UniqueFunction<void(Result<Reply>)>;
    enum class Use : std::uint8_t { kCommands, kSubscriptions };  ///< a subscribed connection answers no command

    class Owner {
    public:
        virtual ~Owner() = default;
        /// Commands may be given from now on.
        virtual void on_up() = 0;
        /// It is down, or did not come up. It will be tried again.
        virtual void on_down(const std::string& why) = 0;
        /// What comes on a connection for subscriptions.
        virtual void on_push(Reply reply) = 0;
    };

    Link(rt::Loop& loop, rt::WorkPool& resolver, const Settings& settings, Use use, Owner& owner);
    ~Link() override;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    void start();
    /// `bytes` by encode(). `done` may be empty.
    void command(std::string bytes, Done done);
    [[nodiscard]] bool is_up() const noexcept { return state_ == State::kUp; }

private:
    static constexpr std::size_t kMaxQueued = 32 << 20;
    enum class State : std::uint8_t { kDown, kResolving, kConnecting, kGreeting, kUp };
    struct Waiting {
        Done done;
        SteadyTime since;
    };
    struct Address {
        int family;
        std::vector<char> bytes;
    };
    static Result<std::vector<Address>> resolve(const Settings& settings);

    void connect_to(const Address& address);
    void greet();
    void on_greeting(const Reply& reply);
    void on_events(std::uint32_t events) override;
    void on_turn_end() override;
    void on_tick();
    void read();
    void take_replies();
    void on_reply(Reply reply);
    void write();
    void queue(std::string_view bytes, Done done);
    void break_off(const std::string& why);
    void close_socket() noexcept;

    rt::Loop& loop_;
    const Settings settings_;
    const Use use_;
    Owner& owner_;
    rt::Asker resolver_;
    rt::Timer tick_;
    State state_ = State::kDown;
    int fd_ = -1;
    std::size_t attempt_ = 0;  ///< since it was up
    SteadyTime next_try_{};
    SteadyTime began_{};   ///< this attempt
    SteadyTime heard_{};   ///< when something came
    SteadyTime pinged_{};  ///< on a connection for subscriptions, unless heard since
    std::unique_ptr<ReplyReader> reader_;
    std::string out_;
    std::size_t written_ = 0;
    std::deque<Waiting> waiting_;
    std::size_t greetings_ = 0;  ///< answers of the greeting still to come
};

}  // namespace parley::redis
