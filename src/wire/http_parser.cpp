#include "wire/http_parser.h"

#include <algorithm>
#include <array>

#include "wire/http_grammar.h"

namespace parley::wire {
namespace {

constexpr std::size_t kMaxMethod = 32;
constexpr std::size_t kMaxChunkLine = 4096;
constexpr std::size_t kMaxChunkExtensions = 16 * 1024;  // of one request

template <class Predicate>
constexpr std::array<bool, 256> make_table(Predicate predicate) {
    std::array<bool, 256> table{};
    for (std::size_t i = 0; i < 256; ++i) table[i] = predicate(static_cast<char>(i));
    return table;
}
constexpr auto kFieldTable = make_table(is_field_char);
constexpr auto kRequestLineTable = make_table([](char c) { return c == ' ' || is_visible_ascii(c); });

/// Only digits, no sign, no list; nullopt also on overflow.
std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept {
    if (text.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (!is_digit(c)) return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (UINT64_MAX - digit) / 10) return std::nullopt;
        value = value * 10 + digit;
    }
    return value;
}

struct FieldLine {
    std::string_view name;
    std::string_view value;
};

/// `field-name ":" OWS field-value OWS`; the bytes of the value are checked already.
std::optional<FieldLine> parse_field_line(std::string_view line) noexcept {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return std::nullopt;
    return FieldLine{line.substr(0, colon), trim_ows(line.substr(colon + 1))};
}

}  // namespace

void HttpRequestParser::reset() { *this = HttpRequestParser{limits_}; }

bool HttpRequestParser::refuse(int status, std::string_view text) noexcept {
    state_ = State::kFault;
    fault_ = {status, text};
    return false;
}

HttpRequestParser::Progress HttpRequestParser::feed(std::string_view bytes) {
    std::size_t at = 0;
    for (;;) {
        switch (state_) {
            case State::kRequestLine:
            case State::kHeaders:
            case State::kChunkSize:
            case State::kChunkEnd:
            case State::kTrailers:
                if (!read_line(bytes, at)) return {HttpStep::kNeedMore, at};
                if (state_ == State::kFault) break;
                on_line();
                line_.clear();
                if (state_ == State::kHeadReported) return {HttpStep::kHead, at};
                break;
            case State::kHeadReported:
                state_ = chunked_ ? State::kChunkSize : State::kLengthBody;
                section_bytes_ = 0;
                if (!chunked_ && remaining_ > body_limit_.count) refuse(413, "request body too large");
                break;
            case State::kLengthBody:
            case State::kChunkData:
                read_body(bytes, at);
                if (remaining_ > 0) return {HttpStep::kNeedMore, at};
                state_ = state_ == State::kLengthBody ? State::kDone : State::kChunkEnd;
                break;
            case State::kDone: return {HttpStep::kDone, at};
            case State::kFault: return {HttpStep::kFault, at};
        }
    }
}

/// True when a line is complete or refused, false when more bytes are needed.
bool HttpRequestParser::read_line(std::string_view bytes, std::size_t& at) {
    const auto& plain = state_ == State::kRequestLine ? kRequestLineTable : kFieldTable;
    const std::size_t limit = section_limit();
    while (at < bytes.size()) {
        if (section_bytes_ >= limit) {
            refuse_long_section();
            return true;
        }
        const char c = bytes[at];
        if (cr_seen_) {
            ++at;
            ++section_bytes_;
            cr_seen_ = false;
            if (c != '\n') refuse(400, "CR not followed by LF");
            return true;
        }
        const bool in_method = state_ == State::kRequestLine && !method_read_;
        if (!line_.empty() && !in_method && plain[static_cast<unsigned char>(c)]) {
            const std::size_t end = std::min(bytes.size(), at + limit - section_bytes_);
            std::size_t stop = at + 1;
            while (stop < end && plain[static_cast<unsigned char>(bytes[stop])]) ++stop;
            line_.append(bytes.substr(at, stop - at));
            section_bytes_ += stop - at;
            at = stop;
            continue;
        }
        ++at;
        ++section_bytes_;
        take_special(c);
        if (state_ == State::kFault) return true;
    }
    return false;
}

/// A byte that a run of plain ones cannot hold: a line end, a line's first byte, the method.
void HttpRequestParser::take_special(char c) {
    if (c == '\r') {
        cr_seen_ = true;
    } else if (c == '\n') {
        refuse(400, "line ends without CR");
    } else if (state_ == State::kRequestLine) {
        if (method_read_ ? kRequestLineTable[static_cast<unsigned char>(c)] : take_method_byte(c)) {
            line_.push_back(c);
        } else if (state_ != State::kFault) {
            refuse(400, "bad request line");
        }
    } else if (!kFieldTable[static_cast<unsigned char>(c)]) {
        refuse(400, "control character");
    } else if (!line_.empty() || may_start_line(c)) {
        line_.push_back(c);
    }
}

