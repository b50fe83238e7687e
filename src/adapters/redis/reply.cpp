#include "adapters/redis/reply.h"

#include <hiredis/hiredis.h>

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
    std::vector<const char*> data;
    std::vector<std::size_t> sizes;
    for (const std::string_view word : words) {
        data.push_back(word.data());
        sizes.push_back(word.size());
    }
    char* bytes = nullptr;
    const int size = redisFormatCommandArgv(&bytes, static_cast<int>(words.size()), data.data(), sizes.data());
    std::string out{bytes, size < 0 ? 0 : static_cast<std::size_t>(size)};
    redisFreeCommand(bytes);
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
