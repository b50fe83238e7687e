#include "gateway/direct_chats.h"

#include <charconv>

#include "gateway/core.h"
#include "gateway/direct_session.h"
#include "gateway/handshake.h"
#include "gateway/ws_apps.h"
#include "gateway/ws_plain.h"
#include "wire/query.h"

namespace parley::gateway {
namespace {

/// What a conversation shows of the past, unless the client says where it was.
constexpr std::size_t kPast = 50;

}  // namespace

struct DirectChats::Asked {
    UnderWay seat;  ///< among the sessions
    MemberId receiver;
    room::Start start;
};

void DirectForm::prepare(std::span<const room::Item> items, room::Replay) {
    prepared_.clear();
    for (const room::Item& item : items) append_text_frame(prepared_, item.json, deflater_);
}

void DirectForm::append_event(std::string& out, const RoomId&, std::string_view json, std::string_view) {
    append_text_frame(out, json, deflater_);
}

DirectForm& DirectChats::form(int deflate_bits) {
    auto& form = forms_.at(static_cast<std::size_t>(deflate_bits));
    if (form == nullptr) form = std::make_unique<DirectForm>(deflater_of(core_, deflate_bits));
    return *form;
}

void DirectChats::serve(const ExchangeRef& exchange) {
    if (refuses_websocket(core_, exchange)) return;
    const auto query = wire::QueryParams::parse(exchange->request().query);
    if (!query) {
        exchange->refuse({Code::kBadRequest, query.error().message});
        return;
    }
    const std::string receiver = query->get("receiverId").value_or("");
    if (is_blank(receiver)) {
        exchange->refuse({Code::kBadRequest, "receiverId is missing"});
        return;
    }
    Asked asked{UnderWay{core_.services().entering}, {}, {}};
    asked.start.from = room::Start::From::kLast;
    asked.start.last = kPast;
    if (const auto after = query->get("after")) {
        const char* const end = after->data() + after->size();
        const auto [stop, error] = std::from_chars(after->data(), end, asked.start.after.value);
        if (error != std::errc{} || stop != end) {
            exchange->refuse({Code::kBadRequest, "after must be a seq"});
            return;
        }
        asked.start.from = room::Start::From::kAfter;
    }
    std::string token = request_token(exchange->request());
    if (token.empty()) {
        exchange->refuse(400, {Code::kAuthRequired, "token is missing"});
        return;
    }
    authenticate(core_, std::move(token),
                 [this, exchange, receiver, asked = std::move(asked)](Result<Identity> identity) mutable {
                     if (!identity) {
                         exchange->refuse(identity.error());
                         return;
                     }
                     const auto parsed = MemberId::parse(receiver);
                     if (!parsed) {
                         exchange->refuse({Code::kMemberNotFound, {}});
                         return;
                     }
                     asked.receiver = *parsed;
                     find_receiver(exchange, std::move(asked), std::move(*identity));
                 });
}

void DirectChats::find_receiver(const ExchangeRef& exchange, Asked asked, Identity identity) {
    if (!core_.options().require_registered) {
        open(exchange, std::move(asked), std::move(identity));
        return;
    }
    const MemberId receiver = asked.receiver;
    core_.asker().ask([&directory = core_.services().directory, receiver] { return directory.account(receiver); },
                      [this, exchange, asked = std::move(asked),
                       identity = std::move(identity)](Result<std::optional<store::Account>> account) mutable {
                          if (!account) {
                              exchange->refuse(account.error());
                          } else if (!*account) {
                              exchange->refuse({Code::kMemberNotFound, {}});
                          } else {
                              open(exchange, std::move(asked), std::move(identity));
                          }
                      });
}

void DirectChats::open(const ExchangeRef& exchange, Asked asked, Identity identity) {
    auto session = std::make_unique<DirectSession>(core_, *this, std::move(identity), std::move(asked.receiver),
                                                   std::move(asked.start));
    // Escapes make a message of the allowed size longer.
    upgrade_to_websocket(core_, exchange, std::move(session), {.max_message = Bytes{2 * core_.options().message.count}},
                         {});
}

}  // namespace parley::gateway
