#include "bench/report.h"

#include <fmt/format.h>

namespace parley::bench {
namespace {

double per_million(double seconds, std::uint64_t count) {
    return count == 0 ? 0 : seconds / static_cast<double>(count) * 1e6;
}

double rate(std::uint64_t count, const Tally& tally) {
    return tally.seconds <= 0 ? 0 : static_cast<double>(count) / tally.seconds;
}

std::string times(const Histogram& histogram) {
    return fmt::format("p50 {:.3f}  p99 {:.3f}  p99.9 {:.3f} ms", histogram.percentile(0.5), histogram.percentile(0.99),
                       histogram.percentile(0.999));
}

std::string json_times(const Histogram& histogram) {
    return fmt::format(R"({{"count":{},"p50_ms":{:.3f},"p99_ms":{:.3f},"p999_ms":{:.3f},"max_ms":{:.3f}}})",
                       histogram.count(), histogram.percentile(0.5), histogram.percentile(0.99),
                       histogram.percentile(0.999), histogram.max());
}

/// What the derived figures of a server are made of.
struct Derived {
    explicit Derived(const LoadOptions& options, const Tally& tally, const ServerUse& server) {
        if (server.begun && server.ended) {
            user = server.ended->user_seconds - server.begun->user_seconds;
            system = server.ended->system_seconds - server.begun->system_seconds;
            cpu = server.ended->cpu_seconds - server.begun->cpu_seconds;
            if (tally.measured_acknowledged != 0) per_million_sends = per_million(*cpu, tally.measured_acknowledged);
            if (tally.measured_delivered != 0) per_million_deliveries = per_million(*cpu, tally.measured_delivered);
        }
        if (server.before && server.connected) {
            const auto each = [&options](std::uint64_t before, std::uint64_t after) {
                return (static_cast<double>(after) - static_cast<double>(before)) / options.connections;
            };
            microseconds_per_connect =
                (server.connected->cpu_seconds - server.before->cpu_seconds) * 1e6 / options.connections;
            bytes_per_connection = each(server.before->resident_bytes, server.connected->resident_bytes);
            anonymous_per_connection = each(server.before->anonymous_bytes, server.connected->anonymous_bytes);
        }
    }
    std::optional<double> user;
    std::optional<double> system;
    std::optional<double> cpu;
    std::optional<double> per_million_sends;
    std::optional<double> per_million_deliveries;
    std::optional<double> microseconds_per_connect;
    std::optional<double> bytes_per_connection;
    std::optional<double> anonymous_per_connection;
};

std::string json_number(const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "null"; }

std::string json_check(const Tally& tally) {
    const Faults& f = tally.faults;
    return fmt::format(
        R"({{"good":{},"sent":{},"acknowledged":{},"delivered":{},"refused":{},"broken":{},"unanswered":{},)"
        R"("doubled_receipts":{},"doubled_seqs":{},"mixed_up":{},"reordered":{},"lost":{},"gaps":{},"repeats":{},)"
        R"("unreadable":{},"incomplete":{},"resyncs":{},"slow_closed":{},"churned":{},"late_sends":{}}})",
        tally.good(), tally.sent, tally.acknowledged, tally.delivered, f.refused, f.broken, f.unanswered,
        f.doubled_receipts, f.doubled_seqs, f.mixed_up, f.reordered, f.lost, f.gaps, f.repeats, f.unreadable,
        f.incomplete, tally.resyncs, tally.slow_closed, tally.churned, tally.late_sends);
}

double each(std::uint64_t sum, const ConnectTally& connects) {
    return connects.count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(connects.count);
}

std::string json_connects(const ConnectTally& connects, const Derived& derived) {
    return fmt::format(R"({{"count":{},"round_trips":{:.2f},"sent_bytes":{:.0f},"received_bytes":{:.0f},)"
                       R"("server_cpu_microseconds":{}}})",
                       connects.count, each(connects.round_trips, connects), each(connects.sent_bytes, connects),
                       each(connects.received_bytes, connects), json_number(derived.microseconds_per_connect));
}

std::string json_samples(const Tally& tally) {
    std::string out = "[";
    for (const Sample& sample : tally.samples) {
        if (out.size() > 1) out += ',';
        fmt::format_to(std::back_inserter(out),
                       R"({{"at":{:.1f},"acknowledged":{},"delivered":{},"delivery_p50_ms":{:.3f},)"
                       R"("delivery_p99_ms":{:.3f},"delivery_p999_ms":{:.3f},"resident_bytes":{}}})",
                       sample.at, sample.acknowledged, sample.delivered, sample.delivery_p50, sample.delivery_p99,
                       sample.delivery_p999, sample.resident_bytes);
    }
    return out + ']';
}

std::string verdict(const Tally& tally) {
    const Faults& f = tally.faults;
    if (tally.good()) {
        return fmt::format("good: {} acknowledged, {} delivered; none lost, doubled or reordered", tally.acknowledged,
                           tally.delivered);
    }
    return fmt::format(
        "FAILED: {} refused, {} connections broken, {} unanswered, {} + {} doubled receipts, {} mixed up, {} "
        "reordered, {} lost, {} gaps, {} repeats, {} unreadable, {} receivers or rooms incomplete, {} of the storm",
        f.refused, f.broken, f.unanswered, f.doubled_receipts, f.doubled_seqs, f.mixed_up, f.reordered, f.lost, f.gaps,
        f.repeats, f.unreadable, f.incomplete, tally.storm.failed);
}

}  // namespace

std::string table(const LoadOptions& options, const Tally& tally, const ServerUse& server) {
    const Derived derived{options, tally, server};
    std::string out;
    const auto line = [&out](std::string_view what, const std::string& value) {
        out += fmt::format("  {:<24}{}\n", what, value);
    };
    const std::string loop = options.rate > 0 ? fmt::format("{:g} messages/s in all", options.rate)
                                              : fmt::format("{} in flight each", options.in_flight);
    out += fmt::format("{}{} connections, {} rooms, {} senders, {}, payload {}, {:.1f} s\n",
                       options.mix.empty() ? "" : "mix " + options.mix + ": ", options.connections, options.rooms,
                       options.senders, loop, options.payload, tally.seconds);
    if (options.senders != 0) {
        line("sends acknowledged", fmt::format("{:.0f}/s", rate(tally.measured_acknowledged, tally)));
        line("send to receipt", times(tally.receipt));
        if (options.subscribers != 0) {
            line("deliveries",
                 fmt::format("{:.0f}/s, {:.0f} bytes each", rate(tally.measured_delivered, tally),
                             static_cast<double>(tally.measured_bytes) /
                                 static_cast<double>(std::max<std::uint64_t>(tally.measured_delivered, 1))));
            line("send to delivery", times(tally.delivery));
        }
    }
    if (derived.cpu) {
        line("server CPU", fmt::format("{:.2f} s ({:.2f} user, {:.2f} system), {:.0f} % of a core", *derived.cpu,
                                       *derived.user, *derived.system, 100 * *derived.cpu / tally.seconds));
        if (derived.per_million_sends) line("", fmt::format("{:.2f} s per million sends", *derived.per_million_sends));
        if (derived.per_million_deliveries) {
            line("", fmt::format("{:.3f} s per million deliveries", *derived.per_million_deliveries));
        }
    }
    if (derived.bytes_per_connection) {
        line("server memory",
             fmt::format("{:.2f} KiB per connection ({:.2f} anonymous)", *derived.bytes_per_connection / 1024,
                         *derived.anonymous_per_connection / 1024));
    }
    const ConnectTally& connects = tally.connects;
    std::string connect = fmt::format("{:.1f} round trips, {:.0f} bytes to the server, {:.0f} from it",
                                      each(connects.round_trips, connects), each(connects.sent_bytes, connects),
                                      each(connects.received_bytes, connects));
    if (derived.microseconds_per_connect)
        connect += fmt::format(", {:.0f} µs of its CPU", *derived.microseconds_per_connect);
    line("a connect", connect);
    line("this program's CPU", fmt::format("{:.0f} % of a core", 100 * tally.measured_own_seconds / tally.seconds));
    if (tally.late_sends != 0) line("sent late", fmt::format("{} by more than 1 ms", tally.late_sends));
    if (tally.churned != 0) line("connections exchanged", fmt::format("{}", tally.churned));
    if (tally.storm.asked != 0) {
        line("storm",
             fmt::format("{} at once: {} served, {} refused with 503 and Retry-After, {} failed; {}", tally.storm.asked,
                         tally.storm.served, tally.storm.refused, tally.storm.failed, times(tally.storm.took)));
    }
    if (tally.resyncs != 0) line("set back and resumed", fmt::format("{}", tally.resyncs));
    if (tally.slow_closed != 0) line("closed as too slow", fmt::format("{}", tally.slow_closed));
    line("check", verdict(tally));
    return out;
}

std::string json(const LoadOptions& options, const Tally& tally, const ServerUse& server) {
    const Derived derived{options, tally, server};
    const auto use = [](const std::optional<ProcessUse>& of) {
        return of ? fmt::format(R"({{"resident_bytes":{},"anonymous_bytes":{}}})", of->resident_bytes,
                                of->anonymous_bytes)
                  : "null";
    };
    return fmt::format(
        R"({{"mix":"{}","connections":{},"rooms":{},"senders":{},"subscribers":{},"in_flight":{},"rate":{},)"
        R"("payload":"{}","seconds":{:.3f},"acknowledged_per_second":{:.1f},"receipt":{},)"
        R"("delivered_per_second":{:.1f},"delivered":{},"delivered_bytes":{},"sent_bytes":{},"delivery":{},)"
        R"("server_cpu_seconds":{},"server_user_seconds":{},"server_system_seconds":{},)"
        R"("server_cpu_seconds_per_million_sends":{},"server_cpu_seconds_per_million_deliveries":{},)"
        R"("generator_cpu_seconds":{:.4f},"connect":{},)"
        R"("server_bytes_per_connection":{},"server_anonymous_bytes_per_connection":{},)"
        R"("memory":{{"before":{},"connected":{},"begun":{},"ended":{},"peak_resident_bytes":{}}},)"
        R"("storm":{{"asked":{},"served":{},"refused":{},"failed":{},"took":{}}},)"
        R"("check":{},"samples":{}}})"
        "\n",
        options.mix, options.connections, options.rooms, options.senders, options.subscribers, options.in_flight,
        options.rate, options.payload, tally.seconds, rate(tally.measured_acknowledged, tally),
        json_times(tally.receipt), rate(tally.measured_delivered, tally), tally.measured_delivered,
        tally.measured_bytes, tally.measured_sent_bytes, json_times(tally.delivery), json_number(derived.cpu),
        json_number(derived.user), json_number(derived.system), json_number(derived.per_million_sends),
        json_number(derived.per_million_deliveries), tally.measured_own_seconds, json_connects(tally.connects, derived),
        json_number(derived.bytes_per_connection), json_number(derived.anonymous_per_connection), use(server.before),
        use(server.connected), use(server.begun), use(server.ended), server.peak_resident_bytes, tally.storm.asked,
        tally.storm.served, tally.storm.refused, tally.storm.failed, json_times(tally.storm.took), json_check(tally),
        json_samples(tally));
}

}  // namespace parley::bench
