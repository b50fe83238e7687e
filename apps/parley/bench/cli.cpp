#include "bench/cli.h"

#include <CLI/CLI.hpp>

namespace parley::bench {
namespace {
constexpr int kMany = 1'000'000;
}

void add_load_options(CLI::App& command, LoadOptions& options) {
    const auto number = [&command](const char* name, int& value, int least, const char* help, int most = kMany) {
        return command.add_option(name, value, help)->check(CLI::Range(least, most))->capture_default_str();
    };
    // Options are taken in the order they are added here: those below change what the mix has set.
    command
        .add_option_function<std::string>(
            "--mix", [&options](const std::string& name) { options.take_mix(name); },
            "A: 1 room × 1000, 64 in flight; B: the same, 100 messages/s; C: 500 rooms × 10, 500 senders; "
            "D: 100 rooms × 100, 500 messages/s; 64 bytes. Other options change it")
        ->check(CLI::IsMember({"A", "B", "C", "D"}));
    command
        .add_option("--url", options.urls,
                    "ws://HOST:PORT/PATH, wss:// for TLS, or HOST:PORT; several: connections take turns")
        ->type_name("URL")
        ->allow_extra_args(false);
    number("--connections", options.connections, 1, "connections, spread over the rooms");
    number("--rooms", options.rooms, 1, "rooms");
    command.add_option("--senders", options.senders, "the first so many connections send; else all")
        ->check(CLI::Range(0, kMany));
    auto* subscribers =
        command.add_option("--subscribers", options.subscribers, "the last so many connections of each room; else all")
            ->check(CLI::Range(0, kMany));
    command
        .add_flag_callback(
            "--no-subscribe", [&options] { options.subscribers = 0; }, "the same as --subscribers 0")
        ->excludes(subscribers);
    number("--in-flight", options.in_flight, 1, "closed loop: SENDs of a sender that wait for their answer");
    command.add_option("--rate", options.rate, "open loop: messages a second of all senders together")
        ->check(CLI::Range(0.0, 1e7));
    command.add_option("--payload", options.payload, "bytes of content, or `chat`: sizes as people write")
        ->type_name("BYTES|chat")
        ->capture_default_str();
    number("--warm-up", options.warm_up, 0, "seconds of load before those that count");
    auto* seconds = number("--seconds", options.seconds, 1, "seconds that count");
    command.add_option("--messages", options.messages, "stop after so many SENDs instead")->excludes(seconds);
    number("--ramp", options.ramp, 0, "connections made a second; 0: as fast as they are answered");
    command.add_flag("--idle", options.idle, "nobody sends: what a connected, subscribed client costs");
    number("--slow", options.slow, 0, "percent of the receivers that read slowly", 100);
    number("--slow-bytes", options.slow_bytes, 1, "bytes a second that a slow one reads", 1'000'000'000);
    number("--stalled", options.stalled, 0, "percent of the receivers that read nothing while it is measured", 100);
    number("--churn", options.churn, 0, "connections ended and made anew each second");
    command.add_flag("--churn-resume", options.churn_resume, "the new ones resume behind the last seq they saw");
    number("--storm", options.storm, 0, "so many connections more, all at once, after a third of the seconds");
    command.add_option("--pid", options.pids, "the server's process, for its CPU time and memory; may be repeated")
        ->allow_extra_args(false);
    command.add_option("--json", options.json, "write the results there too")->type_name("FILE");
}

}  // namespace parley::bench
