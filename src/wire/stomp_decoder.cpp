#include "wire/stomp_decoder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "base/memory_account.h"
#include "wire/utf8.h"

namespace parley::wire {
namespace {

using Kind = StompFault::Kind;

constexpr std::size_t kMaxHeaders = 128;
constexpr std::size_t kHeadersOnStack = 16;
constexpr std::size_t kMaxLengthDigits = 20;
constexpr auto kLastCommand = static_cast<std::size_t>(StompCommand::kDisconnect);

/// The bytes of a header line that mean something.
constexpr std::array<bool, 256> kSpecial = [] {
    std::array<bool, 256> table{};
    for (const unsigned char c : {'\0', '\n', '\r', ':', '\\'}) table[c] = true;
    return table;
}();

/// What `\c` stands for, or 0: undefined.
char unescaped(char c, StompVersion version) noexcept {
    switch (c) {
        case 'n': return '\n';
        case 'c': return ':';
        case '\\': return '\\';
        case 'r': return version == StompVersion::k12 ? '\r' : '\0';
        default: return 0;
    }
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

/// Takes the next line, without its end, off the front of whole lines.
std::string_view take_line(std::string_view& lines) noexcept {
    const std::size_t end = lines.find('\n');
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

StompHeader split(std::string_view line) noexcept {
    const std::size_t colon = line.find(':');
    return {line.substr(0, colon), line.substr(colon + 1)};
}

/// Appends `text`, whose escapes have been checked, to `scratch` and returns it there.
std::string_view unescape(std::string_view text, StompVersion version, std::string& scratch) {
    if (text.find('\\') == std::string_view::npos) return text;
    const std::size_t start = scratch.size();
    for (std::size_t i = 0; i < text.size(); ++i) {
        scratch += text[i] == '\\' ? unescaped(text[++i], version) : text[i];
    }
    return std::string_view{scratch}.substr(start);
}

}  // namespace

std::optional<std::string_view> StompFrame::find(std::string_view wanted) const noexcept {
    for (const StompHeader& header : headers) {
        if (header.name == wanted) return header.value;
    }
    return std::nullopt;
}

/// Looks through one frame from its start, as far as there are bytes.
class StompDecoder::Scan {
public:
    enum class Step : std::uint8_t {
        kNext,  ///< go on with the next phase
        kNeedsBytes,
        kWhole,  ///< an end of line or a frame, ending at at_
        kFault,
    };

    explicit Scan(const StompDecoder& decoder) noexcept : decoder_(decoder) {}
    /// `frame` is what was given before and perhaps more.
    Step advance(std::string_view frame);

private:
    friend class StompDecoder;
    enum class Phase : std::uint8_t { kBetween, kCommand, kHeaders, kBody };
    static constexpr std::uint32_t kNone = 0xFFFF'FFFF;

    Step scan_between(std::string_view frame);
    Step scan_command(std::string_view frame);
    Step scan_headers(std::string_view frame);
    Step end_header_line(std::string_view frame, std::size_t line_end, std::size_t next);
    Step end_header_block(std::size_t next);
    Step scan_body(std::string_view frame);
    Step starved(std::size_t end);
    Step refuse(StompFault::Kind kind, std::string_view message) noexcept;

    [[nodiscard]] bool is_connect() const noexcept {
        return command_ == StompCommand::kConnect || command_ == StompCommand::kStomp;
    }
    [[nodiscard]] bool has_escapes() const noexcept { return decoder_.version_ != StompVersion::k10 && !is_connect(); }
    /// 1.0 trims headers; before CONNECT is read its version is not known.
    [[nodiscard]] bool keeps_spaces() const noexcept { return has_escapes(); }
    [[nodiscard]] bool may_have_body() const noexcept {
        return command_ == StompCommand::kSend || is_connect() || decoder_.version_ == StompVersion::k10;
    }

    const StompDecoder& decoder_;
    std::string_view problem_;     ///< set with Step::kFault
    std::uint32_t at_ = 0;         ///< scanned so far; this and the next four count from the frame's start
    std::uint32_t line_ = 0;       ///< start of the header line being scanned
    std::uint32_t colon_ = kNone;  ///< its first colon, or kNone
    std::uint32_t headers_ = 0;    ///< start of the header block
    std::uint32_t body_ = 0;       ///< start of the body, one past the blank line
    std::uint32_t length_ = kNone;
    std::uint16_t header_count_ = 0;
    Phase phase_ = Phase::kBetween;
    StompCommand command_{};
    StompFault::Kind problem_kind_{};
    bool reading_length_ = false;  ///< the line is the first content-length
    bool escaped_ = false;         ///< a backslash was seen where it is an escape
    bool told_headers_ = false;
};

/// A frame whose end has not arrived.
struct StompDecoder::Partial {
    Scan scan;
    std::string bytes;
    memory::Charge held{memory::Use::kInput, bytes.size()};
};

StompDecoder::StompDecoder(StompLimits limits, StompVersion version) noexcept
    : max_frame_(static_cast<std::uint32_t>(limits.max_frame.count)),
      max_header_block_(static_cast<std::uint32_t>(std::min(limits.max_header_block, limits.max_frame).count)),
      max_headers_(static_cast<std::uint16_t>(std::min(limits.max_headers, kMaxHeaders))),
      version_(version) {}

StompDecoder::~StompDecoder() = default;

StompFed StompDecoder::feed(std::string_view bytes, Handler& handler) {
    using Step = Scan::Step;
    if (dead_) return {bytes.size(), std::nullopt};
    std::size_t at = 0;
    Flow flow = Flow::kContinue;
    if (partial_ != nullptr) {
        const std::size_t had = partial_->bytes.size();
        partial_->bytes += bytes;
        partial_->held.grow(bytes.size());
        const Step step = partial_->scan.advance(partial_->bytes);
        if (step == Step::kNeedsBytes) return wait(partial_->scan, partial_->bytes, bytes.size(), handler);
        const auto whole = std::move(partial_);
        if (step == Step::kFault) return die(whole->scan, whole->bytes, bytes.size());
        at = whole->scan.at_ - had;
        flow = deliver(whole->scan, whole->bytes, handler);
    }
    while (flow == Flow::kContinue && at < bytes.size()) {
        const std::string_view rest = bytes.substr(at);
        Scan scan{*this};
        const Step step = scan.advance(rest);
        if (step == Step::kFault) return die(scan, rest, bytes.size());
        if (step == Step::kNeedsBytes) {
            partial_ = std::make_unique<Partial>(Partial{scan, std::string{rest}});
            return wait(partial_->scan, partial_->bytes, bytes.size(), handler);
        }
        at += scan.at_;
        flow = deliver(scan, rest, handler);
    }
    return {at, std::nullopt};
}

StompDecoder::Scan::Step StompDecoder::Scan::advance(std::string_view frame) {
    Step step = Step::kNext;
    while (step == Step::kNext) {
        switch (phase_) {
            case Phase::kBetween: step = scan_between(frame); break;
            case Phase::kCommand: step = scan_command(frame); break;
            case Phase::kHeaders: step = scan_headers(frame); break;
            case Phase::kBody: step = scan_body(frame); break;
        }
    }
    return step;
}

StompDecoder::Scan::Step StompDecoder::Scan::scan_between(std::string_view frame) {
    at_ = 1;
    if (frame.front() == '\n') return Step::kWhole;
    if (frame.front() == '\r') {
        if (frame.size() < 2) return Step::kNeedsBytes;
        at_ = 2;
        if (frame[1] == '\n') return Step::kWhole;
    }
    phase_ = Phase::kCommand;
    return Step::kNext;
}

StompDecoder::Scan::Step StompDecoder::Scan::scan_command(std::string_view frame) {
    const std::size_t line_end = frame.find('\n');
    std::string_view word = frame.substr(0, line_end);
    bool whole = line_end != std::string_view::npos;
    if (!word.empty() && word.back() == '\r') {
        word.remove_suffix(1);
        whole = true;
    }
    for (std::size_t i = 0; i <= kLastCommand; ++i) {
        const auto command = static_cast<StompCommand>(i);
        const std::string_view known = name(command);
        if (whole ? known != word : !known.starts_with(word)) continue;
        if (line_end == std::string_view::npos) return Step::kNeedsBytes;
        command_ = command;
        phase_ = Phase::kHeaders;
        at_ = line_ = headers_ = static_cast<std::uint32_t>(line_end + 1);
        return Step::kNext;
    }
    return refuse(Kind::kProtocol, "unknown command");
}

/// The headers go on past `end`, which is where the bytes or the room for headers end.
StompDecoder::Scan::Step StompDecoder::Scan::starved(std::size_t end) {
    return end == decoder_.max_header_block_ ? refuse(Kind::kTooLarge, "headers too large") : Step::kNeedsBytes;
}

StompDecoder::Scan::Step StompDecoder::Scan::scan_headers(std::string_view frame) {
    const std::size_t end = std::min<std::size_t>(frame.size(), decoder_.max_header_block_);
    while (true) {
        while (at_ < end && !kSpecial[static_cast<unsigned char>(frame[at_])]) ++at_;
        if (reading_length_) {
            const std::string_view digits = frame.substr(colon_ + 1, at_ - colon_ - 1);
            const std::string_view allowed = keeps_spaces() ? "0123456789" : "0123456789 ";
            if (digits.size() > kMaxLengthDigits || digits.find_first_not_of(allowed) != std::string_view::npos) {
                return refuse(Kind::kProtocol, "content-length is not a number");
            }
        }
        if (at_ >= end) return starved(end);
        const char c = frame[at_];
        if (c == '\n') {
            if (const Step step = end_header_line(frame, at_, at_ + 1); step != Step::kNext) return step;
            if (phase_ == Phase::kBody) return Step::kNext;
            continue;
        }
        if (c == '\0') return refuse(Kind::kProtocol, "NUL before the end of the headers");
        if (c == ':') {
            if (colon_ == kNone) {
                if (at_ == line_) return refuse(Kind::kProtocol, "header without a name");
                if (header_count_ == decoder_.max_headers_) return refuse(Kind::kProtocol, "too many headers");
                colon_ = at_;
                std::string_view header = frame.substr(line_, at_ - line_);
                if (!keeps_spaces()) header = trim(header);
                reading_length_ = length_ == kNone && header == "content-length";
            }
            ++at_;
            continue;
        }
        if (c == '\\' && !has_escapes()) {
            ++at_;
            continue;
        }
        if (at_ + 1 >= end) return starved(end);
        const char next = frame[at_ + 1];
        if (c == '\\') {
            if (unescaped(next, decoder_.version_) == 0) return refuse(Kind::kProtocol, "undefined escape in a header");
            escaped_ = true;
            at_ += 2;
        } else if (next == '\n') {
            if (const Step step = end_header_line(frame, at_, at_ + 2); step != Step::kNext) return step;
            if (phase_ == Phase::kBody) return Step::kNext;
        } else {
            if (decoder_.version_ == StompVersion::k12 && !is_connect())
                return refuse(Kind::kProtocol, "CR inside a header");
            ++at_;
        }
    }
}

StompDecoder::Scan::Step StompDecoder::Scan::end_header_line(std::string_view frame, std::size_t line_end,
                                                             std::size_t next) {
    if (line_end == line_) return end_header_block(next);
    if (colon_ == kNone) return refuse(Kind::kProtocol, "header without a colon");
    if (!is_valid_utf8(frame.substr(line_, line_end - line_))) return refuse(Kind::kProtocol, "header is not UTF-8");
    ++header_count_;
    if (reading_length_) {
        const std::string_view digits = trim(frame.substr(colon_ + 1, line_end - colon_ - 1));
        std::uint32_t length = 0;
        const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
        if (error == std::errc::invalid_argument || stop != digits.data() + digits.size()) {
            return refuse(Kind::kProtocol, "content-length is not a number");
        }
        if (error == std::errc::result_out_of_range || length > decoder_.max_frame_) {
            return refuse(Kind::kTooLarge, "frame too large");
        }
        if (length > 0 && !may_have_body()) return refuse(Kind::kProtocol, "only SEND may have a body");
        length_ = length;
        reading_length_ = false;
    }
    line_ = at_ = static_cast<std::uint32_t>(next);
    colon_ = kNone;
    return Step::kNext;
}

StompDecoder::Scan::Step StompDecoder::Scan::end_header_block(std::size_t next) {
    body_ = at_ = static_cast<std::uint32_t>(next);
    const std::size_t least = std::size_t{body_} + (length_ == kNone ? 0 : length_) + 1;
    if (least > decoder_.max_frame_) return refuse(Kind::kTooLarge, "frame too large");
    phase_ = Phase::kBody;
    return Step::kNext;
}

StompDecoder::Scan::Step StompDecoder::Scan::scan_body(std::string_view frame) {
    if (length_ != kNone) {
        const std::size_t nul = std::size_t{body_} + length_;
        if (frame.size() <= nul) return Step::kNeedsBytes;
        if (frame[nul] != '\0') return refuse(Kind::kProtocol, "no NUL where content-length ends the body");
        at_ = static_cast<std::uint32_t>(nul + 1);
        return Step::kWhole;
    }
    const std::string_view room = frame.substr(0, decoder_.max_frame_);
    const std::size_t nul = room.find('\0', at_);
    if (!may_have_body() && room.size() > body_ && nul != body_) {
        return refuse(Kind::kProtocol, "only SEND may have a body");
    }
    if (nul == std::string_view::npos) {
        at_ = static_cast<std::uint32_t>(room.size());
        return at_ == decoder_.max_frame_ ? refuse(Kind::kTooLarge, "frame too large") : Step::kNeedsBytes;
    }
    length_ = static_cast<std::uint32_t>(nul - body_);
    at_ = static_cast<std::uint32_t>(nul + 1);
    return Step::kWhole;
}

StompDecoder::Scan::Step StompDecoder::Scan::refuse(Kind kind, std::string_view message) noexcept {
    problem_kind_ = kind;
    problem_ = message;
    return Step::kFault;
}

StompFed StompDecoder::die(const Scan& scan, std::string_view frame, std::size_t consumed) {
    dead_ = true;
    StompFault fault{scan.problem_kind_, scan.problem_, std::nullopt};
    std::string_view lines = frame.substr(scan.headers_, scan.line_ - scan.headers_);
    while (!lines.empty() && !fault.receipt_id) {
        StompHeader header = split(take_line(lines));
        if (!scan.keeps_spaces()) header = {trim(header.name), trim(header.value)};
        if (header.name != "receipt") continue;
        std::string scratch;
        fault.receipt_id = scan.has_escapes() ? unescape(header.value, version_, scratch) : header.value;
    }
    return {consumed, std::move(fault)};
}

/// `use` gets the headers, which live until it returns.
template <class Use>
auto StompDecoder::with_headers(const Scan& scan, std::string_view frame, Use use) {
    std::array<StompHeader, kHeadersOnStack> few;
    std::vector<StompHeader> many;
    std::span<StompHeader> headers{few.data(), std::min<std::size_t>(scan.header_count_, few.size())};
    if (scan.header_count_ > few.size()) {
        many.resize(scan.header_count_);
        headers = many;
    }
    std::string_view lines = frame.substr(scan.headers_, scan.line_ - scan.headers_);
    std::string scratch;
    if (scan.escaped_) scratch.reserve(lines.size());
    bool spaces_count = version_ != StompVersion::k10;
    if (scan.is_connect()) spaces_count = lines.find("accept-version:") != std::string_view::npos;
    for (StompHeader& header : headers) {
        header = split(take_line(lines));
        if (scan.escaped_) {
            header = {unescape(header.name, version_, scratch), unescape(header.value, version_, scratch)};
        } else if (!spaces_count) {
            header = {trim(header.name), trim(header.value)};
        }
    }
    return use(std::span<const StompHeader>{headers});
}

/// The rest of the frame has not arrived.
StompFed StompDecoder::wait(Scan& scan, std::string_view frame, std::size_t consumed, Handler& handler) {
    if (scan.phase_ == Scan::Phase::kBody && !std::exchange(scan.told_headers_, true)) {
        with_headers(scan, frame, [&](auto headers) { handler.on_headers({scan.command_, headers, {}}); });
    }
    return {consumed, std::nullopt};
}

Flow StompDecoder::deliver(const Scan& scan, std::string_view frame, Handler& handler) {
    if (scan.phase_ == Scan::Phase::kBetween) {
        handler.on_heartbeat();
        return Flow::kContinue;
    }
    return with_headers(scan, frame, [&](auto headers) {
        return handler.on_frame({scan.command_, headers, frame.substr(scan.body_, scan.length_)});
    });
}

}  // namespace parley::wire
