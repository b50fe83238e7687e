#pragma once
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "gateway/core.h"
#include "gateway/rest_call.h"
#include "gateway/rest_judge.h"
#include "gateway/rest_turns.h"

namespace parley::gateway {

/// The REST side of docs/protocol.md section 4: accounts under `/v1`, rooms and messages under `/api`.
///
/// Thread: core-local. Disk and Argon2 are on the pools; every handler answers later, through its RestCall.
/// Order:  changes of one room's membership are judged and made one after the other (RoomTurns).
/// Fails:  unknown path (serve() says false), then method (405), token (401), room and right (404, 403), body (400).
class Rest {
public:
    explicit Rest(Core& core) : core_(core) {}

    [[nodiscard]] Bytes body_limit(const wire::HttpRequest& request) const;
    /// False: the path is not REST's.
    bool serve(const ExchangeRef& exchange);

private:
    using Handler = void (Rest::*)(const RestCallRef&);
    enum class Access : std::uint8_t { kToken, kAnybody };
    struct Route {
        std::string_view method;
        std::string_view pattern;  ///< `{room}` is always the first value
        Handler handler;
        Access access = Access::kToken;
    };
    static std::span<const Route> routes();
    void run(const Route& route, const RestCallRef& call);

    // rest_accounts.cpp
    void register_account(const RestCallRef& call);
    void login(const RestCallRef& call);
    void logout(const RestCallRef& call);
    void refresh(const RestCallRef& call);
    void ticket(const RestCallRef& call);
    [[nodiscard]] bool login_rate_left(const RestCallRef& call);
    /// Refuses where this server signs no tokens.
    [[nodiscard]] bool keeps_accounts(const RestCallRef& call);
    void give_token(const RestCallRef& call, const MemberId& member, const std::string& nickname);

    // rest_rooms.cpp
    void create_room(const RestCallRef& call);
    void list_rooms(const RestCallRef& call);
    void show_room(const RestCallRef& call);
    void configure_room(const RestCallRef& call);
    void raise_read_mark(const RestCallRef& call);
    void show_read_mark(const RestCallRef& call);
    void answer_room(const RestCallRef& call, int status);

    // rest_members.cpp
    void join(const RestCallRef& call);
    void leave(const RestCallRef& call);
    void list_members(const RestCallRef& call);
    void invite(const RestCallRef& call);
    void kick(const RestCallRef& call);

    // rest_messages.cpp, rest_replay.cpp
    void post_message(const RestCallRef& call);
    void store_message(const RestCallRef& call, chat::Words words);
    void answer_repeat(const RestCallRef& call, RoomSeq seq);
    void show_history(const RestCallRef& call);
    void replay(const RestCallRef& call);

    // rest_live.cpp
    void stream_room(const RestCallRef& call);
    void stream_notifications(const RestCallRef& call);
    void poll(const RestCallRef& call);
    void long_poll(const RestCallRef& call);
    void begin_poll(const RestCallRef& call, milliseconds timeout);
    /// None: there is no room for one more request that stays open, and the call has been refused.
    [[nodiscard]] std::optional<UnderWay> seat_for(const RestCallRef& call);

    [[nodiscard]] RoomJudge judge(const RestCallRef& call, auth::Operation operation);
    /// `question(entry)` runs on the pool where the operation is allowed; `then(value)` here where it gave one. Every
    /// error is the call's answer.
    template <class Question, class Then>
    void in_room(const RestCallRef& call, auth::Operation operation, Question question, Then then);
    /// A change of the room, judged when its turn has come.
    void in_turn(const RestCallRef& call, auth::Operation operation, UniqueFunction<void(RoomEntry, RoomTurn)> then);
    /// Records the change in the room's log, applies it, and goes on.
    void change(const RestCallRef& call, RoomTurn turn, const RoomChange& change, std::string nickname,
                std::string text, UniqueFunction<void()> then);

    Core& core_;
};

template <class Question, class Then>
void Rest::in_room(const RestCallRef& call, auth::Operation operation, Question question, Then then) {
    using Answer = std::invoke_result_t<Question&, const RoomEntry&>;
    core_.asker().ask(
        [judge = judge(call, operation), question = std::move(question)]() mutable -> Answer {
            const auto entry = judge();
            if (!entry) return fail(entry.error());
            return question(*entry);
        },
        [call, then = std::move(then)](Answer answer) mutable {
            if (answer) {
                then(std::move(*answer));
            } else {
                call->refuse(answer.error());
            }
        });
}

}  // namespace parley::gateway
