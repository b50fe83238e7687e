#include "adapters/mongo/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::mongo {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MongoUrl, SaysWhereWithoutTheSecret) {
    EXPECT_EQ(place("mongodb://me:pass%40word@db.example.org:27018/"), "db.example.org:27018");
    EXPECT_EQ(place("mongodb://me:secret@a,b:27018/?replicaSet=rs"), "a:27017,b:27018");
    EXPECT_EQ(place("nonsense"), "MongoDB");
}

TEST(MongoUrl, APasswordThatIsNotEncodedIsRefusedWithoutRepeatingAPieceOfIt) {
    for (const char* url : {"mongodb://me:se@cret@db/", "mongodb://me:se/cret@db/", "mongodb://me:7/cret@db/",
                            "mongodb://me:s%cret@db/", "mongodb://me:se:cret@db/", "postgres://me:cret@db/", "", "cret",
                            "mongodb://", "mongodb://me:secret@db:cret/"}) {
        const auto checked = check_url(url);
        ASSERT_FALSE(checked) << url;
        EXPECT_THAT(checked.error().message, HasSubstr("expected mongodb://USER:PASSWORD@HOST:PORT/"));
        EXPECT_THAT(checked.error().message, Not(HasSubstr("cret")));
    }
}

TEST(MongoUrl, WhatAsksForLessThanADurableMajorityIsRefused) {
    for (const char* option : {"w=1", "w=0", "journal=false", "readPreference=secondary", "readConcernLevel=local"}) {
        const auto checked = check_url(std::string{"mongodb://db/?"} + option);
        ASSERT_FALSE(checked) << option;
        EXPECT_THAT(checked.error().message, HasSubstr("asks for less than a journaled majority"));
    }
    EXPECT_TRUE(check_url("mongodb://a,b,c/?replicaSet=rs&w=majority&journal=true&tls=true&authSource=admin"));
}

}  // namespace
}  // namespace parley::mongo
