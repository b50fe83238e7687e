#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/exchange.h"
#include "gateway/news_board.h"
#include "gateway/poll_reader.h"
#include "gateway/session.h"
#include "gateway/token_hold.h"
#include "rt/timer_wheel.h"

namespace parley::gateway {

class Core;
struct Identity;

/// One poll: answered with what there is, or when something comes, or at its time with nothing.
///
/// Thread: core-local; reads on the pool. Keeps itself alive until it has answered or its client has gone.
/// Order:  it listens before it looks, so that nothing falls between.
/// Limit:  waits for at most its timeout; a Session of its core meanwhile, and about 500 bytes beside its request.
/// Fails:  401 when its token ends, 403 or 404 when its right does.
class LongPoll final : public Session, private NewsBoard::Reader {
public:
    /// A timeout of 0 is plain polling.
    static void begin(Core& core, ExchangeRef exchange, const Identity& identity, PollQuestion question,
                      milliseconds timeout);
    LongPoll(Core& core, ExchangeRef exchange, const Identity& identity, PollQuestion question);
    ~LongPoll() override;

    void on_second(WallTime wall, SteadyTime now) override;
    void on_token_revoked(std::string_view sha256_hex) override;
    void on_member_revoked(const MemberId& member, WallTime before) override;
    void add_token(std::vector<auth::HeldToken>& to) const override;
    void drain(milliseconds) override {
        if (!done_) on_timeout();
    }

private:
    bool on_news(NewsBoard::News& news) override;
    void on_head(const RoomId& room, RoomSeq head) override;
    void on_rights_changed() override { read_again(); }

    void read();
    void read_again();
    void on_read(Result<PollAnswer> answer);
    /// Whether it already listened to all of them.
    bool listen(const std::vector<RoomId>& rooms);
    void on_timeout();
    void answer(const PollAnswer& answer);
    /// 200 with the members of an array, and where the next poll goes on.
    void respond(std::string_view json, const PollAnswer* details);
    void refuse(const Error& error);
    void finish() noexcept;
    [[nodiscard]] std::optional<RoomSeq> place_in(const RoomId& room) const;
    void advance(const RoomId& room, RoomSeq seq);

    Core& core_;
    ExchangeRef exchange_;
    std::shared_ptr<LongPoll> self_;
    TokenHold token_;
    PollQuestion question_;  ///< its position is where the client stands
    std::vector<NewsBoard::Spot*> spots_;
    rt::Timer timer_;
    bool waits_ = false;
    bool listed_ = false;  ///< a session of its core
    bool done_ = false;
    bool reading_ = false;
    bool stirred_ = false;  ///< something came while it was reading
};

}  // namespace parley::gateway
