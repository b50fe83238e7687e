#include "bus/inproc_bus.h"

#include "../tests/contract/bus_contract.h"

namespace parley::bus {
namespace {

struct OneServer {
    std::vector<std::unique_ptr<Node>> nodes() {
        std::vector<std::unique_ptr<Node>> out;
        out.push_back(std::make_unique<Node>(clock));
        return out;
    }
    SystemClock clock;
};

TEST(InprocBus, DetachedListenerHearsNothingMore) {
    SystemClock clock;
    Node node{clock};
    node.runtime.for_each([&](rt::Loop& loop) {
        if (loop.index() == 1) node.local.detach(loop);
    });
    node.bus().event({RoomId::trusted("r-1"), "typing"});
    node.runtime.for_each([](rt::Loop&) {});
    EXPECT_EQ(node.ears[0].heard(1), "r-1:typing ");
    EXPECT_EQ(node.ears[1].heard(0), "");
}

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Inproc, BusContract, OneServer);

}  // namespace parley::bus