bool HttpRequestParser::may_start_line(char c) noexcept {
    switch (state_) {
        case State::kChunkSize: return hex_value(c) >= 0 || refuse(400, "bad chunk size");
        case State::kChunkEnd: return refuse(400, "chunk longer than its size");
        default: return is_token_char(c) || refuse(400, c == ' ' || c == '\t' ? "folded field line" : "bad field name");
    }
}

bool HttpRequestParser::take_method_byte(char c) noexcept {
    if (c == ' ' && !line_.empty()) {
        method_read_ = true;
        return true;
    }
    if (!is_token_char(c)) return false;
    return line_.size() < kMaxMethod || refuse(501, "method too long");
}

std::size_t HttpRequestParser::section_limit() const noexcept {
    return state_ == State::kChunkSize || state_ == State::kChunkEnd ? kMaxChunkLine : limits_.head.count;
}

void HttpRequestParser::refuse_long_section() noexcept {
    switch (state_) {
        case State::kRequestLine: refuse(414, "request target too long"); break;
        case State::kChunkSize: refuse(400, "chunk line too long"); break;
        case State::kTrailers: refuse(431, "trailers too large"); break;
        default: refuse(431, "request head too large"); break;
    }
}

void HttpRequestParser::on_line() {
    switch (state_) {
        case State::kRequestLine:
            if (line_.empty()) {
                section_bytes_ = 0;  // RFC 9112 2.2: empty lines before a request are skipped
            } else {
                on_request_line();
            }
            break;
        case State::kHeaders: line_.empty() ? on_head_end() : on_field_line(); break;
        case State::kTrailers:
            if (line_.empty()) {
                state_ = State::kDone;
            } else {
                on_field_line();
            }
            break;
        case State::kChunkSize: on_chunk_size(); break;
        default:
            state_ = State::kChunkSize;
            section_bytes_ = 0;
            break;
    }
}

void HttpRequestParser::on_request_line() {
    const std::string_view line = line_;
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || last == first) return void(refuse(400, "bad request line"));
    const std::string_view target = line.substr(first + 1, last - first - 1);
    if (target.empty() || target.find(' ') != std::string_view::npos) return void(refuse(400, "bad request line"));

    std::string_view version = line.substr(last + 1);
    if (!version.starts_with("HTTP/")) return void(refuse(400, "bad HTTP version"));
    version.remove_prefix(5);
    // `HTTP/2` is no HTTP-version of RFC 9112, but it is clear what was meant.
    if (version.empty() || !is_digit(version[0])) return void(refuse(400, "bad HTTP version"));
    if (version.size() == 1 && version[0] >= '2') return void(refuse(505, "only HTTP/1.x is spoken here"));
    if (version.size() != 3 || version[1] != '.' || !is_digit(version[2])) {
        return void(refuse(400, "bad HTTP version"));
    }
    if (version[0] != '1') return void(refuse(505, "only HTTP/1.x is spoken here"));

    request_.method = line.substr(0, first);
    request_.target = target;
    request_.version_minor = version[2] == '0' ? 0 : 1;
    state_ = State::kHeaders;
    on_target();
}

void HttpRequestParser::on_target() {
    std::string_view target = request_.target;
    if (target.find('#') != std::string_view::npos) return void(refuse(400, "fragment in the request target"));
    if (request_.method == "CONNECT") {
        const std::size_t colon = target.rfind(':');
        const bool has_port = colon != std::string_view::npos && colon + 1 < target.size() && target.back() != ']';
        if (!has_port || !is_host_and_port(target)) return void(refuse(400, "CONNECT needs host:port"));
        request_.host = target;
        absolute_ = true;
        return;
    }
    if (target == "*") {
        if (request_.method != "OPTIONS") return void(refuse(400, "only OPTIONS may ask for *"));
        request_.path = "*";
        return;
    }
    if (target.front() != '/') {
        const std::size_t colon = target.find("://");
        const std::string_view scheme = target.substr(0, colon == std::string_view::npos ? 0 : colon);
        if (!iequals(scheme, "http") && !iequals(scheme, "https") && !iequals(scheme, "ws") &&
            !iequals(scheme, "wss")) {
            return void(refuse(400, "bad request target"));
        }
        target.remove_prefix(colon + 3);
        const std::string_view authority = target.substr(0, target.find_first_of("/?"));
        if (!is_host_and_port(authority)) return void(refuse(400, "bad host in the request target"));
        request_.host = authority;
        absolute_ = true;
        target.remove_prefix(authority.size());
    }
    const std::size_t question = target.find('?');
    request_.path = target.substr(0, question);
    if (question != std::string_view::npos) request_.query = target.substr(question + 1);
    if (request_.path.empty()) request_.path = request_.method == "OPTIONS" && target.empty() ? "*" : "/";
}

