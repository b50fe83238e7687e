#include "bench_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

namespace parley::app {
namespace {

double per_million(double seconds, std::uint64_t count) {
    return count == 0 ? 0 : seconds / static_cast<double>(count) * 1e6;
}

double rate(std::uint64_t count, const Tally& tally) {
    return tally.seconds() <= 0 ? 0 : static_cast<double>(count) / tally.seconds();
}

std::string times(const Histogram& histogram) {
    return fmt::format("p50 {:.3f}  p99 {:.3f}  p99.9 {:.3f} ms", histogram.percentile(0.5), histogram.percentile(0.99),
                       histogram.percentile(0.999));
}

std::string json_times(const Histogram& histogram) {
    return fmt::format(R"({{"count":{},"p50_ms":{:.3f},"p99_ms":{:.3f},"p999_ms":{:.3f}}})", histogram.count(),
                       histogram.percentile(0.5), histogram.percentile(0.99), histogram.percentile(0.999));
}

std::string json_number(const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "null"; }

}  // namespace

std::optional<ProcessUse> process_use(int pid) {
    std::ifstream stat{fmt::format("/proc/{}/stat", pid)};
    const std::string text{std::istreambuf_iterator<char>{stat}, {}};
    const std::size_t name_end = text.rfind(')');  // the name may hold anything, brackets too
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields{text.substr(name_end + 1)};
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    std::uint64_t pages = 0;
    std::ifstream statm{fmt::format("/proc/{}/statm", pid)};
    statm >> pages >> pages;
    if (!fields || !statm) return std::nullopt;
    return ProcessUse{(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)),
                      pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

std::string bench_table(const BenchRequest& request, const Tally& tally, const ServerUse& server) {
    std::string out;
    const auto line = [&out](std::string_view what, const std::string& value) {
        out += fmt::format("  {:<24}{}\n", what, value);
    };
    out +=
        fmt::format("{} connections, {} rooms, {} senders with {} in flight, {} bytes, {:.1f} s\n", request.connections,
                    request.rooms, request.senders, request.in_flight, request.payload, tally.seconds());
    line("sends acknowledged", fmt::format("{:.0f}/s", rate(tally.acknowledged, tally)));
    line("send to receipt", times(tally.receipt));
    if (request.subscribers != 0) {
        line("deliveries", fmt::format("{:.0f}/s", rate(tally.delivered, tally)));
        line("send to delivery", times(tally.delivery));
    }
    if (server.cpu_seconds) {
        line("server CPU",
             fmt::format("{:.2f} s per million sends", per_million(*server.cpu_seconds, tally.acknowledged)));
        if (tally.delivered != 0) {
            line("", fmt::format("{:.3f} s per million deliveries", per_million(*server.cpu_seconds, tally.delivered)));
        }
    }
    if (server.bytes_per_connection) {
        line("server memory", fmt::format("{:.1f} KiB per connection", *server.bytes_per_connection / 1024));
    }
    line("check", tally.good()
                      ? fmt::format("good: {} acknowledged, {} delivered; none lost, doubled or reordered",
                                    tally.all_acknowledged, tally.all_delivered)
                      : fmt::format("FAILED: {} refused, {} connections broken, {} unanswered, {} + {} doubled "
                                    "receipts, {} gaps, {} repeats, {} receivers incomplete",
                                    tally.refused, tally.broken, tally.unanswered, tally.doubled_receipts,
                                    tally.doubled_seqs, tally.gaps, tally.repeats, tally.incomplete));
    if (tally.resyncs != 0) line("set back and resumed", fmt::format("{}", tally.resyncs));
    return out;
}

std::string bench_json(const BenchRequest& request, const Tally& tally, const ServerUse& server) {
    std::optional<double> per_send;
    std::optional<double> per_delivery;
    if (server.cpu_seconds) {
        per_send = per_million(*server.cpu_seconds, tally.acknowledged);
        if (tally.delivered != 0) per_delivery = per_million(*server.cpu_seconds, tally.delivered);
    }
    return fmt::format(
        R"({{"connections":{},"rooms":{},"senders":{},"in_flight":{},"payload":{},"subscribers":{},"seconds":{:.3f},)"
        R"("acknowledged_per_second":{:.1f},"receipt":{},"delivered_per_second":{:.1f},"delivery":{},)"
        R"("server_cpu_seconds":{},"server_cpu_seconds_per_million_sends":{},)"
        R"("server_cpu_seconds_per_million_deliveries":{},"server_bytes_per_connection":{},)"
        R"("check":{{"good":{},"sent":{},"acknowledged":{},"delivered":{},"refused":{},"broken":{},"unanswered":{},)"
        R"("doubled_receipts":{},"doubled_seqs":{},"gaps":{},"repeats":{},"incomplete":{},"resyncs":{}}}}})"
        "\n",
        request.connections, request.rooms, request.senders, request.in_flight, request.payload, request.subscribers,
        tally.seconds(), rate(tally.acknowledged, tally), json_times(tally.receipt), rate(tally.delivered, tally),
        json_times(tally.delivery), json_number(server.cpu_seconds), json_number(per_send), json_number(per_delivery),
        json_number(server.bytes_per_connection), tally.good(), tally.all_sent, tally.all_acknowledged,
        tally.all_delivered, tally.refused, tally.broken, tally.unanswered, tally.doubled_receipts, tally.doubled_seqs,
        tally.gaps, tally.repeats, tally.incomplete, tally.resyncs);
}

}  // namespace parley::app
