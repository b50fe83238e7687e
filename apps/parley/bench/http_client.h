#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/dialect.h"

namespace parley::bench {

/// A conversation of HTTP/1.1 requests on one connection that stays open: reads the answers, one after the other.
/// What they mean is another's matter.
/// Thread: one. Fails: an answer that is none, or whose status is not the one that was wanted, ends it.
class HttpConversation : public Conversation {
public:
    std::size_t take(std::string_view bytes, std::string& out, Events& events) final;
    /// Between requests the server may close: the next one opens another connection.
    bool on_closed(std::string&) override { return !asked_ && !over_; }

protected:
    /// A request is appended: call asked() with it.
    void asked() noexcept { asked_ = true; }
    [[nodiscard]] bool is_asked() const noexcept { return asked_; }
    [[nodiscard]] bool is_over() const noexcept { return over_; }
    void end(Events& events, End end, std::string_view why);

    [[nodiscard]] virtual bool is_good(int status) const { return status == 200; }
    /// A field of a good answer; the name as it came.
    virtual void on_field(std::string_view, std::string_view) {}
    /// A body of known length as a whole, else chunk by chunk.
    virtual void on_body(std::string_view piece, std::string& out, Events& events) = 0;
    /// The good answer is complete, and the next request may go.
    virtual void on_done(std::string& out, Events& events) = 0;
    /// Complete, but not good.
    virtual void on_refused(int status, std::string_view body, std::string& out, Events& events);

private:
    enum class Phase : std::uint8_t { kHead, kBody, kChunks };
    bool read_head(std::string_view head, Events& events);
    /// False: more has to come.
    bool take_chunk(std::string_view bytes, std::size_t& used, std::string& out, Events& events);
    void give(std::string_view piece, std::string& out, Events& events);
    void done(std::string& out, Events& events);

    Phase phase_ = Phase::kHead;
    bool asked_ = false;
    bool over_ = false;
    bool good_ = false;
    bool busy_ = false;  ///< Retry-After
    int status_ = 0;
    std::size_t length_ = 0;
    std::string refusal_;
};

/// Cuts pieces of a stream into parts that end with `mark`, wherever the pieces begin and end.
/// Thread: one. Copies only parts that came in several pieces.
class PartCutter {
public:
    explicit PartCutter(std::string_view mark) : mark_(mark) {}
    template <class Take>
    void cut(std::string_view piece, const Take& take) {
        if (!rest_.empty()) {
            rest_ += piece;
            piece = rest_;
        }
        std::size_t used = 0;
        for (std::size_t end = 0; (end = piece.find(mark_, used)) != std::string_view::npos;
             used = end + mark_.size()) {
            take(piece.substr(used, end - used));
        }
        if (rest_.empty()) {
            rest_ = piece.substr(used);
        } else {
            rest_.erase(0, used);
        }
    }
    void clear() noexcept { rest_.clear(); }

private:
    std::string_view mark_;
    std::string rest_;
};

}  // namespace parley::bench
