#include "gateway/ws_plain.h"

#include "gateway/core.h"
#include "gateway/handshake.h"
#include "gateway/ws_apps.h"
#include "wire/websocket_frame.h"

namespace parley::gateway {
namespace {
/// Below this a compressed message is hardly smaller and costs both sides.
constexpr std::size_t kWorthCompressing = 128;
}  // namespace

bool refuses_websocket(Core& core, const ExchangeRef& exchange) {
    int status = 400;
    if (!is_websocket_request(exchange->request())) {
        exchange->add_field("Upgrade", "websocket");
        exchange->add_field("Sec-WebSocket-Version", "13");
        exchange->refuse(426, {Code::kBadRequest, "this is a WebSocket endpoint"});
        return true;
    }
    if (const auto problem = websocket_problem(exchange->request(), status)) {
        if (status == 426) exchange->add_field("Sec-WebSocket-Version", "13");
        exchange->refuse(status, *problem);
        return true;
    }
    if (const auto refusal = judge_arrival(core, exchange)) {
        core.services().counters.refused(refusal->error.code).add();
        exchange->refuse(refusal->status, refusal->error, refusal->wait);
        return true;
    }
    return false;
}

void append_text_frame(std::string& out, std::string_view text, wire::Deflater* deflater) {
    if (deflater == nullptr || text.size() < kWorthCompressing) {
        wire::append_frame_header(out, wire::Opcode::kText, text.size());
        out += text;
        return;
    }
    std::string packed;
    deflater->compress(text, packed);
    wire::append_frame_header(out, wire::Opcode::kText, packed.size(), wire::Compressed::kYes);
    out += packed;
}

wire::Deflater* deflater_of(Core& core, int deflate_bits) {
    return deflate_bits == 0 ? nullptr : &core.deflaters().at(deflate_bits);
}

}  // namespace parley::gateway
