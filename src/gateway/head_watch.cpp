#include "gateway/head_watch.h"

#include <algorithm>
#include <memory>

namespace parley::gateway {
namespace {
constexpr std::size_t kRoomsAtOnce = 5'000;
}

void HeadWatch::ask() {
    if (asking_) return;
    auto rooms = std::make_shared<std::vector<RoomId>>();
    hub_.list_rooms(*rooms);
    news_.list_rooms(*rooms);
    if (rooms->empty()) return;
    std::ranges::sort(*rooms);
    const auto repeats = std::ranges::unique(*rooms);
    rooms->erase(repeats.begin(), repeats.end());
    asking_ = true;
    asker_.ask(
        [&log = log_, rooms]() -> Result<std::vector<log::RoomHead>> {
            std::vector<log::RoomHead> all;
            for (std::size_t at = 0; at < rooms->size(); at += kRoomsAtOnce) {
                const auto some = log.heads(std::span{*rooms}.subspan(at, std::min(kRoomsAtOnce, rooms->size() - at)));
                if (!some) return fail(some.error());
                all.insert(all.end(), some->begin(), some->end());
            }
            return all;
        },
        [this, rooms](Result<std::vector<log::RoomHead>> heads) {
            asking_ = false;
            if (!heads) return;
            for (std::size_t i = 0; i < rooms->size(); ++i) {
                hub_.on_head((*rooms)[i], (*heads)[i].head);
                news_.on_head((*rooms)[i], (*heads)[i].head);
            }
        });
}

}  // namespace parley::gateway
