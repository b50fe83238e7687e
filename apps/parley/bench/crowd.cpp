#include "bench/crowd.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <span>

#include "base/uuid.h"

namespace parley::bench {

Crowd::Crowd(Kind kind, const LoadOptions& options, const std::vector<Target>& targets,
             const std::vector<std::unique_ptr<Dialect>>& dialects, Shared& shared)
    : kind_(kind),
      name_(kind == Kind::kStorm ? "storm" : "bench"),
      options_(options),
      targets_(targets),
      dialects_(dialects),
      shared_(shared),
      every_ns_(std::chrono::nanoseconds{shared.traits.every}.count()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    shared.epoll = epoll_;
    const std::string run = random_hex(4);
    for (int i = 0; i < options.rooms; ++i) {
        rooms_.push_back(std::make_unique<RoomCheck>(fmt::format("{}-{}-{:05}", name_, run, i), shared.tally));
    }
    const auto all = static_cast<std::size_t>(options.connections);
    clients_.resize(all);
    shared.senders.acknowledged.resize(all);
    if (shared.traits.counted) {
        shared.senders.event_times.resize(static_cast<std::size_t>(options.senders) * Senders::kRemembered);
    }
}

Crowd::~Crowd() { ::close(epoll_); }

Seat Crowd::seat(std::uint32_t number) const {
    Seat seat;
    seat.number = number;
    const int place = static_cast<int>(number);
    seat.room = place % options_.rooms;
    seat.sends = place < options_.senders;
    // A room's connections are place, place + rooms, …; its last ones receive.
    seat.receives = (options_.connections - 1 - place) / options_.rooms < options_.subscribers;
    seat.room_name = rooms_[static_cast<std::size_t>(seat.room)]->name();
    seat.member = fmt::format("{}-{:06}", name_, number);
    return seat;
}

/// Spread evenly over those who only receive; a sender is never slow, as its receipts would be.
Pace Crowd::pace(std::uint32_t number) const {
    if (kind_ == Kind::kStorm) return Pace::kStorm;
    const int place = static_cast<int>(number);
    if (place < options_.senders) return Pace::kNormal;
    const int percent = (place - options_.senders) * 37 % 100;
    if (percent < options_.slow) return Pace::kSlow;
    if (percent < options_.slow + options_.stalled) return Pace::kStalled;
    return Pace::kNormal;
}

ReceiverCheck::Room Crowd::room_of(int room) {
    ReceiverCheck::Room out;
    out.check = rooms_[static_cast<std::size_t>(room)].get();
    out.senders = &shared_.senders;
    out.first_sender = static_cast<std::uint32_t>(room);
    out.stride = static_cast<std::uint32_t>(options_.rooms);
    if (options_.senders > room) {
        out.count = static_cast<std::uint32_t>((options_.senders - 1 - room) / options_.rooms + 1);
    }
    return out;
}

bool Crowd::open(std::unique_ptr<Client>& place, Seat seat, Pace pace) {
    const std::size_t which = seat.number % targets_.size();
    const Target& target = targets_[which];
    auto talk = dialects_[which]->converse(seat);
    const ReceiverCheck::Room room = room_of(seat.room);
    place = std::make_unique<Client>(shared_, std::move(seat),
                                     Client::Place{&target.address, target.address_size, target.wire, room}, pace,
                                     options_.in_flight, std::move(talk));
    return place->connect();
}

bool Crowd::open_next() {
    const auto number = static_cast<std::uint32_t>(opened_++);
    const Pace speed = pace(number);
    std::unique_ptr<Client>& place = clients_[number];
    const bool good = open(place, seat(number), speed);
    if (good && (speed == Pace::kSlow || speed == Pace::kStalled)) slow_.push_back(place.get());
    if (every_ns_ != 0) {
        // Spread over the interval, as clients that know nothing of each other.
        const std::uint64_t part = number * 2'654'435'769ULL % 1024;
        ticks_.push({Shared::steady_ns() + every_ns_ * static_cast<std::int64_t>(part) / 1024, number});
    }
    return good;
}

bool Crowd::exchange_one(bool resume) {
    const int others = options_.connections - options_.senders;
    for (int tries = 0; tries < others; ++tries) {
        const auto number =
            static_cast<std::uint32_t>(options_.senders) + exchange_at_++ % static_cast<std::uint32_t>(others);
        std::unique_ptr<Client>& place = clients_[number];
        if (!place->live() || place->pace() != Pace::kNormal) continue;
        Seat again = seat(number);
        if (resume) again.after_seq = place->last_seq();
        place->leave();
        --live_;
        ++shared_.tally.churned;
        return open(place, std::move(again), Pace::kNormal);
    }
    return false;
}

void Crowd::turn(std::int64_t wait_ns) {
    if (!ticks_.empty()) wait_ns = std::clamp<std::int64_t>(ticks_.top().at_ns - Shared::steady_ns(), 0, wait_ns);
    std::array<epoll_event, 1024> events{};
    const timespec wait{wait_ns / 1'000'000'000, wait_ns % 1'000'000'000};
    const int found = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    for (const epoll_event& event : std::span{events}.first(static_cast<std::size_t>(std::max(found, 0)))) {
        const Client::Tag tag = Client::read_tag(event.data.u64);
        Client& client = *clients_[tag.client];
        const bool was_live = client.live();
        client.on_ready(tag.line, event.events);
        if (!was_live && client.live()) ++live_;
    }
    tick();
}

void Crowd::tick() {
    const std::int64_t now = Shared::steady_ns();
    while (!ticks_.empty() && ticks_.top().at_ns <= now) {
        const Tick due = ticks_.top();
        ticks_.pop();
        Client& client = *clients_[due.client];
        if (client.live()) client.tick();
        if (!client.over()) ticks_.push({due.at_ns + every_ns_, due.client});
    }
}

void Crowd::set_dawdling(bool on) {
    for (Client* client : slow_) client->set_deaf(on);
}

void Crowd::feed_slow(std::size_t bytes) {
    for (Client* client : slow_) {
        if (client->over() || client->pace() != Pace::kSlow) continue;
        client->read_some(bytes);
    }
}

bool Crowd::settled() const {
    for (int i = 0; i < opened_; ++i) {
        const Client& client = *clients_[static_cast<std::size_t>(i)];
        if (!client.over() && (!client.live() || client.unanswered() != 0 || !client.complete())) return false;
    }
    return true;
}

void Crowd::count_missing(Tally& tally) const {
    for (int i = 0; i < opened_; ++i) {
        const Client& client = *clients_[static_cast<std::size_t>(i)];
        tally.faults.unanswered += client.unanswered();
        if (client.over() || client.complete()) continue;
        ++tally.faults.incomplete;
        tally.problem(fmt::format("connection {}: not every acknowledged message arrived, the last was {}", i,
                                  client.last_seq()));
    }
    for (const auto& room : rooms_) {
        if (!shared_.traits.seqs || room->is_dense()) continue;
        ++tally.faults.incomplete;
        tally.problem(fmt::format("room {}: a seq below {} is nobody's message", room->name(), room->highest()));
    }
}

bool Crowd::all_failed() const {
    return std::all_of(clients_.begin(), clients_.begin() + opened_, [](const auto& client) { return client->over(); });
}

}  // namespace parley::bench
