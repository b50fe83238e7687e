#include "wire/sse.h"

namespace parley::wire {
namespace {

void append_line(std::string& out, std::string_view field, std::string_view value) {
    out.append(field).append(": ");
    for (const char c : value) {
        if (c != '\r' && c != '\n' && c != '\0') out += c;
    }
    out += '\n';
}

}  // namespace

void append_sse_event(std::string& out, const SseEvent& event) {
    if (!event.id.empty()) append_line(out, "id", event.id);
    if (!event.name.empty()) append_line(out, "event", event.name);
    // CR, LF and CR LF all end a line for the reader.
    std::string_view rest = event.data;
    for (;;) {
        const auto end = rest.find_first_of("\r\n");
        out.append("data: ").append(rest.substr(0, end)).append("\n");
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + (rest.substr(end, 2) == "\r\n" ? 2 : 1));
    }
    out += '\n';
}

void append_sse_retry(std::string& out, std::uint32_t milliseconds) {
    out.append("retry: ").append(std::to_string(milliseconds)).append("\n");
}

}  // namespace parley::wire
