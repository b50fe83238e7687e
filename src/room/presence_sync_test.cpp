#include "room/presence_sync.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <set>

namespace parley::room {
namespace {

constexpr seconds kGrace{15};

/// Servers that hear each other's words, in order, unless they are cut off.
class PresenceSyncTest : public testing::Test {
protected:
    struct Server {
        explicit Server(PresenceSyncTest& test, Presence::ServerId id)
            : sync(
                  presence, id, kGrace, [&test, id](std::string word) { test.words.emplace_back(id, std::move(word)); },
                  [this](const RoomId& room, const MemberId& member, const std::string&, bool present) {
                      told += (present ? '+' : '-') + room.str() + '/' + member.str() + ' ';
                  }) {}
        Presence presence{kGrace};
        PresenceSync sync;
        std::string told;
        bool is_cut = false;
        bool is_dead = false;
    };

    Server& start() {
        servers.push_back(std::make_unique<Server>(*this, servers.size() + 1));
        servers.back()->sync.on_missed();  // as with each link
        deliver();
        return *servers.back();
    }
    void deliver() {
        while (!words.empty()) {
            const auto [from, word] = std::move(words.front());
            words.pop_front();
            wholes += is_whole(word) ? 1 : 0;
            if (servers[from - 1]->is_cut) continue;
            for (auto& server : servers) {
                if (!server->is_cut && !server->is_dead) server->sync.on_word(word, now);
            }
        }
    }
    void pass(milliseconds time) {
        for (const auto end = now + time; now < end; now += seconds{1}) {
            for (auto& server : servers) {
                if (server->is_dead) continue;
                server->sync.on_second(now, !server->is_cut);
                for (const auto& absent : server->presence.sweep(now)) {
                    server->told += '-' + absent.room.str() + '/' + absent.member.str() + ' ';
                }
            }
            deliver();
        }
    }
    bool join(Server& server, const std::string& member = "u-1", Presence::SessionId session = 1) {
        const bool fresh = server.presence.join(room, MemberId::trusted(member), member, session);
        deliver();
        return fresh;
    }
    bool leave(Server& server, const std::string& member = "u-1", Presence::SessionId session = 1) {
        const bool last = server.presence.leave(room, MemberId::trusted(member), session);
        deliver();
        return last;
    }
    std::string here(const Server& server) const {
        std::set<std::string> sorted;
        for (const auto& present : server.presence.present(room)) sorted.insert(present.member.str());
        std::string out;
        for (const auto& member : sorted) out += member + ' ';
        return out;
    }

    /// Of a few members: all in one part.
    static bool is_whole(const std::string& word) { return word.at(8) == 4; }

