#include "log/offline_reader.h"

#include <gtest/gtest.h>

#include <future>

#include "base/temp_dir.h"
#include "log/embedded_log.h"

namespace parley::log {
namespace {

TEST(OfflineReader, ReadsTheStoreOfARunningServer) {
    const TempDir dir;
    const ManualClock clock;
    EmbeddedLogOptions options;
    options.data_dir = dir.path();
    auto log = EmbeddedLog::open(std::move(options), clock);
    ASSERT_TRUE(log) << log.error().message;
    Draft draft;
    draft.id = MessageId::trusted("m-1");
    draft.sender = MemberId::trusted("u-1");
    draft.content = "hello";
    std::promise<bool> stored;
    (*log)->append({RoomId::trusted("r-1"), {draft}}, [&](auto result) { stored.set_value(result.has_value()); });
    ASSERT_TRUE(stored.get_future().get());

    const auto reader = OfflineReader::open(dir.path(), clock);
    ASSERT_TRUE(reader) << reader.error().message;
    const auto page = reader->read(RoomId::trusted("r-1"), RoomSeq{0}, 10, 1_MiB);
    ASSERT_TRUE(page);
    ASSERT_EQ(page->messages.size(), 1U);
    EXPECT_EQ(page->messages[0]->content, "hello");
}

TEST(OfflineReader, SaysWhereThereIsNoStore) {
    const TempDir dir;
    const ManualClock clock;
    const auto reader = OfflineReader::open(dir.path(), clock);
    ASSERT_FALSE(reader);
    EXPECT_NE(reader.error().message.find(dir.path()), std::string::npos);
}

}  // namespace
}  // namespace parley::log
