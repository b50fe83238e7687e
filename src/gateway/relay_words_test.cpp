#include "gateway/relay_words.h"

#include <gtest/gtest.h>

namespace parley::gateway {
namespace {

constexpr std::size_t kMost = 1000;
const RelayWords kWords{{"key"}};
const RelayWords::Nonces kNonces{std::string(16, 'a'), std::string(16, 'o')};
const std::string kRequest = "POST /ws-chat/000/s/xhr_send HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(RelayWords, AGreetingIsReadWhenAllOfItIsThereAndRefusedAtItsFirstWrongByte) {
    const std::string nonce = RelayWords::make_nonce();
    const std::string greeting = RelayWords::greeting(nonce);
    ASSERT_EQ(greeting.size(), RelayWords::kGreeting);
    EXPECT_EQ(RelayWords::read_greeting(greeting), nonce);
    for (std::size_t size = 0; size < greeting.size(); ++size) {
        EXPECT_EQ(RelayWords::read_greeting(greeting.substr(0, size)), std::string{}) << size;
    }
    EXPECT_FALSE(RelayWords::read_greeting("G"));
    EXPECT_FALSE(RelayWords::read_greeting("parley relay  2\n"));
    EXPECT_NE(nonce, RelayWords::make_nonce());
}

TEST(RelayWords, AProofIsOfWhoKnowsTheSecretAndHeardTheGreeting) {
    const std::string proof = kWords.proof(42, kNonces);
    ASSERT_EQ(proof.size(), RelayWords::kProof);
    const auto read = kWords.read_proof(proof, kNonces.asking);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->owner, 42U);
    EXPECT_EQ(read->nonce, kNonces.owner);
    EXPECT_FALSE(kWords.read_proof(proof, std::string(16, 'b'))) << "an answer to another greeting";
    EXPECT_FALSE(RelayWords{{"other"}}.read_proof(proof, kNonces.asking));
    EXPECT_FALSE(kWords.read_proof(proof.substr(1), kNonces.asking));
}

TEST(RelayWords, AnOrderSaysForWhomAndWhereItsRequestBegins) {
    const std::string bytes = kWords.order({"2001:db8::7", true}, kRequest, kNonces);
    const auto order = kWords.read_order(bytes + "behind", kNonces, kMost);
    ASSERT_TRUE(order.has_value() && order->has_value());
    EXPECT_EQ((*order)->client.address, "2001:db8::7");
    EXPECT_TRUE((*order)->client.secure);
    EXPECT_EQ(bytes.substr((*order)->size), kRequest);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto part = kWords.read_order(bytes.substr(0, size), kNonces, kMost);
        EXPECT_TRUE(part.has_value() && !part->has_value()) << size;
    }
}

TEST(RelayWords, NoByteOfAnOrderOrItsRequestMayBeAnother) {
    const std::string bytes = kWords.order({"192.0.2.7", false}, kRequest, kNonces);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        const auto order = kWords.read_order(changed, kNonces, kMost);
        EXPECT_FALSE(order.has_value() && order->has_value()) << at;
    }
}

TEST(RelayWords, AnOrderIsWorthNothingOnAnotherConnectionOrAsAProof) {
    const std::string bytes = kWords.order({"192.0.2.7", false}, kRequest, kNonces);
    EXPECT_FALSE(kWords.read_order(bytes, {kNonces.asking, std::string(16, 'p')}, kMost));
    EXPECT_FALSE(kWords.read_order(bytes, {kNonces.owner, kNonces.asking}, kMost));
    EXPECT_FALSE(kWords.read_order(bytes, kNonces, kRequest.size() - 1)) << "larger than a client's may be";
}

TEST(RelayWords, BothSecretsAreBelievedWhileOneIsChangedForTheOther) {
    const RelayWords changed{{"new", "key"}};
    EXPECT_TRUE(changed.read_proof(kWords.proof(1, kNonces), kNonces.asking));
    EXPECT_TRUE(changed.read_order(kWords.order({}, kRequest, kNonces), kNonces, kMost));
    EXPECT_FALSE(kWords.read_proof(changed.proof(1, kNonces), kNonces.asking));
}

}  // namespace
}  // namespace parley::gateway