    std::deque<std::pair<Presence::ServerId, std::string>> words;
    std::size_t wholes = 0;
    std::vector<std::unique_ptr<Server>> servers;
    RoomId room = RoomId::trusted("r-1");
    SteadyTime now{seconds{3600}};
};

TEST_F(PresenceSyncTest, WhoJoinsAtOneServerIsPresentAtAll) {
    auto& one = start();
    auto& other = start();
    EXPECT_TRUE(join(one));
    EXPECT_EQ(here(other), "u-1 ");
    EXPECT_EQ(other.told, "+r-1/u-1 ");
    EXPECT_FALSE(join(other)) << "present already: no second JOIN";
}

TEST_F(PresenceSyncTest, OnlyTheLastStayOnAnyServerEndsPresence) {
    auto& one = start();
    auto& other = start();
    join(one);
    join(other);
    EXPECT_FALSE(leave(one));
    EXPECT_EQ(here(one), "u-1 ");
    EXPECT_TRUE(leave(other));
    EXPECT_EQ(here(one), "");
    EXPECT_EQ(one.told, "-r-1/u-1 ");
}

TEST_F(PresenceSyncTest, AServerThatComesLaterLearnsTheWhole) {
    auto& one = start();
    for (int i = 0; i < 4500; ++i) join(one, "u-" + std::to_string(i));
    auto& late = start();
    EXPECT_EQ(late.presence.present(room).size(), 4500U);
    leave(one, "u-7");
    EXPECT_EQ(late.presence.present(room).size(), 4499U) << "and goes on from there";
}

TEST_F(PresenceSyncTest, WhenAllAskAtOnceEachSaysTheWholeOnceAndOnceMoreForThoseWhoCameLater) {
    constexpr std::size_t kServers = 8;
    for (std::size_t i = 0; i < kServers; ++i) join(start(), "u-" + std::to_string(i));
    pass(2 * PresenceSync::kBeat);
    EXPECT_EQ(here(*servers.back()), "u-0 u-1 u-2 u-3 u-4 u-5 u-6 u-7 ");
    wholes = 0;
    // The bus was restarted, and they find it one after the other.
    for (auto& server : servers) {
        server->sync.on_missed();
        deliver();
    }
    pass(2 * PresenceSync::kBeat);
    EXPECT_EQ(wholes, 2 * kServers);
}

TEST_F(PresenceSyncTest, WhatWasMissedIsMadeUpForWithinSeconds) {
    auto& one = start();
    auto& other = start();
    join(one, "u-1");
    other.is_cut = true;
    join(one, "u-2");
    leave(one, "u-1");
    other.is_cut = false;
    join(one, "u-3");
    EXPECT_EQ(here(other), "u-1 ") << "not without the one before";
    pass(seconds{5});
    EXPECT_EQ(here(other), "u-2 u-3 ");
    EXPECT_EQ(other.told, "+r-1/u-1 -r-1/u-1 +r-1/u-2 +r-1/u-3 ");
}

TEST_F(PresenceSyncTest, MembersOfADeadServerGoOnceAfterTheGrace) {
    auto& one = start();
    auto& other = start();
    pass(seconds{10});
    join(one, "u-1");
    join(one, "u-2");
    pass(seconds{2});
    one.is_dead = true;
    join(other, "u-2");
    pass(kGrace - seconds{3});
    EXPECT_EQ(here(other), "u-1 u-2 ");
    pass(seconds{10});
    EXPECT_EQ(here(other), "u-2 ") << "who came back to another server was never away";
    EXPECT_EQ(other.told, "+r-1/u-1 +r-1/u-2 -r-1/u-1 ");
}

TEST_F(PresenceSyncTest, NobodyGoesBecauseThisServerIsCutOff) {
    auto& one = start();
    auto& other = start();
    join(one);
    other.is_cut = true;
    pass(seconds{120});
    EXPECT_EQ(here(other), "u-1 ");
    other.is_cut = false;
    other.sync.on_missed();
    pass(seconds{120});
    EXPECT_EQ(here(other), "u-1 ");
    EXPECT_EQ(other.told, "+r-1/u-1 ");
}

TEST_F(PresenceSyncTest, AReconnectWithinTheGraceIsNoEventAnywhere) {
    auto& one = start();
    auto& other = start();
    join(one);
    one.presence.disconnect(room, MemberId::trusted("u-1"), 1, now);
    pass(seconds{10});
    join(one, "u-1", 2);
    pass(seconds{60});
    EXPECT_EQ(other.told, "+r-1/u-1 ");
}

TEST_F(PresenceSyncTest, WordsThatMakeNoSenseAreDropped) {
    auto& one = start();
    join(one, "u-1");
    std::minstd_rand random{1};
    for (int i = 0; i < 2000; ++i) {
        std::string word(random() % 40, '\0');
        for (char& c : word) c = static_cast<char>(random() % 6);
        one.sync.on_word(word, now);
    }
    EXPECT_TRUE(one.presence.is_present(room, MemberId::trusted("u-1")));
}

TEST_F(PresenceSyncTest, WhateverIsLostAllAgreeInTheEnd) {
    std::minstd_rand random{7};
    for (int i = 0; i < 4; ++i) start();
    for (int step = 0; step < 3000; ++step) {
        Server& server = *servers[random() % servers.size()];
        const std::string member = "u-" + std::to_string(random() % 8);
        switch (random() % 8) {
            case 0: server.is_cut = !server.is_cut; break;
            case 1: pass(seconds{1}); break;
            case 2:
            case 3: leave(server, member, random() % 2); break;
            case 4: server.presence.disconnect(room, MemberId::trusted(member), random() % 2, now); break;
            default: join(server, member, random() % 2); break;
        }
    }
    for (auto& server : servers) server->is_cut = false;
    pass(seconds{40});
    for (const auto& server : servers) EXPECT_EQ(here(*server), here(*servers[0]));
}

}  // namespace
}  // namespace parley::room
