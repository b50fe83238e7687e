#include <random>

#include "room/room_fixture.h"

namespace parley::room {
namespace {

using testing::Reader;

/// One reader and what it must have heard: everything above its start, as long as it runs.
struct Watched {
    Reader* reader;
    std::uint64_t from;
    bool stopped = false;
};

/// Thousands of random steps: messages stored, announced late, twice, out of order or not at all; readers that begin
/// anywhere, fill up, drain and go; a log that fails; rooms that turn private and, with every other
/// seed, rest after a fan-out; time that passes.
class RandomRoom : public testing::RoomTest, public ::testing::WithParamInterface<unsigned> {
protected:
    RandomRoom() {
        Hub::Options options = kOptions;
        if (GetParam() % 2 == 0) options.readers_for_rest = 2;
        hub = make_hub(options);
    }

    std::size_t pick(std::size_t below) { return random() % below; }
    bool chance(std::size_t percent) { return pick(100) < percent; }

    void store_some() {
        const int count = 1 + static_cast<int>(pick(4));
        for (const auto& message : store(count)) unannounced.push_back(message);
        if (chance(3)) unannounced.push_back(store_change(RoomChange::Kind::kMadePrivate));
    }
    void announce_some() {
        while (!unannounced.empty()) {
            const auto at =
                unannounced.begin() + static_cast<std::ptrdiff_t>(chance(80) ? 0 : pick(unannounced.size()));
            if (chance(85)) announce({*at});
            if (!chance(10)) unannounced.erase(at);  // else it comes once more
            if (chance(30)) return;
        }
    }
    void begin_one() {
        const std::uint64_t head = log.at(room).head.value;
        const std::uint64_t from = chance(30) ? head : pick(head + 1);
        subscribe(after(from));
        watched.push_back({readers.back().get(), from});
        if (chance(50)) readers.back()->budget = pick(10);
    }
    void end_one() {
        if (watched.empty()) return;
        Watched& entry = watched[pick(watched.size())];
        entry.reader->subscription->stop();
        entry.stopped = true;
    }
    void drain_one() {
        if (watched.empty()) return;
        const Watched& entry = watched[pick(watched.size())];
        entry.reader->budget = chance(20) ? std::string::npos : pick(12);
        entry.reader->subscription->on_drained();
    }
    void judge_some() {
        for (auto& [who, then] : std::exchange(checks, {})) {
            if (chance(20)) {
                then(fail(Code::kStoreUnavailable, "busy"));
            } else {
                then(true);
            }
        }
    }
    void step() {
        switch (pick(12)) {
            case 0:
            case 1: store_some(); break;
            case 2:
            case 3: announce_some(); break;
            case 4: begin_one(); break;
            case 5: end_one(); break;
            case 6:
            case 7: drain_one(); break;
            case 8: judge_some(); break;
            case 9: pass(milliseconds{static_cast<std::int64_t>(pick(100))}); break;
            case 10: log.is_down = chance(20); break;
            default: answer();
        }
        if (chance(60)) answer();
    }
    /// Everything works and nothing more happens: all must arrive.
    void calm_down() {
        log.is_down = false;
        announce(unannounced);
        say();  // shows what was lost
        for (int i = 0; i < 20; ++i) {
            for (auto& [who, then] : std::exchange(checks, {})) then(true);
            for (const Watched& entry : watched) {
                entry.reader->budget = std::string::npos;
                if (!entry.stopped) entry.reader->subscription->on_drained();
            }
            pass(milliseconds{600});
            settle();
        }
    }
    void check(const Watched& entry) const {
        const auto seqs = entry.reader->seqs();
        for (std::size_t i = 0; i < seqs.size(); ++i) ASSERT_EQ(seqs[i], entry.from + i + 1) << entry.reader->heard;
    }

    std::mt19937 random{GetParam()};
    std::vector<MessageRef> unannounced;
    std::vector<Watched> watched;
};

TEST_P(RandomRoom, EveryReaderHearsExactlyTheLogFromItsStart) {
    for (int i = 0; i < 3000; ++i) {
        step();
        if (watched.size() > 12) {  // forget the oldest, so that rooms come and go
            check(watched.front());
            watched.front().reader->subscription.reset();
            watched.erase(watched.begin());
        }
        if (chance(1)) {
            for (const Watched& entry : watched) check(entry);
            watched.clear();
            readers.clear();
            settle();
        }
    }
    calm_down();
    const std::uint64_t head = log.at(room).head.value;
    for (const Watched& entry : watched) {
        check(entry);
        if (entry.stopped) continue;
        EXPECT_TRUE(entry.reader->subscription->is_live()) << entry.reader->heard;
        EXPECT_EQ(entry.from + entry.reader->seqs().size(), head) << entry.reader->heard;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomRoom, ::testing::Range(1u, 9u));

}  // namespace
}  // namespace parley::room
