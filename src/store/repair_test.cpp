#include "store/repair.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/uuid.h"
#include "store/embedded_directory.h"

namespace parley::store {
namespace {

namespace fs = std::filesystem;

class Repair : public testing::Test {
protected:
    Repair() : folder_(fs::temp_directory_path() / ("parley-repair-" + random_hex(8)) / "directory") {
        RoomInfo room;
        room.id = RoomId::trusted("r-1");
        with_directory([&](Directory& directory) { ASSERT_TRUE(directory.add_room(room, {})); });
    }
    ~Repair() override { fs::remove_all(folder_.parent_path()); }

    template <class Body>
    void with_directory(Body body) {
        auto directory = EmbeddedDirectory::open(folder_, clock_);
        ASSERT_TRUE(directory) << directory.error().message;
        body(**directory);
    }
    [[nodiscard]] bool opens() { return EmbeddedDirectory::open(folder_, clock_).has_value(); }

    ManualClock clock_;
    fs::path folder_;
};

TEST_F(Repair, LeavesAWholeDirectoryAlone) {
    const auto report = repair(folder_, clock_);
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->damaged);
    EXPECT_GT(report->records, 0U);
}

TEST_F(Repair, BringsBackADirectoryWhoseCurrentFileIsDamagedAndKeepsTheOld) {
    std::ofstream{folder_ / "CURRENT"} << "\xff\xff\xff";
    ASSERT_FALSE(opens());
    const auto report = repair(folder_, clock_);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->damaged);
    EXPECT_TRUE(fs::exists(report->old_folder));
    with_directory([](Directory& directory) {
        const auto room = directory.room(RoomId::trusted("r-1"));
        ASSERT_TRUE(room);
        EXPECT_TRUE(room->has_value());
    });
}

TEST_F(Repair, RefusesADirectoryThatIsInUse) {
    with_directory([&](Directory&) {
        const auto report = repair(folder_, clock_);
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code, Code::kStoreUnavailable);
    });
}

}  // namespace
}  // namespace parley::store
