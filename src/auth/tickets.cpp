#include "auth/tickets.h"

#include <utility>

#include "auth/encoding.h"
#include "auth/sealed.h"
#include "base/uuid.h"

namespace parley::auth {
namespace {

constexpr std::size_t kTicketBytes = 32;
constexpr std::size_t kTicketLength = 2 + 2 * kTicketBytes;
constexpr char kFormat = '\x01';

std::string cache_key(std::string_view ticket) { return "ticket:" + sha256_hex(ticket); }
std::string sealing_key(std::string_view ticket) { return sha256("parley ticket key " + std::string{ticket}); }

}  // namespace

void Tickets::issue(std::string_view token, UniqueFunction<void(Result<std::string>)> done) {
    std::string ticket = "t." + random_hex(kTicketBytes);
    const std::string sealed = seal_once(sealing_key(ticket), token);
    if (sealed.empty()) return done(fail(Code::kInternal, "the ticket could not be made"));
    cache_.put(cache_key(ticket), kFormat + sealed, clock_.wall() + kLifetime,
               [ticket, done = std::move(done)](Result<> stored) mutable {
                   if (!stored) return done(fail(stored.error()));
                   done(std::move(ticket));
               });
}

void Tickets::redeem(std::string_view ticket, UniqueFunction<void(Result<std::string>)> done) {
    if (!is_ticket(ticket) || ticket.size() != kTicketLength) {
        return done(fail(Code::kAuthInvalid, "this is no ticket"));
    }
    cache_.take(cache_key(ticket), [key = sealing_key(ticket),
                                    done = std::move(done)](Result<std::optional<std::string>> value) mutable {
        if (!value) return done(fail(value.error()));
        if (!value->has_value()) return done(fail(Code::kAuthInvalid, "the ticket is unknown, spent or expired"));
        const std::string& sealed = **value;
        auto token = sealed.starts_with(kFormat) ? open_sealed(key, std::string_view{sealed}.substr(1)) : std::nullopt;
        if (!token) return done(fail(Code::kAuthInvalid, "the ticket's entry in the session cache is not ours"));
        done(std::move(*token));
    });
}

}  // namespace parley::auth
