#include <signal.h>

#include "../tests/contract/cutting_proxy.h"
#include "../tests/contract/shared_log_contract.h"
#include "adapters/mongo/log_fixture.h"
#include "adapters/mongo/mongo_directory.h"

namespace parley::mongo {
namespace {

using contract::CuttingProxy;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kInsert = "documents";
constexpr const char* kRaise = "$setOnInsert";
const std::string kWritten = "\x10n\0"s;  ///< of the answer to a write: how many

std::uint16_t port_of(const std::string& url) {
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

Settings through(const CuttingProxy& proxy, Settings settings) {
    settings.url = "mongodb://127.0.0.1:" + std::to_string(proxy.port());
    return settings;
}

struct PausedServer {
    PausedServer() { ::kill(server().pid(), SIGSTOP); }
    ~PausedServer() { ::kill(server().pid(), SIGCONT); }
};

class Outcome : public testing::Test {
protected:
    /// The second message of the room, whose storing is cut.
    void expect_stored_once(const std::string& id) {
        const auto answer = node_.send("r-1", "u-1", id).get();
        ASSERT_TRUE(proxy_.has_cut());
        ASSERT_TRUE(answer) << answer.error().message;
        EXPECT_FALSE(answer->front().repeated) << "this server stored it";
        EXPECT_EQ(answer->front().seq.value, 2u);
        EXPECT_EQ(node_.heard().size(), 2u);
        EXPECT_EQ(node_.ids("r-1").size(), 2u);
    }
    void SetUp() override { ASSERT_TRUE(node_.send("r-1", "u-1", "m-1").get()); }

    const Settings direct_ = fresh_settings();
    CuttingProxy proxy_{port_of(direct_.url)};
    Node node_{through(proxy_, direct_)};
};

TEST_F(Outcome, ALostAnswerToAnInsertIsSettledByReadingItBack) {
    proxy_.cut_at(CuttingProxy::From::kServer, kWritten);
    expect_stored_once("m-2");
}

TEST_F(Outcome, AnInsertThatNeverArrivedIsMadeAgain) {
    proxy_.cut_at(CuttingProxy::From::kClient, kInsert);
    expect_stored_once("m-2");
}

TEST_F(Outcome, AnIdMadeHereIsLookedForTooWhenTheAnswerWasLost) {
    proxy_.cut_at(CuttingProxy::From::kServer, kWritten);
    expect_stored_once("");
}

TEST_F(Outcome, AHeadThatWasNotRaisedIsRaisedBeforeTheAnswer) {
    proxy_.cut_at(CuttingProxy::From::kClient, kRaise);
    expect_stored_once("m-2");
    const auto head = shell_find(direct_, find(collection::kHeads, Document{}.text("_id", "r-1")));
    EXPECT_EQ(head.at(0).number("head"), 2u);
}

TEST_F(Outcome, ALostAnswerAboutARoomOrAnAccountIsNoRefusal) {
    MongoDirectory directory{open_pool(through(proxy_, direct_))};
    store::RoomInfo room;
    room.id = RoomId::trusted("r-1");
    room.owner = MemberId::trusted("u-1");
    proxy_.cut_at(CuttingProxy::From::kServer, kWritten);
    EXPECT_TRUE(directory.add_room(room, "앨리스")) << "its own first try is not somebody else's room";
    ASSERT_TRUE(proxy_.has_cut());
    EXPECT_EQ(directory.add_room(room, "앨리스").error().code, Code::kRoomExists);
    store::Account account{MemberId::trusted("u-1"), "Alice", "앨리스", "hash", {}, {}};
    proxy_.cut_at(CuttingProxy::From::kServer, kWritten);
    EXPECT_TRUE(directory.add_account(account));
    ASSERT_TRUE(proxy_.has_cut());
    EXPECT_EQ(directory.add_account(account).error().code, Code::kNameTaken);
}

TEST(Fault, NothingAcknowledgedIsLostOrDoubledWhenTheServerRestartsInMidBatch) {
    const Settings settings = fresh_settings();
    Node one{settings}, other{settings};
    contract::expect_that_crashes_lose_nothing(one, other, [] {
        server().stop();
        server().start();
    });
}

TEST(Fault, WhileTheServerIsAwayAppendsAreRefusedAndThenServiceResumesByItself) {
    const Settings settings = fresh_settings();
    MongoLogOptions options;
    options.writer.settle_limit = 300ms;
    std::vector<std::string> said;
    options.writer.on_trouble = [&said](const std::string& reason) { said.push_back(reason); };
    Node node{settings, std::move(options)};
    MongoDirectory directory{open_pool(settings)};
    ASSERT_TRUE(node.send("r-1", "u", "m-1").get());
    server().stop();
    const auto refused = node.send("r-1", "u", "m-2").get();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kStoreUnavailable);
    EXPECT_FALSE(node.log().stats().available);
    EXPECT_EQ(directory.room(RoomId::trusted("r-1")).error().code, Code::kStoreUnavailable);
    EXPECT_EQ(node.log().head(RoomId::trusted("r-1")).error().code, Code::kStoreUnavailable);
    server().start();
    ASSERT_TRUE(node.insist("r-1", "u", "m-2"));
    EXPECT_TRUE(node.log().stats().available);
    // Those who ask are told of the trouble for half a second more.
    for (const Deadline limit = in(5s); !directory.room(RoomId::trusted("r-1"));) ASSERT_LT(steady_clock::now(), limit);
    for (const Deadline limit = in(5s); !node.log().head(RoomId::trusted("r-1"));)
        ASSERT_LT(steady_clock::now(), limit);
    EXPECT_THAT(node.ids("r-1"), ElementsAre("m-1", "m-2"));
    ASSERT_GE(said.size(), 2u);
    EXPECT_THAT(said.front(), HasSubstr("MongoDB: "));
    EXPECT_EQ(said.back(), "");
}

TEST(Fault, AServerThatStopsAnsweringHangsNobody) {
    Settings settings = fresh_settings();
    settings.answer_limit = 700ms;
    settings.connect_limit = 500ms;
    MongoLogOptions options;
    options.writer.settle_limit = 400ms;
    Node node{settings, std::move(options)};
    MongoDirectory directory{open_pool(settings)};
    ASSERT_TRUE(node.send("r-1", "u", "m-1").get());
    {
        const PausedServer paused;
        const Deadline limit = in(6s);
        EXPECT_EQ(node.send("r-1", "u", "m-2").get().error().code, Code::kStoreUnavailable);
        EXPECT_EQ(directory.room(RoomId::trusted("r-1")).error().code, Code::kStoreUnavailable);
        EXPECT_EQ(open_database(settings).error().code, Code::kStoreUnavailable);
        EXPECT_LT(steady_clock::now(), limit);
    }
    ASSERT_TRUE(node.insist("r-1", "u", "m-2"));
    for (const Deadline limit = in(10s); !node.log().head(RoomId::trusted("r-1"));)
        ASSERT_LT(steady_clock::now(), limit);
    EXPECT_THAT(node.ids("r-1"), ElementsAre("m-1", "m-2"));
}

TEST(Fault, ADraftThatNoDocumentHoldsIsRefusedAlone) {
    Node node{fresh_settings()};
    std::vector<std::future<Node::Answer>> answers;
    for (int n = 0; n < 20; ++n) {
        const std::string content = n == 7 ? "\xff" : n == 9 ? std::string(15 << 20, 'x') : n == 11 ? "a\0b"s : "fine";
        answers.push_back(node.send("r-1", "u", std::to_string(n), content));
    }
    for (int n = 0; n < 20; ++n) {
        const auto answer = answers[n].get();
        EXPECT_EQ(answer.has_value(), n != 7 && n != 9) << n;
        EXPECT_TRUE(answer || answer.error().code == Code::kInvalidPayload) << answer.error().message;
    }
    EXPECT_EQ(node.all("r-1").size(), 18u);
    EXPECT_EQ(node.all("r-1").at(9)->content, "a\0b"s);
    EXPECT_TRUE(node.log().stats().available);
}

}  // namespace
}  // namespace parley::mongo
