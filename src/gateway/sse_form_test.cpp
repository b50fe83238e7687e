#include "gateway/sse_form.h"

#include <gtest/gtest.h>

#include <vector>

namespace parley::gateway {
namespace {

using wire::HttpBodyFraming;

std::string encode(HttpBodyFraming framing, std::initializer_list<std::uint64_t> seqs) {
    std::vector<Message> messages;
    std::vector<room::Item> items;
    messages.reserve(seqs.size());
    for (const std::uint64_t seq : seqs) {
        messages.emplace_back().seq = {seq};
        items.push_back({messages.back(), R"({"a":1})"});
    }
    SseForms forms;
    std::string out;
    forms.get(framing).prepare(items, room::Replay::kYes);
    forms.get(framing).append(out, "");
    return out;
}

TEST(SseForm, AMessageIsAnEventOfTheDefaultNameWithItsSeqAsId) {
    EXPECT_EQ(encode(HttpBodyFraming::kUntilClose, {7}), "id: 7\ndata: {\"a\":1}\n\n");
}

TEST(SseForm, ARunOfMessagesIsOneChunk) {
    EXPECT_EQ(encode(HttpBodyFraming::kChunked, {7, 8}),
              "2a\r\nid: 7\ndata: {\"a\":1}\n\nid: 8\ndata: {\"a\":1}\n\n\r\n");
}

TEST(SseForm, AnEventOfTheRoomHasNoId) {
    SseForms forms;
    std::string out;
    forms.get(HttpBodyFraming::kUntilClose).append_event(out, RoomId::trusted("r"), R"({"event":"typing"})", "");
    EXPECT_EQ(out, "event: event\ndata: {\"event\":\"typing\"}\n\n");
}

}  // namespace
}  // namespace parley::gateway
