#include "adapters/postgres/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::postgres {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(PostgresUrl, SaysWhereWithoutTheSecret) {
    EXPECT_EQ(place("postgres://me:pass%40word@db.example.org:6432/chat"), "db.example.org:6432");
    EXPECT_EQ(place("postgres://me:secret@db.example.org/chat"), "db.example.org:5432");
    EXPECT_EQ(place("nonsense"), "PostgreSQL");
}

TEST(PostgresUrl, TakesOptionsAfterTheQuestionMark) {
    const auto options = parse_url("postgres://me:pass%40word@a:1,b:2/chat?sslmode=verify-full");
    ASSERT_TRUE(options);
    EXPECT_THAT(*options, Contains(Pair("sslmode", "verify-full")));
    EXPECT_THAT(*options, Contains(Pair("password", "pass@word")));
    EXPECT_THAT(*options, Contains(Pair("host", "a,b")));
}

TEST(PostgresUrl, APasswordThatIsNotEncodedIsRefusedWithoutRepeatingAPieceOfIt) {
    for (const char* url :
         {"postgres://me:se@cret@db/chat", "postgres://me:se/cret@db/chat", "postgres://me:7/cret@db/chat",
          "postgres://me:s%cret@db/chat", "postgres://me:secret@db:cret/chat", "", "se cret"}) {
        const auto options = parse_url(url);
        ASSERT_FALSE(options) << url;
        EXPECT_THAT(options.error().message, HasSubstr("expected postgres://USER:PASSWORD@HOST:PORT/DATABASE"));
        EXPECT_THAT(options.error().message, Not(HasSubstr("cret")));
    }
}

}  // namespace
}  // namespace parley::postgres
