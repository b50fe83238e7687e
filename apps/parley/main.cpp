#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/config.h"
#include "base/config_keys.h"
#include "base/config_value.h"
#include "base/logger.h"
#include "bench/cli.h"
#include "bench_command.h"
#include "commands.h"
#include "kafka_commands.h"
#include "serve.h"
#include "worker_command.h"

namespace {

constexpr const char* kVersion = "0.1.0";

/// What every sub-command takes to find its configuration.
struct Common {
    std::string file;
    std::string listen;
    std::string data_dir;
    std::vector<std::string> set;

    void add_to(CLI::App& command) {
        command.add_option("--config", file, "TOML file")->type_name("FILE");
        command.add_option("--listen", listen, "where to listen, HOST:PORT (port 0: a free one)")
            ->type_name("HOST:PORT");
        command.add_option("--data-dir", data_dir, "where everything is kept")->type_name("DIR");
        command.add_option("--set", set, "any key of the configuration")
            ->type_name("key=value")
            ->allow_extra_args(false);
    }

    [[nodiscard]] parley::Result<parley::Config> load() const {
        parley::ConfigSources sources;
        if (!file.empty()) sources.file = file;
        sources.environment = parley::parley_environment(environ);
        for (const std::string& text : set) {
            auto flag = parley::parse_set_flag(text);
            if (!flag) return parley::fail(flag.error());
            sources.flags.push_back(std::move(*flag));
        }
        if (!listen.empty()) sources.flags.push_back({"listen", listen, "--listen"});
        if (!data_dir.empty()) sources.flags.push_back({"data_dir", data_dir, "--data-dir"});
        return parley::Config::load(sources);
    }
};

/// Loads the configuration and runs `command` with it; a bad one is one line and exit status 2.
template <class Command>
int with_config(const Common& common, Command command) {
    const auto config = common.load();
    if (!config) {
        fmt::print(stderr, "parley: {}\n", config.error().message);
        return 2;
    }
    parley::logger::setup(parley::logger::parse_level(config->get(parley::keys::logging_level)),
                          parley::logger::parse_format(config->get(parley::keys::logging_format)));
    return command(*config);
}

void add_bench_options(CLI::App& command, parley::app::BenchRequest& request) {
    parley::bench::add_load_options(command, request.load);
    command.add_option("--transport", request.transport, "what the connections speak")
        ->check(CLI::IsMember(parley::app::bench_transports()))
        ->capture_default_str();
    command.add_option("--send-by", request.send_by, "sse, longpoll and polling: how their senders send")
        ->check(CLI::IsMember({"post", "stomp"}))
        ->capture_default_str();
    command.add_option("--poll-every", request.poll_every, "polling: milliseconds between two polls")
        ->check(CLI::Range(1, 3'600'000))
        ->capture_default_str();
    command.add_flag("--deflate", request.deflate, "offer permessage-deflate");
    auto* ids =
        command.add_flag("--message-ids", request.message_ids, "give each message an id, as clients that retry do");
    command.add_flag("--typing", request.typing, "typing events, which are not stored, instead of messages")
        ->excludes(ids);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Parley: chat rooms over STOMP, SockJS, WebSocket and REST, with nothing lost, doubled or out of order."};
    app.set_version_flag("--version", std::string{"parley "} + kVersion);
    app.require_subcommand(1);
    Common common;

    bool test_endpoints = false;
    CLI::App* serve = app.add_subcommand("serve", "run the server");
    common.add_to(*serve);
    serve->add_flag("--enable-test-endpoints", test_endpoints, "/echo, /stomp and /sockjs/* for conformance suites");

    std::vector<std::string> roles;
    CLI::App* worker = app.add_subcommand("worker", "run roles without a server, on a store that servers share");
    common.add_to(*worker);
    worker->add_option("--role", roles, "notification, analytics, db-writer; any number")
        ->check(CLI::IsMember({"notification", "analytics", "db-writer"}))
        ->required();

    parley::app::TokenRequest token_request;
    std::string ttl = "1h";
    CLI::App* token = app.add_subcommand("token", "make a signed token for trying things out");
    common.add_to(*token);
    token->add_option("--id", token_request.id, "member id")->required();
    token->add_option("--nickname", token_request.nickname, "shown to others");
    token->add_option("--ttl", ttl, "how long it holds: 30s, 15m, 1h")->type_name("DURATION");

    CLI::App* config = app.add_subcommand("config", "look at the configuration");
    config->require_subcommand(1);
    CLI::App* show = config->add_subcommand("show", "what is in force and where each value came from");
    CLI::App* check = config->add_subcommand("check", "say whether the configuration is good");
    common.add_to(*show);
    common.add_to(*check);

    parley::app::ExplainRequest explain_request;
    CLI::App* explain = app.add_subcommand("explain", "say whether a member may, and by which rule");
    common.add_to(*explain);
    explain->add_option("--user", explain_request.user, "member id, or guest")->required();
    auto* what = explain->add_option_group("destination");
    what->add_option("--subscribe", explain_request.subscribe, "destination to SUBSCRIBE to");
    what->add_option("--send", explain_request.send, "destination to SEND to");
    what->require_option(1);
    explain
        ->add_option("--profile", explain_request.profile, "game, public or broker; else by the destination's prefix")
        ->check(CLI::IsMember({"game", "public", "broker"}));

    parley::app::ReplayRequest replay_request;
    parley::app::TopicReplayRequest topic_request;
    CLI::App* replay = app.add_subcommand("replay", "print a room's messages, or a Kafka topic's, as NDJSON");
    common.add_to(*replay);
    auto* room = replay->add_option("--room", replay_request.room, "room id");
    auto* from_seq =
        replay->add_option("--from-seq", replay_request.from_seq, "first seq")->check(CLI::NonNegativeNumber);
    from_seq->needs(room);
    auto* from_time = replay->add_option("--from-time", replay_request.from_time, "first time, ISO 8601");
    from_time->excludes(from_seq);
    auto* partition = replay->add_option("--partition", topic_request.partition, "of the topic, without --room");
    partition->excludes(room);
    replay->add_option("--from-offset", topic_request.from_offset, "first offset")
        ->needs(partition)
        ->excludes(from_time);
    replay->add_option("--to-offset", topic_request.to_offset, "last offset")->needs(partition);

    parley::app::GroupResetRequest reset_request;
    CLI::App* group = app.add_subcommand("group", "look after a Kafka topic's consumer groups");
    group->require_subcommand(1);
    CLI::App* reset = group->add_subcommand("reset", "say where a group would go on, and with --execute move it there");
    common.add_to(*reset);
    reset->add_option("--group", reset_request.group, "its name, without kafka.group_prefix")->required();
    reset->add_option("--partition", reset_request.partition, "this one alone");
    auto* target = reset->add_option_group("where");
    target->add_option("--to-offset", reset_request.to_offset, "the next offset it reads");
    target->add_option("--to-time", reset_request.to_time, "the first record from this ISO 8601 time on");
    target->require_option(1);
    reset->add_flag("--execute", reset_request.execute, "do it");

    CLI::App* repair = app.add_subcommand("repair", "make a damaged store usable again, keeping the old one");
    common.add_to(*repair);
    bool restored = false;
    repair->add_flag("--new-epoch", restored, "the store came out of a backup: give every room a new epoch");

    parley::app::BenchRequest bench_request;
    CLI::App* bench = app.add_subcommand("bench", "load a server, and check what it does");
    add_bench_options(*bench, bench_request);
    common.add_to(*bench);
    bench->add_option_function<std::string>(
        "--secret,--token-secret", [&](const std::string& text) { common.set.push_back("auth.secret=" + text); },
        "signs the tokens; without it the configuration's, or the one in --data-dir");

    const auto is_meant = [&](const CLI::App* known) { return known->get_name() == argv[1]; };
    if (argc > 1 && *argv[1] != '-' && app.get_subcommands(is_meant).empty()) {
        fmt::print(stderr, "parley: there is no command '{}'; parley --help lists those there are\n", argv[1]);
        return 2;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int status = app.exit(error);
        return status == 0 ? 0 : 2;
    }
    if (*serve) return with_config(common, [&](const auto& c) { return parley::app::serve(c, test_endpoints); });
    if (*worker) return with_config(common, [&](const auto& c) { return parley::app::run_worker(c, roles); });
    if (*token) {
        return with_config(common, [&](const auto& c) {
            constexpr parley::Key<parley::milliseconds> kTtl{
                {.name = "--ttl", .default_text = "1h", .help = "", .min = 1}};
            const auto parsed = parley::config_detail::parse_value(kTtl.spec, ttl);
            if (!parsed) {
                fmt::print(stderr, "parley: --ttl: {}\n", parsed.error().message);
                return 2;
            }
            token_request.ttl = std::get<parley::milliseconds>(*parsed);
            return parley::app::make_token(c, token_request);
        });
    }
    if (*show) {
        return with_config(common, [](const auto& c) {
            fmt::print("{}", c.show());
            return 0;
        });
    }
    if (*check) return with_config(common, [](const auto& c) { return parley::app::check(c); });
    if (*explain) return with_config(common, [&](const auto& c) { return parley::app::explain(c, explain_request); });
    if (*replay) {
        if (*room) return with_config(common, [&](const auto& c) { return parley::app::replay(c, replay_request); });
        if (!*partition && !*from_time) {
            fmt::print(stderr, "parley: replay needs --room, --partition or --from-time\n");
            return 2;
        }
        topic_request.from_time = replay_request.from_time;
        return with_config(common, [&](const auto& c) { return parley::app::replay_topic(c, topic_request); });
    }
    if (*reset) return with_config(common, [&](const auto& c) { return parley::app::reset_group(c, reset_request); });
    if (*bench) return with_config(common, [&](const auto& c) { return parley::app::bench(c, bench_request); });
    if (*repair) {
        return with_config(common,
                           [&](const auto& c) { return parley::app::repair(c, parley::app::Restored{restored}); });
    }
    return 2;
}
