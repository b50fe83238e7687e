#include "commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "auth/acl.h"
#include "base/clock.h"
#include "base/config_keys.h"
#include "command_line.h"
#include "log/new_epoch.h"
#include "log/repair.h"
#include "settings.h"
#include "store/repair.h"
#include "stores.h"
#include "tls_files.h"

namespace parley::app {

int make_token(const Config& config, const TokenRequest& request) {
    const auto member = MemberId::parse(request.id);
    if (!member) return fault("--id: " + member.error().message);
    const auto keys = token_keys(config);
    if (!keys) return fault(keys.error().message);
    auth::Claims claims;
    claims.member = *member;
    claims.nickname = request.nickname.empty() ? request.id : request.nickname;
    const auto token = keys->sign(claims, SystemClock{}.wall(), request.ttl);
    if (!token) return fault(token.error().message);
    fmt::print("{}\n", *token);
    return 0;
}

int check(const Config& config) {
    // Without what would be made: a secret and a certificate of its own.
    if (!config.get(keys::auth_algorithm).starts_with("HS") || !config.get(keys::auth_secret).empty()) {
        if (const auto keys = token_keys(config); !keys) return fault(keys.error().message);
    }
    if (!config.get(keys::tls_certificate).empty()) {
        const SystemClock clock;
        auto files = TlsFiles::of(config, clock);
        if (!files) return fault(files.error().message);
        if (const auto loaded = files->load(); !loaded) return fault(loaded.error().message);
    }
    fmt::print("the configuration is good\n");
    return 0;
}

namespace {

/// Unless it is named: the one whose prefix the destination has.
auth::Profile profile_of(std::string_view named, std::string_view destination) {
    const bool is_public = destination.starts_with("/topic/") || destination.starts_with("/app/");
    if (named == "public" || (named.empty() && is_public)) return auth::Profile::kPublic;
    return named == "broker" ? auth::Profile::kBroker : auth::Profile::kGame;
}

}  // namespace

int explain(const Config& config, const ExplainRequest& request) {
    const bool guest = request.user == "guest";
    auth::Question question;
    question.operation = request.subscribe.empty() ? auth::Operation::kSend : auth::Operation::kSubscribe;
    const std::string& text = request.subscribe.empty() ? request.send : request.subscribe;
    question.profile = profile_of(request.profile, text);
    question.destination = auth::parse_destination(question.profile, text);
    question.auto_create = config.get(keys::rooms_auto_create);
    question.who.guest = guest;
    if (!guest) {
        const auto member = MemberId::parse(request.user);
        if (!member) return fault("--user: " + member.error().message);
        question.who.member = *member;
    }
    const RoomId& room = question.destination.room;
    const SystemClock clock;
    const auto directory = directory_to_read(config, clock);
    if (!directory) return fault(directory.error().message);
    if (!room.empty() && *directory != nullptr) {
        const auto info = (*directory)->room(room);
        if (!info) return fault(info.error().message);
        question.room = *info;
        if (*info && !guest) {
            const auto membership = (*directory)->membership(room, question.who.member);
            if (!membership) return fault(membership.error().message);
            question.membership = *membership;
        }
    }
    const auth::Decision decision = auth::decide(question);
    fmt::print("{} {} {}: {}{}\n", request.user, request.subscribe.empty() ? "SEND" : "SUBSCRIBE", text,
               decision.allowed ? "allowed" : "refused",
               decision.allowed ? std::string{} : fmt::format(" ({})", name(decision.code)));
    fmt::print("rule: {}\n", decision.rule);
    return decision.allowed ? 0 : 1;
}

int replay(const Config& config, const ReplayRequest& request) {
    const auto room = RoomId::parse(request.room);
    if (!room) return fault("--room: " + room.error().message);
    const SystemClock clock;
    const auto log = log_to_read(config, clock);
    if (!log) return fault(log.error().message);
    RoomSeq after{request.from_seq == 0 ? 0 : request.from_seq - 1};
    if (!request.from_time.empty()) {
        const auto time = parse_time("--from-time", request.from_time);
        if (!time) return fault(time.error().message);
        const auto found = log->seek(*room, *time);
        if (!found) return fault(found.error().message);
        after = *found;
    }
    for (bool is_first = true;; is_first = false) {
        const auto page = log->read(*room, after, 1000, 4_MiB);
        if (!page) return fault(page.error().message);
        if (is_first && after > page->at.head) {
            fmt::print(stderr, "parley: the last message of this room is {}\n", page->at.head.value);
            return 1;
        }
        if (after.next() < page->at.first) {
            fmt::print(stderr, "parley: older messages are no longer kept; the first is {}\n", page->at.first.value);
        }
        if (page->messages.empty()) {
            if (page->at.head.value == 0) fmt::print(stderr, "parley: this room has no messages\n");
            return 0;
        }
        for (const MessageRef& message : page->messages) fmt::print("{}\n", to_json(*message));
        after = page->messages.back()->seq;
    }
}

int repair(const Config& config, Restored restored) {
    const SystemClock clock;
    if (config.get(keys::log_kind) != "embedded") return fault("repair is for the embedded store (log.kind=embedded)");
    fmt::print(stderr, "parley: reading the store in {} …\n", config.get(keys::data_dir));
    const auto report = log::repair(config.get(keys::data_dir), clock);
    if (!report) return fault(report.error().message);
    fmt::print("{}", log::to_text(*report));
    if (restored == Restored::kYes) {
        const auto renewed = log::renew_epoch(config.get(keys::data_dir), clock);
        if (!renewed) return fault(renewed.error().message);
        fmt::print("{} rooms have the new epoch {}\n", renewed->rooms, renewed->epoch.value);
    }
    if (config.get(keys::store_kind) != "embedded") return 0;
    const auto directory = store::repair(std::filesystem::path{config.get(keys::data_dir)} / "directory", clock);
    if (!directory) return fault(directory.error().message);
    fmt::print("{}", store::to_text(*directory));
    return 0;
}

}  // namespace parley::app
