#include "base/ip.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

bool contains(const char* range, const char* address) {
    return IpRange::parse(range)->contains(*IpAddress::parse(address));
}

TEST(IpAddress, IsTheSameWhetherMappedOrNot) {
    EXPECT_EQ(IpAddress::parse("192.0.2.7"), IpAddress::parse("::ffff:192.0.2.7"));
    EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.7")->text(), "192.0.2.7");
    EXPECT_EQ(IpAddress::parse("2001:DB8:0:0::7")->text(), "2001:db8::7");
}

TEST(IpAddress, RefusesWhatIsNone) {
    for (const char* text : {"", "1.2.3", "1.2.3.4:80", "[::1]", "fe80::1%eth0", "01.2.3.4x", "localhost", "unknown"}) {
        EXPECT_FALSE(IpAddress::parse(text)) << text;
    }
    EXPECT_FALSE(IpAddress::parse(std::string_view{"::1\0", 4}));
}

TEST(IpRange, HoldsItsNetworkAndNothingElse) {
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
    EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
    EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.100"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("127.0.0.1", "127.0.0.1"));
    EXPECT_FALSE(contains("127.0.0.1", "127.0.0.2"));
    EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
    EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(contains("::/0", "2001:db8::1"));
}

TEST(IpRange, RefusesWhatIsNoNetwork) {
    for (const char* text : {"10.0.0.0/33", "10.0.0.1/8", "::1/129", "10.0.0.0/", "10.0.0.0/-1", "/8", "10.0.0.0/8x",
                             "2001:db8::1/64", "any"}) {
        EXPECT_FALSE(IpRange::parse(text)) << text;
    }
}

}  // namespace
}  // namespace parley
