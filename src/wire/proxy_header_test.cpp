#include "wire/proxy_header.h"

#include <gtest/gtest.h>

#include <string>

namespace parley::wire {
namespace {

using Step = ProxyHeader::Step;

std::string source_of(const ProxyHeader& header) { return header.source ? header.source->text() : "none"; }

/// Version 2: command, family and transport as given, a length that fits.
std::string binary(char command, char family, const std::string& body) {
    std::string out{"\r\n\r\n\0\r\nQUIT\n", 12};
    out += {command, family, static_cast<char>(body.size() >> 8), static_cast<char>(body.size())};
    return out + body;
}
const std::string kV4{"\xC6\x33\x64\x07\x0A\x00\x00\x01\xC0\x01\x01\xBB", 12};
const std::string kV6 =
    std::string{"\x20\x01\x0d\xb8", 4} + std::string(11, '\0') + "\x07" + std::string(16, '\x01') + "\x01\x02\x03\x04";

TEST(ProxyHeader, ReadsALineOfVersion1) {
    const std::string line = "PROXY TCP4 198.51.100.7 10.0.0.1 49153 443\r\n";
    const auto header = ProxyHeader::parse(line + "GET / HTTP/1.1");
    ASSERT_EQ(header.step, Step::kDone) << header.fault;
    EXPECT_EQ(header.size, line.size());
    EXPECT_EQ(source_of(header), "198.51.100.7");
    EXPECT_EQ(source_of(ProxyHeader::parse("PROXY TCP6 2001:db8::7 ::1 1 65535\r\n")), "2001:db8::7");
}

TEST(ProxyHeader, UnknownSaysNothingOfTheClient) {
    for (const char* line : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 ffff::2 what ever\r\n"}) {
        const auto header = ProxyHeader::parse(line);
        EXPECT_EQ(header.step, Step::kDone) << line;
        EXPECT_EQ(source_of(header), "none");
    }
}

TEST(ProxyHeader, RefusesALineThatIsNotByTheBook) {
    for (const char* line :
         {"GET / HTTP/1.1\r\n", "proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
          "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n", "PROXY TCP4 1.2.3.4  1 1\r\n",
          "PROXY TCP4 ::1 ::1 1 1\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n",
          "PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 -1\r\n",
          "PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n",
          "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n", "PROXY \r\n", "X"}) {
        EXPECT_EQ(ProxyHeader::parse(line).step, Step::kFault) << line;
    }
}

TEST(ProxyHeader, ALineHasAtMost107Bytes) {
    std::string line = "PROXY UNKNOWN " + std::string(107 - 14 - 2, 'x');
    EXPECT_EQ(ProxyHeader::parse(line).step, Step::kNeedMore);
    EXPECT_EQ(ProxyHeader::parse(line + "\r\n").step, Step::kDone);
    EXPECT_EQ(ProxyHeader::parse(line + "x\r\n").step, Step::kFault);
}

TEST(ProxyHeader, ReadsVersion2AndSkipsWhatFollowsTheAddresses) {
    const std::string tlvs{"\x03\x00\x04wxyz", 7};
    const std::string bytes = binary(0x21, 0x11, kV4 + tlvs);
    const auto header = ProxyHeader::parse(bytes + "rest");
    ASSERT_EQ(header.step, Step::kDone) << header.fault;
    EXPECT_EQ(header.size, bytes.size());
    EXPECT_EQ(source_of(header), "198.51.100.7");
    EXPECT_EQ(source_of(ProxyHeader::parse(binary(0x21, 0x21, kV6))), "2001:db8::7");
}

TEST(ProxyHeader, LocalAndUnixAndUnspecifiedSayNothingOfTheClient) {
    for (const std::string& bytes : {binary(0x20, 0x00, ""), binary(0x20, 0x11, kV4), binary(0x20, 0x11, "xyz"),
                                     binary(0x21, 0x00, "abc"), binary(0x21, 0x31, std::string(216, 'u'))}) {
        const auto header = ProxyHeader::parse(bytes);
        EXPECT_EQ(header.step, Step::kDone) << header.fault;
        EXPECT_EQ(header.size, bytes.size());
        EXPECT_EQ(source_of(header), "none");
    }
}

TEST(ProxyHeader, RefusesVersion2ThatIsNotByTheBook) {
    for (const std::string& bytes :
         {binary(0x11, 0x11, kV4), binary(0x22, 0x11, kV4), binary(0x21, 0x11, kV4.substr(1)), binary(0x21, 0x21, kV4),
          binary(0x21, 0x12, kV4), binary(0x21, 0x41, kV4), binary(0x21, 0x31, "short"),
          binary(0x21, 0x11, kV4 + std::string(4096, 't'))}) {
        EXPECT_EQ(ProxyHeader::parse(bytes).step, Step::kFault);
    }
}

TEST(ProxyHeader, WaitsForTheRestHoweverItIsCut) {
    for (const std::string& bytes :
         {std::string{"PROXY TCP4 198.51.100.7 10.0.0.1 49153 443\r\n"}, binary(0x21, 0x11, kV4)}) {
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            EXPECT_EQ(ProxyHeader::parse(bytes.substr(0, size)).step, Step::kNeedMore) << size;
        }
    }
}

}  // namespace
}  // namespace parley::wire
