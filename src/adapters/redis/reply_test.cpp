#include "adapters/redis/reply.h"

#include <gtest/gtest.h>

namespace parley::redis {
namespace {

TEST(RedisReply, ACommandMayHoldAnyBytes) {
    const std::string_view words[] = {"SET", "k", std::string_view{"a\0\r\n", 4}};
    EXPECT_EQ(encode(words), std::string("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\0\r\n\r\n", 30));
}

TEST(RedisReply, RepliesComeOutHoweverTheBytesAreCut) {
    const std::string bytes = "+OK\r\n:-7\r\n$-1\r\n*2\r\n$7\r\nmessage\r\n$0\r\n\r\n-ERR no\r\n";
    ReplyReader reader;
    std::vector<Reply> replies;
    for (const char c : bytes) {
        reader.feed({&c, 1});
        auto next = reader.next();
        ASSERT_TRUE(next);
        if (*next) replies.push_back(std::move(**next));
    }
    ASSERT_EQ(replies.size(), 5U);
    EXPECT_EQ(replies[0].text, "OK");
    EXPECT_EQ(replies[1].integer, -7);
    EXPECT_EQ(replies[2].kind, Reply::Kind::kNil);
    ASSERT_EQ(replies[3].items.size(), 2U);
    EXPECT_EQ(replies[3].items[0].text, "message");
    EXPECT_EQ(replies[4].kind, Reply::Kind::kError);
}

TEST(RedisReply, WhatIsNotRedisIsSaidSo) {
    ReplyReader reader;
    reader.feed("HTTP/1.1 400 Bad Request\r\n");
    const auto next = reader.next();
    ASSERT_FALSE(next);
    EXPECT_NE(next.error().message.find("does not speak Redis"), std::string::npos);
}

}  // namespace
}  // namespace parley::redis
