#pragma once
#include <cstdint>
#include <string_view>

namespace parley::kafka {

/// The hash that Kafka's Java clients choose partitions by.
[[nodiscard]] std::uint32_t murmur2(std::string_view bytes) noexcept;
/// Where a record with this key lies: as every producer with Java's default partitioner has it.
[[nodiscard]] inline std::uint32_t partition_of(std::string_view key, std::uint32_t partitions) noexcept {
    return (murmur2(key) & 0x7fffffffU) % partitions;
}

}  // namespace parley::kafka
