#include "bench/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "bench/stamp.h"
#include "wire/http_request.h"

namespace parley::bench {

void HttpConversation::end(Events& events, End end, std::string_view why) {
    over_ = true;
    events.on_end(end, why);
}

std::size_t HttpConversation::take(std::string_view bytes, std::string& out, Events& events) {
    std::size_t used = 0;
    while (!over_) {
        const std::string_view rest = bytes.substr(used);
        if (phase_ == Phase::kHead) {
            constexpr std::string_view kEnd = "\r\n\r\n";
            const std::size_t end = rest.find(kEnd);
            if (end == std::string_view::npos || !read_head(rest.substr(0, end + 2), events)) break;
            used += end + kEnd.size();
            if (phase_ == Phase::kBody && length_ == 0) done(out, events);
        } else if (phase_ == Phase::kBody) {
            if (rest.size() < length_) break;
            give(rest.substr(0, length_), out, events);
            used += length_;
            done(out, events);
        } else if (!take_chunk(rest, used, out, events)) {
            break;
        }
    }
    return used;
}

bool HttpConversation::take_chunk(std::string_view bytes, std::size_t& used, std::string& out, Events& events) {
    constexpr std::string_view kLineEnd = "\r\n";
    const std::size_t line = bytes.find(kLineEnd);
    if (line == std::string_view::npos) return false;
    std::size_t size = 0;
    const auto [stop, error] = std::from_chars(bytes.data(), bytes.data() + line, size, 16);
    if (error != std::errc{} || stop != bytes.data() + line) {
        end(events, End::kBroken, fmt::format("not a chunk: {}", bytes.substr(0, line)));
        return false;
    }
    const std::size_t whole = line + size + 2 * kLineEnd.size();
    if (bytes.size() < whole) return false;
    used += whole;
    if (size == 0) {
        done(out, events);
    } else {
        give(bytes.substr(line + kLineEnd.size(), size), out, events);
    }
    return true;
}

bool HttpConversation::read_head(std::string_view head, Events& events) {
    constexpr std::string_view kVersion = "HTTP/1.1 ";
    std::size_t digits = 0;
    status_ = head.starts_with(kVersion) ? static_cast<int>(leading_number(head.substr(kVersion.size()), digits)) : 0;
    if (digits != 3 || !asked_) {
        end(events, End::kBroken, fmt::format("not an answer: {}", head.substr(0, head.find('\r'))));
        return false;
    }
    good_ = is_good(status_);
    busy_ = false;
    phase_ = Phase::kBody;
    length_ = 0;
    for (std::size_t at = head.find('\n') + 1; at < head.size();) {
        const std::size_t stop = head.find('\r', at);
        const std::string_view line = head.substr(at, stop - at);
        const std::size_t colon = line.find(':');
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = line.substr(std::min(colon + 2, line.size()));
        if (wire::iequals(name, "content-length")) {
            length_ = leading_number(value, digits);
        } else if (wire::iequals(name, "transfer-encoding")) {
            phase_ = Phase::kChunks;
        } else if (wire::iequals(name, "retry-after")) {
            busy_ = true;
        } else if (good_) {
            on_field(name, value);
        }
        at = stop + 2;
    }
    return true;
}

void HttpConversation::give(std::string_view piece, std::string& out, Events& events) {
    if (good_) {
        on_body(piece, out, events);
    } else {
        refusal_ += piece;
    }
}

void HttpConversation::done(std::string& out, Events& events) {
    phase_ = Phase::kHead;
    asked_ = false;
    if (over_) return;
    if (good_) {
        on_done(out, events);
    } else {
        on_refused(status_, std::exchange(refusal_, {}), out, events);
    }
}

void HttpConversation::on_refused(int status, std::string_view body, std::string&, Events& events) {
    end(events, status == 503 && busy_ ? End::kBusy : End::kBroken, fmt::format("refused: {} {}", status, body));
}

}  // namespace parley::bench
