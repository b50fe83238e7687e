#include "wire/http_response.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace parley::wire {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 38> kReasons{{
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
}};

bool has_no_body(int status) noexcept { return status < 200 || status == 204 || status == 304; }

void append_number(std::string& out, std::size_t value, int base = 10) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
    out.append(digits.data(), end);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    const std::size_t from = out.size();
    out.append(value);
    for (std::size_t i = from; i < out.size(); ++i) {
        const auto c = static_cast<unsigned char>(out[i]);
        if ((c < 0x20 && c != '\t') || c == 0x7f) out[i] = ' ';
    }
    out.append("\r\n");
}

void append_common(std::string& out, const HttpResponseHead& head) {
    // RFC 9112 2.3: a server answers with its own version, 1.1, also to an HTTP/1.0 request.
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::size_t>(head.status));
    out.append(" ").append(reason_phrase(head.status)).append("\r\n");
    if (!head.date.empty()) append_field(out, "Date", head.date);
    for (const HttpField& field : head.fields) append_field(out, field.name, field.value);
    if (head.status < 200) return;
    if (!head.keep_alive) {
        append_field(out, "Connection", "close");
    } else if (head.version_minor == 0) {
        append_field(out, "Connection", "keep-alive");
    }
}

}  // namespace

std::string_view reason_phrase(int status) noexcept {
    for (const auto& [code, phrase] : kReasons) {
        if (code == status) return phrase;
    }
    return "Unknown";
}

void append_response(std::string& out, const HttpResponseHead& head, std::string_view body) {
    append_common(out, head);
    if (!has_no_body(head.status)) {
        out.append("Content-Length: ");
        append_number(out, body.size());
        out.append("\r\n");
    }
    out.append("\r\n");
    if (!head.head_only && !has_no_body(head.status)) out.append(body);
}

HttpBodyFraming append_response_head(std::string& out, const HttpResponseHead& head) {
    const bool none = has_no_body(head.status);
    const bool until_close = !none && head.version_minor == 0;
    if (until_close && head.keep_alive) {
        HttpResponseHead closing = head;
        closing.keep_alive = false;
        append_common(out, closing);
    } else {
        append_common(out, head);
    }
    if (!none && !until_close) out.append("Transfer-Encoding: chunked\r\n");
    out.append("\r\n");
    if (none || head.head_only) return HttpBodyFraming::kNone;
    return until_close ? HttpBodyFraming::kUntilClose : HttpBodyFraming::kChunked;
}

void append_chunk(std::string& out, std::string_view data) {
    if (data.empty()) return;
    append_number(out, data.size(), 16);
    out.append("\r\n").append(data).append("\r\n");
}

void append_last_chunk(std::string& out) { out.append("0\r\n\r\n"); }

std::string format_http_date(WallTime time) {
    constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<seconds>(time - day)};
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday{day}.c_encoding()],
                       static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                       static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                       clock.seconds().count());
}

void append_continue(std::string& out) { out.append("HTTP/1.1 100 Continue\r\n\r\n"); }

}  // namespace parley::wire