void HttpRequestParser::on_field_line() {
    if (++fields_ > limits_.headers) return void(refuse(431, "too many fields"));
    const auto field = parse_field_line(line_);
    if (!field) return void(refuse(400, "bad field line"));
    if (state_ == State::kHeaders) request_.headers.add(field->name, field->value);
}

void HttpRequestParser::on_head_end() {
    if (!read_host() || !read_framing() || !read_expect()) return;
    const HttpHeaders& headers = request_.headers;
    request_.keep_alive = !headers.has_token("connection", "close") &&
                          (request_.version_minor > 0 || headers.has_token("connection", "keep-alive"));
    state_ = chunked_ || remaining_ > 0 ? State::kHeadReported : State::kDone;
    request_.expect_continue = request_.expect_continue && state_ == State::kHeadReported;
}

/// RFC 9112 3.2, 3.3.
bool HttpRequestParser::read_host() {
    const std::size_t count = request_.headers.count("host");
    if (count > 1) return refuse(400, "more than one Host field");
    if (count == 0) return request_.version_minor == 0 || refuse(400, "no Host field");
    const std::string_view host = *request_.headers.find("host");
    if (!is_host_and_port(host)) return refuse(400, "bad Host field");
    if (!absolute_) request_.host = host;
    return true;
}

/// RFC 9112 6.3. What could be understood in two ways is refused.
bool HttpRequestParser::read_framing() {
    const std::size_t lengths = request_.headers.count("content-length");
    if (request_.headers.count("transfer-encoding") > 0) {
        if (lengths > 0) return refuse(400, "both Content-Length and Transfer-Encoding");
        return read_transfer_encoding();
    }
    if (lengths == 0) return true;
    if (lengths > 1) return refuse(400, "more than one Content-Length field");
    const auto length = parse_decimal(*request_.headers.find("content-length"));
    if (!length) return refuse(400, "bad Content-Length");
    remaining_ = *length;
    return true;
}

bool HttpRequestParser::read_transfer_encoding() {
    if (request_.version_minor == 0) return refuse(400, "Transfer-Encoding in HTTP/1.0");
    bool unknown = false;
    for (std::string_view rest : request_.headers.all("transfer-encoding")) {
        while (!rest.empty()) {
            const std::string_view coding = next_list_element(rest);
            if (coding.empty()) continue;
            if (chunked_) return refuse(400, "chunked is not the last transfer coding");
            const std::string_view name = trim_ows(coding.substr(0, coding.find(';')));
            if (!is_token(name)) return refuse(400, "bad Transfer-Encoding");
            chunked_ = iequals(name, "chunked");
            if (chunked_ && name.size() != coding.size()) return refuse(400, "chunked takes no parameters");
            unknown = unknown || !chunked_;
        }
    }
    if (unknown) return refuse(501, "unknown transfer coding");
    return chunked_ || refuse(400, "empty Transfer-Encoding");
}

/// RFC 9110 10.1.1; an HTTP/1.0 expectation is ignored.
bool HttpRequestParser::read_expect() {
    if (request_.version_minor == 0) return true;
    for (std::string_view rest : request_.headers.all("expect")) {
        while (!rest.empty()) {
            const std::string_view expectation = next_list_element(rest);
            if (expectation.empty()) continue;
            if (!iequals(expectation, "100-continue")) return refuse(417, "unknown expectation");
            request_.expect_continue = true;
        }
    }
    return true;
}

void HttpRequestParser::on_chunk_size() {
    const std::string_view line = line_;
    std::uint64_t size = 0;
    std::size_t digits = 0;
    for (; digits < line.size() && hex_value(line[digits]) >= 0; ++digits) {
        if (size > UINT64_MAX >> 4) return void(refuse(400, "bad chunk size"));
        size = size << 4 | static_cast<std::uint64_t>(hex_value(line[digits]));
    }
    if (digits == 0 || !is_chunk_extension(line.substr(digits))) return void(refuse(400, "bad chunk size"));
    extension_bytes_ += line.size() - digits;
    if (extension_bytes_ > kMaxChunkExtensions) return void(refuse(400, "chunk extensions too large"));
    if (size > body_limit_.count - request_.body.size()) return void(refuse(413, "request body too large"));
    remaining_ = size;
    state_ = size > 0 ? State::kChunkData : State::kTrailers;
    section_bytes_ = 0;
    if (size == 0) fields_ = 0;
}

void HttpRequestParser::read_body(std::string_view bytes, std::size_t& at) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size() - at));
    request_.body.append(bytes.substr(at, n));
    held_.grow(n);
    remaining_ -= n;
    at += n;
}

}  // namespace parley::wire
