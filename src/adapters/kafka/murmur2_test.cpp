#include "adapters/kafka/murmur2.h"

#include <gtest/gtest.h>

namespace parley::kafka {
namespace {

TEST(Murmur2, GivesWhatKafkasOwnTestsExpect) {
    const auto java = [](std::string_view key) { return static_cast<std::int32_t>(murmur2(key)); };
    EXPECT_EQ(java("21"), -973932308);
    EXPECT_EQ(java("foobar"), -790332482);
    EXPECT_EQ(java("a-little-bit-long-string"), -985981536);
    EXPECT_EQ(java("a-little-bit-longer-string"), -1486304829);
    EXPECT_EQ(java("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
    EXPECT_EQ(java("abc"), 479470107);
}

TEST(Murmur2, ANegativeHashLosesItsSignAsInJava) {
    EXPECT_EQ(partition_of("foobar", 7), static_cast<std::uint32_t>((-790332482 & 0x7fffffff) % 7));
    EXPECT_EQ(partition_of("abc", 30), 479470107U % 30);
    EXPECT_EQ(partition_of("abc", 1), 0U);
}

}  // namespace
}  // namespace parley::kafka
