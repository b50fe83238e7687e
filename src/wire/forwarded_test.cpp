#include "wire/forwarded.h"

#include <gtest/gtest.h>

namespace parley::wire {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// Proxies are 10.0.0.0/8 and whoever comes by a Unix socket.
Client client(const std::string& peer, const Fields& fields, bool over_tls = false) {
    const auto trusted = TrustedProxies::parse({"10.0.0.0/8", "unix:"});
    HttpHeaders headers;
    for (const auto& [name, value] : fields) headers.add(name, value);
    return find_client(*trusted, peer, over_tls, headers);
}
std::string address(const std::string& peer, const std::string& forwarded_for) {
    return client(peer, {{"X-Forwarded-For", forwarded_for}}).address;
}

TEST(ForwardedFor, FromATrustedProxyIsTheClient) {
    EXPECT_EQ(address("10.0.0.1", "198.51.100.7"), "198.51.100.7");
    EXPECT_EQ(address("unix:", "2001:db8::7"), "2001:db8::7");
    EXPECT_EQ(address("::ffff:10.0.0.1", "198.51.100.7"), "198.51.100.7");
}

TEST(ForwardedFor, FromAnybodyElseIsPassedOver) {
    EXPECT_EQ(address("203.0.113.9", "198.51.100.7"), "203.0.113.9");
    EXPECT_EQ(find_client({}, "127.0.0.1", false,
                          [] {
                              HttpHeaders headers;
                              headers.add("X-Forwarded-For", "198.51.100.7");
                              headers.add("X-Forwarded-Proto", "https");
                              return headers;
                          }())
                  .address,
              "127.0.0.1");
}

TEST(ForwardedFor, TheRightMostThatIsNoProxyWins) {
    EXPECT_EQ(address("10.0.0.1", "192.0.2.66, 198.51.100.7, 10.0.0.2"), "198.51.100.7");
    EXPECT_EQ(
        client("10.0.0.1", {{"X-Forwarded-For", "192.0.2.66"}, {"x-forwarded-for", "198.51.100.7 ,10.9.9.9"}}).address,
        "198.51.100.7");
    EXPECT_EQ(address("10.0.0.1", "10.0.0.3,10.0.0.2"), "10.0.0.3");
}

TEST(ForwardedFor, NothingBehindWhatIsNoAddressCounts) {
    EXPECT_EQ(address("10.0.0.1", "198.51.100.7, unknown"), "10.0.0.1");
    EXPECT_EQ(address("10.0.0.1", "198.51.100.7, , 10.0.0.2"), "10.0.0.2");
    EXPECT_EQ(address("10.0.0.1", ""), "10.0.0.1");
    EXPECT_EQ(address("10.0.0.1", "[::1"), "10.0.0.1");
}

TEST(ForwardedFor, APortIsLeftOut) {
    EXPECT_EQ(address("10.0.0.1", "198.51.100.7:49153"), "198.51.100.7");
    EXPECT_EQ(address("10.0.0.1", "[2001:db8::7]:49153"), "2001:db8::7");
}

TEST(ForwardedProto, IsBelievedOfATrustedProxyOnly) {
    EXPECT_TRUE(client("10.0.0.1", {{"X-Forwarded-Proto", "https"}}).secure);
    EXPECT_FALSE(client("10.0.0.1", {{"X-Forwarded-Proto", "http"}}, true).secure);
    EXPECT_FALSE(client("203.0.113.9", {{"X-Forwarded-Proto", "https"}}).secure);
    EXPECT_TRUE(client("203.0.113.9", {{"X-Forwarded-Proto", "http"}}, true).secure);
    EXPECT_TRUE(client("10.0.0.1", {}, true).secure);
}

TEST(ForwardedProto, IsThatOfTheClientsHop) {
    const auto secure = [](const std::string& hops, const std::string& protocols) {
        return client("10.0.0.1", {{"X-Forwarded-For", hops}, {"X-Forwarded-Proto", protocols}}).secure;
    };
    EXPECT_TRUE(secure("198.51.100.7, 10.0.0.2", "https, http"));
    EXPECT_FALSE(secure("192.0.2.66, 198.51.100.7", "https, http"));
    EXPECT_TRUE(secure("198.51.100.7, 10.0.0.2", "https"));
}

TEST(TrustedProxies, RefusesWhatIsNoNetwork) {
    for (const char* text : {"10.0.0.0/33", "proxy.example.org", "*", "unix"}) {
        EXPECT_FALSE(TrustedProxies::parse({text})) << text;
    }
    EXPECT_TRUE(TrustedProxies::parse({})->empty());
}

}  // namespace
}  // namespace parley::wire
