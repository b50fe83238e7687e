#include <CLI/CLI.hpp>

#include "bare_dialect.h"
#include "bench/cli.h"
#include "bench/run.h"
#include "nats_dialect.h"
#include "stomp_dialect.h"

/// The load of `parley bench` for other servers: the same options, mixes, check, table and JSON.
int main(int argc, char** argv) {
    using namespace parley::bench;
    CLI::App app{"The load of `parley bench`, spoken as other servers expect it."};
    LoadOptions options;
    add_load_options(app, options);
    std::string dialect;
    app.add_option("--dialect", dialect, "bare: bench/limit; nats; stomp: over WebSocket")
        ->required()
        ->check(CLI::IsMember({"bare", "nats", "stomp"}));
    bool typing = false;
    app.add_flag("--typing", typing, "bare: frames as long as those of typing events");
    StompDialect::Options stomp;
    std::string prefix;
    std::string send_prefix;
    bool no_receipts = false;
    app.add_option("--path", stomp.path, "stomp: the endpoint")->capture_default_str();
    app.add_option("--prefix", prefix, "stomp: what stands before a room's name in destinations; /topic/");
    app.add_option("--send-prefix", send_prefix, "stomp: the same for SEND, where it differs");
    app.add_option("--login", stomp.login, "stomp: CONNECT's login");
    app.add_option("--passcode", stomp.passcode, "stomp: CONNECT's passcode");
    app.add_flag("--no-receipts", no_receipts, "stomp: the server answers no `receipt` of a SUBSCRIBE (Spring)");
    CLI11_PARSE(app, argc, argv);
    if (!prefix.empty()) stomp.subscribe_prefix = stomp.send_prefix = prefix;
    if (!send_prefix.empty()) stomp.send_prefix = send_prefix;
    stomp.receipts = !no_receipts;
    return run_load(options, [&](const Target& target) -> std::unique_ptr<Dialect> {
        if (dialect == "bare") {
            return std::make_unique<BareDialect>(typing ? BareDialect::Shape::kTyping : BareDialect::Shape::kMessage);
        }
        if (dialect == "nats") return std::make_unique<NatsDialect>();
        StompDialect::Options how = stomp;
        how.host = target.host;
        if (target.path.size() > 1) how.path = target.path;
        return std::make_unique<StompDialect>(std::move(how));
    });
}
