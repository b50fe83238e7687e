#include "adapters/postgres/copy_rows.h"

#include <gtest/gtest.h>

namespace parley::postgres {
namespace {

using namespace std::string_literals;

TEST(CopyRows, EachFieldHasItsLengthAndBytesOfItsColumn) {
    CopyRows rows{4};
    rows.row().smallint(1).integer(400).bigint(~std::uint64_t{0}).text("앨");
    EXPECT_EQ(std::move(rows).finish(),
              "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"s
              "\0\4"s
              "\0\0\0\2\0\1"s
              "\0\0\0\4\0\0\1\x90"s
              "\0\0\0\x8\xff\xff\xff\xff\xff\xff\xff\xff"s
              "\0\0\0\3앨"s
              "\xff\xff"s);
}

TEST(CopyRows, NoRowsAreOnlyTheFrame) {
    EXPECT_EQ(CopyRows{1}.finish(), "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\xff\xff"s);
}

}  // namespace
}  // namespace parley::postgres
