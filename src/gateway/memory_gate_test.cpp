#include "gateway/memory_gate.h"

#include "base/memory_account.h"
#include "gateway/live_fixture.h"
#include "wire/websocket_test_support.h"

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

TEST_F(MemoryGateTest, AfterAStandstillAFewPassSoThatWhatTheyHoldIsGivenBack) {
    int passed = 0;
    memory_used_is(145_MiB);
    for (int i = 0; i < 10; ++i) core->memory().wait([&] { ++passed; });
    pass(seconds{9});
    EXPECT_EQ(passed, 0);
    pass(seconds{1});
    for (int i = 0; i < 3; ++i) pass(milliseconds{50});
    EXPECT_GE(passed, 4);
    EXPECT_LE(passed, 8);
}

TEST_F(MemoryGateTest, AnOpenTransactionCountsUntilItEnds) {
    Client& client = connect();
    const auto before = memory::total();
    say(client, "BEGIN\ntransaction:t\n\n");
    const std::string line(100 * 1024, 'x');
    for (int i = 0; i < 4; ++i) say(client, talk(line, "transaction:t\n"));
    EXPECT_GE(memory::total() - before, 300 * 1024);
    say(client, "ABORT\ntransaction:t\n\n");
    EXPECT_LT(memory::total() - before, 100 * 1024);
}

TEST_F(MemoryGateTest, TheRestOfAFrameWaitsAndIsNotLost) {
    Client& client = connect();
    say(client, talk("make the room"));
    const std::string frame = talk("in two parts", "receipt:two\n") + '\0';
    memory_used_is(145_MiB);
    client.resumed = 0;
    EXPECT_EQ(client.session->on_message(frame.substr(0, 60)), wire::Flow::kPause);
    pass(seconds{5});
    EXPECT_EQ(client.resumed, 0);
    memory_used_is(100_MiB);
    pass(milliseconds{50});
    EXPECT_GT(client.resumed, 0);
    client.session->on_message(frame.substr(60));
    turn();
    EXPECT_THAT(client.text, HasSubstr("receipt-id:two"));
}

TEST_F(MemoryGateTest, BehindASendThatWaitsNothingMoreIsTaken) {
    Client& client = connect();
    say(client, talk("make the room"));
    say(client, talk("a"));
    memory_used_is(145_MiB);
    EXPECT_EQ(feed(client, talk("b")), wire::Flow::kPause);
    EXPECT_EQ(feed(client, talk("c")), wire::Flow::kPause);
    memory_used_is(100_MiB);
    pass(milliseconds{50});
    EXPECT_EQ(stored(), 4U);
}

TEST_F(MemoryGateTest, AFrameWhoseRestDoesNotComeIsGivenUpThoughMemoryIsShort) {
    Client& client = connect();
    memory_used_is(145_MiB);
    client.session->on_message("SEND\ndestination:");
    pass(seconds{59});
    EXPECT_EQ(client.closed, 0);
    pass(seconds{3});
    EXPECT_EQ(client.closed, 4408);
}

/// Over sockets: what the server does not read stays with the client.
struct ShortMemoryTest : testing::LiveTest {
    Line& kept() {
        Line& line = ask("/health", "");
        EXPECT_EQ(status(heard(line)), 200);
        return line;
    }
    /// As much of `text` as goes in.
    std::size_t push(Line& line, std::string_view text) {
        std::size_t pushed = 0;
        while (!text.empty()) {
            const ssize_t n = ::send(line.fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            turn();
            if (n <= 0) break;
            pushed += static_cast<std::size_t>(n);
            text.remove_prefix(static_cast<std::size_t>(n));
        }
        return pushed;
    }
    static constexpr const char* kHead =
        "POST /api/rooms/r-1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 700000\r\n\r\n";
};

TEST_F(ShortMemoryTest, TheRestOfABodyWaitsWithTheClient) {
    Line& line = kept();
    memory_used_is(145_MiB);
    push(line, kHead);
    const std::string body(700'000, 'x');
    const auto before = memory::total(memory::Use::kInput);
    std::size_t pushed = push(line, body);
    EXPECT_LT(pushed, body.size());
    EXPECT_LE(memory::total(memory::Use::kInput) - before, 64 * 1024);
    memory_used_is(100_MiB);
    pass(seconds{2});
    pushed += push(line, std::string_view{body}.substr(pushed));
    EXPECT_EQ(pushed, body.size());
    EXPECT_EQ(status(heard(line)), 401);
}

TEST_F(ShortMemoryTest, ABodyThatWaitedItsTimeIsGivenUp) {
    Line& line = kept();
    memory_used_is(145_MiB);
    push(line, kHead);
    push(line, std::string(100'000, 'x'));
    pass(seconds{29});
    EXPECT_EQ(heard(line), "");
    pass(seconds{3});
    EXPECT_EQ(status(heard(line)), 408);
}

TEST_F(ShortMemoryTest, TheRestOfAWebSocketMessageWaitsAndIsGivenUpAfterItsTime) {
    const auto open = [this]() -> Line& {
        Line& line = ask("/room", "",
                         "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n");
        EXPECT_EQ(status(heard(line)), 101);
        return line;
    };
    Line& honest = open();
    Line& slow = open();
    const std::string message = wire::client_frame(wire::Opcode::kText, std::string(100'000, 'x'));
    memory_used_is(145_MiB);
    push(slow, message.substr(0, 5000));
    pass(seconds{40});
    const std::size_t pushed = push(honest, message);
    pass(seconds{30});
    EXPECT_THAT(heard(slow), HasSubstr("a message took too long"));
    memory_used_is(100_MiB);
    pass(seconds{2});
    push(honest, std::string_view{message}.substr(pushed));
    EXPECT_THAT(heard(honest), HasSubstr("Server received: xxxx"));
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
