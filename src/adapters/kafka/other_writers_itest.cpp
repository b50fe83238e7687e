#include "adapters/kafka/kafka_fixture.h"
#include "adapters/kafka/other_writers.h"
#include "adapters/kafka/topic.h"

namespace parley::kafka {
namespace {

struct OtherWriters : testing::Test {
    OtherWriters() {
        Node{settings, *own.table};  // makes the topic
    }
    std::unique_ptr<TableWriter> writer(const std::string& group, const Settings& of) {
        TableWriterOptions options;
        options.group = group;
        return std::move(*TableWriter::open(of, std::move(options), *own.table));
    }
    /// Once it is one of the group, or is no longer.
    std::string found_beside(const std::string& own_group, bool wanted) const {
        const auto end = std::chrono::steady_clock::now() + 30s;
        for (;;) {
            const auto found = other_table_writers(settings, settings.group_prefix + own_group);
            EXPECT_TRUE(found.has_value()) << found.error().message;
            if (!found || found->has_value() == wanted || std::chrono::steady_clock::now() > end)
                return found && *found ? **found : "";
        }
    }
    const Settings settings = fresh_settings(broker().url());
    OwnTable own;
};

TEST_F(OtherWriters, AreThoseOfAnotherGroupForAsLongAsItHasMembers) {
    auto other = writer("db-writer.1", settings);
    EXPECT_EQ(found_beside("db-writer.2", true), settings.group_prefix + "db-writer.1");
    EXPECT_EQ(found_beside("db-writer.1", false), "");
    other.reset();
    EXPECT_EQ(found_beside("db-writer.2", false), "");
}

TEST_F(OtherWriters, AreAFleetsTooAndNobodyElse) {
    const auto reports = writer("db-writers", settings);
    EXPECT_EQ(found_beside("db-writer.2", false), "");
    const auto fleet = writer("db-writer", settings);
    EXPECT_EQ(found_beside("db-writer.2", true), settings.group_prefix + "db-writer");
}

TEST_F(OtherWriters, OfAnotherTopicAreOthersBusiness) {
    Settings elsewhere = fresh_settings(broker().url());
    OwnTable theirs;
    Node{elsewhere, *theirs.table};
    elsewhere.group_prefix = settings.group_prefix;
    const auto other = writer("db-writer.1", elsewhere);
    Settings there = elsewhere;
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (other_table_writers(there, "db-writer.2") != std::optional{there.group_prefix + "db-writer.1"})
        ASSERT_LT(std::chrono::steady_clock::now(), end);
    EXPECT_EQ(found_beside("db-writer.2", false), "");
}

}  // namespace
}  // namespace parley::kafka
