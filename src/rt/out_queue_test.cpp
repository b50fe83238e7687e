#include "rt/out_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace parley::rt {
namespace {

std::string gathered(const OutQueue& queue) {
    std::array<iovec, 512> parts;
    std::string out;
    for (const iovec& part : std::span{parts}.first(queue.gather(parts))) {
        out.append(static_cast<const char*>(part.iov_base), part.iov_len);
    }
    return out;
}
std::size_t parts_of(const OutQueue& queue) {
    std::array<iovec, 512> parts;
    return queue.gather(parts);
}
Slice part_of(const ChunkRef& chunk, std::uint32_t begin, std::uint32_t end) { return {chunk, begin, end}; }

TEST(OutQueue, NeighboursOfOneChunkBecomeOnePart) {
    const ChunkRef chunk = ChunkRef::copy_of("abcdef");
    OutQueue queue;
    queue.push(part_of(chunk, 0, 2));
    queue.push(part_of(chunk, 2, 4));
    EXPECT_EQ(parts_of(queue), 1u);
    queue.push(part_of(chunk, 5, 6));
    EXPECT_EQ(parts_of(queue), 2u);
    EXPECT_EQ(gathered(queue), "abcdf");
    EXPECT_EQ(queue.bytes(), 5u);
}

TEST(OutQueue, SmallCopiesGatherInOneChunk) {
    OutQueue queue;
    for (int i = 0; i < 20; ++i) queue.push_copy("0123456789");
    EXPECT_LE(parts_of(queue), 2u);
    EXPECT_EQ(queue.bytes(), 200u);
}

TEST(OutQueue, NeverWritesIntoAChunkThatOthersShare) {
    const ChunkRef shared = ChunkRef::make(100);
    ChunkRef filled = shared;
    filled.append("all");
    OutQueue queue;
    queue.push(Slice::whole(filled));
    queue.push_copy("mine");
    EXPECT_EQ(shared.size(), 3u);
    EXPECT_EQ(gathered(queue), "allmine");
}

TEST(OutQueue, HoldsNothingOnceWritten) {
    const ChunkRef chunk = ChunkRef::copy_of("abc");
    OutQueue queue;
    queue.push(Slice::whole(chunk));
    EXPECT_TRUE(chunk.is_shared());
    queue.written(3);
    EXPECT_TRUE(queue.empty());
    EXPECT_FALSE(chunk.is_shared());
}

TEST(OutQueue, EmptySlicesAreNoParts) {
    OutQueue queue;
    queue.push(Slice::whole(ChunkRef::make(10)));
    queue.push_copy("");
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(parts_of(queue), 0u);
}

TEST(OutQueue, GivesBackWhatWasPutInWhateverTheKernelTakes) {
    for (const unsigned seed : {1u, 2u, 3u}) {
        std::mt19937 random{seed};
        OutQueue queue;
        std::string expected;
        std::string got;
        ChunkRef shared = ChunkRef::copy_of(std::string(400, 's'));
        for (int step = 0; step < 20'000; ++step) {
            if (random() % 2 == 0) {
                const std::string text(random() % 700, static_cast<char>('a' + step % 26));
                queue.push_copy(text);
                expected += text;
            } else if (random() % 2 == 0) {
                const auto begin = static_cast<std::uint32_t>(random() % 400);
                const auto end = begin + static_cast<std::uint32_t>(random() % (401 - begin));
                queue.push(part_of(shared, begin, end));
                expected.append(end - begin, 's');
            } else {
                std::array<iovec, 8> parts;
                std::string next;
                for (const iovec& part : std::span{parts}.first(queue.gather(parts))) {
                    next.append(static_cast<const char*>(part.iov_base), part.iov_len);
                }
                next.resize(next.empty() ? 0 : random() % next.size() + 1);
                queue.written(next.size());
                got += next;
            }
            ASSERT_EQ(queue.bytes(), expected.size() - got.size());
        }
        while (!queue.empty()) {
            const std::string next = gathered(queue);
            queue.written(next.size());
            got += next;
        }
        EXPECT_TRUE(got == expected) << "seed " << seed;
    }
}

}  // namespace
}  // namespace parley::rt
