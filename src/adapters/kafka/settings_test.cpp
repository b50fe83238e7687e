#include "adapters/kafka/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace parley::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(Properties, AreOneALineAndSplitAtTheFirstEqualsSign) {
    const auto found =
        parse_properties("# of the brokers\r\n\nsecurity.protocol = SASL_SSL\r\n sasl.password=a=b, #c ");
    ASSERT_TRUE(found);
    EXPECT_THAT(*found, ElementsAre(Pair("security.protocol", "SASL_SSL"), Pair("sasl.password", "a=b, #c")));
    EXPECT_TRUE(parse_properties("")->empty());
}

TEST(Properties, WhatThePromisesRestOnIsRefused) {
    for (const char* text : {"acks=1",
                             "enable.idempotence = false",
                             "auto.offset.reset=latest",
                             "group.id=x",
                             "topic.acks=1",
                             "isolation.level=read_uncommitted",
                             "enable.partition.eof=false",
                             "message.send.max.retries=100",
                             "retries=0",
                             "retry.backoff.ms=1",
                             "request.timeout.ms=1",
                             "message.timeout.ms=1",
                             "delivery.timeout.ms=1",
                             "message.max.bytes=1000",
                             "queue.buffering.max.ms=900",
                             "linger.ms=900",
                             "request.required.acks=0",
                             "enable.auto.commit=true",
                             "auto.commit.enable=true",
                             "partitioner=random",
                             "queuing.strategy=lifo",
                             "delivery.report.only.error=true",
                             "group.instance.id=a",
                             "transactional.id=a",
                             "batch.size=1",
                             "compression.codec=gzip",
                             "metadata.broker.list=a:1",
                             "allow.auto.create.topics=true"})
        EXPECT_FALSE(parse_properties(text)) << text;
    EXPECT_THAT(parse_properties("a=b\nacks=1").error().message, HasSubstr("line 2: acks is not to be set"));
}

TEST(Properties, HowBrokersAreReachedAndHowMuchIsReadAheadIsTheOperators) {
    for (const char* text :
         {"sasl.mechanism=PLAIN", "ssl.ca.location=/a", "socket.timeout.ms=9000", "session.timeout.ms=20000",
          "fetch.message.max.bytes=4000000", "compression.level=3", "client.rack=a", "topic.blacklist=a"})
        EXPECT_TRUE(parse_properties(text)) << text;
}

/// As librdkafka lists its properties: `retries | P | … | Alias for `message.send.max.retries`: …`.
TEST(Properties, AnAliasIsRefusedWhereWhatItStandsForIs) {
    char* list = nullptr;
    std::size_t size = 0;
    std::FILE* const file = ::open_memstream(&list, &size);
    rd_kafka_conf_properties_show(file);
    std::fclose(file);
    std::istringstream lines{std::string{list, size}};
    std::free(list);
    std::size_t aliases = 0;
    for (std::string line; std::getline(lines, line);) {
        const std::string_view words = "Alias for `";
        const auto at = line.find(words);
        if (at == std::string::npos) continue;
        const auto from = at + words.size();
        const std::string name = line.substr(0, line.find(' '));
        const std::string other = line.substr(from, line.find('`', from) - from);
        EXPECT_EQ(parse_properties(name + "=1").has_value(), parse_properties(other + "=1").has_value())
            << name << " is " << other;
        ++aliases;
    }
    EXPECT_GT(aliases, 8U);
}

TEST(Properties, ALineWithoutANameOrAValueIsRefusedWithoutRepeatingIt) {
    for (const char* text : {"hunter2", "=hunter2"})
        EXPECT_THAT(parse_properties(text).error().message,
                    testing::AllOf(HasSubstr("line 1"), testing::Not(HasSubstr("hunter2"))));
}

}  // namespace
}  // namespace parley::kafka
