#include "gateway/memory_gate.h"

#include "base/memory_account.h"
#include "gateway/gateway_fixture.h"

namespace parley::gateway {
namespace {

using testing::Client;
using ::testing::HasSubstr;
using ::testing::Not;

struct MemoryGateTest : testing::GatewayTest {
    std::size_t stored() { return log.inner.at(RoomId::trusted("r-1")).head.value; }
};

TEST_F(MemoryGateTest, ASendWaitsWhileMemoryIsUsedUpAndIsNotLost) {
    Client& client = connect();
    say(client, talk("make the room"));
    memory_used_is(145_MiB);
    say(client, talk("a", "receipt:a\n"));
    say(client, talk("b", "receipt:b\n"));
    pass(seconds{5});
    EXPECT_EQ(stored(), 1U);
    EXPECT_EQ(client.count("RECEIPT\n"), 0U);
    memory_used_is(100_MiB);
    pass(milliseconds{50});
    EXPECT_EQ(stored(), 3U);
    EXPECT_LT(client.text.find("receipt-id:a\n"), client.text.find("receipt-id:b\n"));
}

TEST_F(MemoryGateTest, WhoOnlyListensIsNotHeldUp) {
    Client& client = connect();
    memory_used_is(145_MiB);
    say(client, "SUBSCRIBE\nid:n\ndestination:/user/queue/notifications\nreceipt:s\n\n");
    EXPECT_THAT(client.text, HasSubstr("receipt-id:s"));
}

TEST_F(MemoryGateTest, WhoWaitsAndGoesIsForgotten) {
    Client& client = connect();
    say(client, talk("make the room"));
    memory_used_is(145_MiB);
    say(client, talk("a"));
    client.session->on_closed();
    memory_used_is(100_MiB);
    pass(milliseconds{50});
    EXPECT_EQ(core->memory().waiting(), 0U);
    EXPECT_EQ(stored(), 1U);
}

TEST_F(MemoryGateTest, LetsThroughOneAfterTheOtherUntilItIsFullAgain) {
    std::vector<memory::Charge> charges;
    int passed = 0;
    memory_used_is(145_MiB);
    for (int i = 0; i < 10; ++i) {
        core->memory().wait([&] {
            ++passed;
            charges.emplace_back(memory::Use::kMessages, (10_MiB).count);
        });
    }
    memory_used_is(110_MiB);
    pass(milliseconds{50});
    EXPECT_EQ(passed, 3);  // 140 MiB is full
    EXPECT_EQ(core->memory().waiting(), 7U);
}

TEST_F(MemoryGateTest, ReadersHaveLessWaitingAndAreSetBackEarlier) {
    Client& client = connect();
    hear_errors(client);
    say(client, subscribe("s"));
    client.heard();
    client.stuck = true;
    store(20, std::string(2000, 'x'));
    EXPECT_THAT(client.text, Not(HasSubstr("RESYNC")));
    memory_used_is(130_MiB);  // 8 KiB each
    store(1);
    EXPECT_THAT(client.text, HasSubstr("RESYNC"));
    client.read_all();
    turn();
    EXPECT_THAT(client.text, HasSubstr("seq:21\n"));
}

}  // namespace
}  // namespace parley::gateway
