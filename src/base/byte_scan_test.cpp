#include "base/byte_scan.h"

#include <gtest/gtest.h>

#include <string>

namespace parley {
namespace {

std::uint64_t quote_or_control(std::uint64_t word) { return eight::equal(word, '"') | eight::below(word, 0x20); }

TEST(FindByte, FindsTheFirstWhereverItIsAndHoweverLongTheText) {
    for (std::size_t size = 0; size < 40; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            std::string text(size, 'a');
            text[at] = '"';
            text[size - 1] = size - 1 == at ? '"' : '\n';
            EXPECT_EQ(find_byte(text, 0, quote_or_control), at);
            EXPECT_EQ(find_byte(text, at + 1, quote_or_control), at + 1 == size ? size : size - 1);
        }
    }
}

TEST(FindByte, AgreesWithALookAtEveryByte) {
    for (int byte = 0; byte < 256; ++byte) {
        for (const char before : {'\x01', 'a', '\x7f', '\x80', '\xff'}) {
            std::string text(16, 'z');
            text[2] = before;
            text[3] = static_cast<char>(byte);
            std::size_t first = 0;
            while (first < text.size() && static_cast<unsigned char>(text[first]) >= 0x20 && text[first] != '"')
                ++first;
            EXPECT_EQ(find_byte(text, 0, quote_or_control), first) << byte;
        }
    }
}

}  // namespace
}  // namespace parley
