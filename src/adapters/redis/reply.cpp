#include "adapters/redis/reply.h"

#include <hiredis/hiredis.h>

#include <array>
#include <charconv>

namespace parley::redis {
namespace {

Reply to_reply(const redisReply& from) {
    Reply out;
    switch (from.type) {
        case REDIS_REPLY_STRING:
        case REDIS_REPLY_STATUS:
            out.kind = Reply::Kind::kText;
            out.text.assign(from.str, from.len);
            break;
        case REDIS_REPLY_ERROR:
            out.kind = Reply::Kind::kError;
            out.text.assign(from.str, from.len);
            break;
        case REDIS_REPLY_INTEGER:
            out.kind = Reply::Kind::kInteger;
            out.integer = from.integer;
            break;
        case REDIS_REPLY_ARRAY:
            out.kind = Reply::Kind::kArray;
            for (std::size_t i = 0; i < from.elements; ++i) out.items.push_back(to_reply(*from.element[i]));
            break;
        default: break;
    }
    return out;
}

}  // namespace

std::string encode(std::span<const std::string_view> words) {
    std::string out;
    std::size_t size = 16;
    for (const std::string_view word : words) size += word.size() + 16;
    out.reserve(size);
    const auto count = [&out](char kind, std::size_t number) {
        std::array<char, 24> digits{};
        const auto end = std::to_chars(digits.begin(), digits.end(), number).ptr;
        out += kind;
        out.append(digits.data(), end);
        out += "\r\n";
    };
    count('*', words.size());
    for (const std::string_view word : words) {
        count('$', word.size());
        out += word;
        out += "\r\n";
    }
    return out;
}

struct ReplyReader::Impl {
    struct Free {
        void operator()(redisReader* reader) const { redisReaderFree(reader); }
    };
    std::unique_ptr<redisReader, Free> reader{redisReaderCreate()};
};

ReplyReader::ReplyReader() : impl_(std::make_unique<Impl>()) {}
ReplyReader::~ReplyReader() = default;

void ReplyReader::feed(std::string_view bytes) { redisReaderFeed(impl_->reader.get(), bytes.data(), bytes.size()); }

Result<std::optional<Reply>> ReplyReader::next() {
    void* object = nullptr;
    if (redisReaderGetReply(impl_->reader.get(), &object) != REDIS_OK) {
        return fail(Code::kStoreUnavailable, std::string{"it does not speak Redis: "} + impl_->reader->errstr);
    }
    if (object == nullptr) return std::optional<Reply>{};
    const auto free = [](redisReply* reply) { freeReplyObject(reply); };
    const std::unique_ptr<redisReply, decltype(free)> reply{static_cast<redisReply*>(object), free};
    return std::optional{to_reply(*reply)};
}

}  // namespace parley::redis
