#include "rt/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/temp_dir.h"
#include "rt/connection.h"
#include "rt/fake_kernel.h"

namespace parley::rt {
namespace {

using ::testing::HasSubstr;

std::string write_file(const std::string& path, const std::string& text) {
    std::ofstream{path} << text;
    return path;
}

std::shared_ptr<const TlsContext> self_signed_context() {
    const TempDir dir;
    const auto made = make_self_signed();
    auto context = TlsContext::load({.certificates = {write_file(dir.path() + "/c", made->certificate)},
                                     .keys = {write_file(dir.path() + "/k", made->key)}});
    EXPECT_TRUE(context) << context.error().message;
    return *context;
}

/// The other end: a TLS client without a socket.
class Peer {
public:
    explicit Peer(int version = TLS1_3_VERSION, SSL_SESSION* resumed = nullptr)
        : context_(::SSL_CTX_new(::TLS_client_method())) {
        ::SSL_CTX_set_security_level(context_, 0);
        ::SSL_CTX_set_min_proto_version(context_, version);
        ::SSL_CTX_set_max_proto_version(context_, version);
        session_ = ::SSL_new(context_);
        if (resumed != nullptr) ::SSL_set_session(session_, resumed);
        ::SSL_set_bio(session_, ::BIO_new(::BIO_s_mem()), ::BIO_new(::BIO_s_mem()));
        ::SSL_set_connect_state(session_);
        ::SSL_do_handshake(session_);
    }
    ~Peer() {
        ::SSL_free(session_);
        ::SSL_CTX_free(context_);
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    /// What it wants to send.
    std::string take() {
        char* data = nullptr;
        const long size = BIO_get_mem_data(::SSL_get_wbio(session_), &data);
        std::string out(data, static_cast<std::size_t>(size));
        (void)BIO_reset(::SSL_get_wbio(session_));
        return out;
    }
    void give(const std::string& bytes) {
        if (!bytes.empty()) ::BIO_write(::SSL_get_rbio(session_), bytes.data(), static_cast<int>(bytes.size()));
        char buffer[4096];
        for (int n = 0; (n = ::SSL_read(session_, buffer, sizeof buffer)) > 0;) {
            heard.append(buffer, static_cast<std::size_t>(n));
        }
        ended = (::SSL_get_shutdown(session_) & SSL_RECEIVED_SHUTDOWN) != 0;
    }
    void say(const std::string& text) { ::SSL_write(session_, text.data(), static_cast<int>(text.size())); }
    void end() { ::SSL_shutdown(session_); }
    void new_keys() {
        ::SSL_key_update(session_, SSL_KEY_UPDATE_REQUESTED);
        ::SSL_do_handshake(session_);
    }
    [[nodiscard]] SSL* native() const { return session_; }
    [[nodiscard]] bool is_established() const { return ::SSL_is_init_finished(session_) == 1; }

    std::string heard;
    bool ended = false;

private:
    SSL_CTX* context_;
    SSL* session_;
};

struct Heard {
    std::string text;
    int ended = 0;
    int closed = 0;
    int plain = 0;
};
struct Ear final : Connection::Handler {
    Heard& heard;
    explicit Ear(Heard& to) : heard(to) {}
    std::size_t on_data(Connection&, std::span<char> bytes) override {
        heard.text.append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_plain_text(Connection& connection) override {
        ++heard.plain;
        connection.send_copy("400");
        connection.finish();
    }
    void on_end_of_input(Connection&) override { ++heard.ended; }
    void on_closed(Connection&) override { ++heard.closed; }
};

/// A whole loop over a kernel of make-believe, and clients of it.
class TlsTest : public ::testing::TestWithParam<int> {
protected:
    TlsTest() {
        auto owned = std::make_unique<rt::testing::FakeKernel>();
        kernel = owned.get();
        loop = std::make_unique<Loop>(0, clock, std::move(owned));
        set = std::make_unique<ConnectionSet>(*loop, ConnectionSet::Limits{.send_buffer = Bytes{256 * 1024}});
    }
    Connection& accept(Heard& ear) {
        fd = kernel->open();
        return set->open({.fd = fd, .tls = std::make_unique<Tls>(*context)}, std::make_unique<Ear>(ear));
    }
    Heard& hear() { return heard.emplace_back(); }
    void turn(int count = 1) {
        for (int i = 0; i < count; ++i) loop->run_once();
    }
    /// Both say what they have until neither has anything.
    void talk(Peer& peer) {
        for (int i = 0; i < 8; ++i) {
            if (const auto bytes = peer.take(); !bytes.empty()) kernel->arrive(fd, bytes);
            turn();
            peer.give(std::exchange(kernel->socket(fd).taken, {}));
        }
    }

    std::deque<Heard> heard;  // connections speak to it to the last
    ManualClock clock;
    rt::testing::FakeKernel* kernel;
    std::unique_ptr<Loop> loop;
    std::unique_ptr<ConnectionSet> set;
    std::shared_ptr<const TlsContext> context = self_signed_context();
    int fd = -1;
};

TEST_P(TlsTest, CarriesBothWays) {
    Heard& ear = hear();
    Connection& connection = accept(ear);
    Peer peer{GetParam()};
    talk(peer);
    ASSERT_TRUE(peer.is_established());
    EXPECT_EQ(set->handshakes(), 1U);
    peer.say("how are you");
    connection.send_copy("welcome");
    talk(peer);
    EXPECT_EQ(ear.text, "how are you");
    EXPECT_EQ(peer.heard, "welcome");
    EXPECT_EQ(set->queued_bytes(), 0U);
}

TEST_P(TlsTest, ATurnsSlicesAreOneRecord) {
    Heard& ear = hear();
    Connection& connection = accept(ear);
    Peer peer{GetParam()};
    talk(peer);
    for (int i = 0; i < 40; ++i) connection.send(Slice::whole(ChunkRef::copy_of("0123456789")));
    turn();
    EXPECT_LT(kernel->socket(fd).taken.size(), 400U + 32);
    talk(peer);
    EXPECT_EQ(peer.heard.size(), 400U);
}

TEST_P(TlsTest, AFullSocketKeepsLittleAndLosesNothing) {
    Heard& ear = hear();
    Connection& connection = accept(ear);
    Peer peer{GetParam()};
    talk(peer);
    kernel->socket(fd).room = 0;
    std::string all;
    for (int i = 0; i < 200; ++i) {
        const std::string piece(1000, static_cast<char>('a' + i % 26));
        connection.send_copy(piece);
        all += piece;
        turn();
    }
    EXPECT_GT(connection.queued(), 160'000U) << "shared until there is room";
    while (peer.heard.size() < all.size()) {
        kernel->take(fd, 777);
        turn();
        peer.give(std::exchange(kernel->socket(fd).taken, {}));
    }
    EXPECT_EQ(peer.heard, all);
    EXPECT_EQ(set->queued_bytes(), 0U);
}

TEST_P(TlsTest, FinishSendsAllThenSaysGoodbyeAndHalfCloses) {
    Heard& ear = hear();
    Connection& connection = accept(ear);
    Peer peer{GetParam()};
    talk(peer);
    connection.send_copy(std::string(100'000, 'x'));
    connection.finish();
    talk(peer);
    EXPECT_EQ(peer.heard.size(), 100'000U);
    EXPECT_TRUE(peer.ended);
    EXPECT_TRUE(kernel->socket(fd).output_ended);
    EXPECT_EQ(ear.closed, 0) << "the peer may still be sending";
    kernel->end_input(fd);
    turn();
    EXPECT_EQ(ear.closed, 1);
}

TEST_P(TlsTest, ThePeersGoodbyeEndsTheInputAndAnAnswerStillGoes) {
    Heard& ear = hear();
    Connection& connection = accept(ear);
    Peer peer{GetParam()};
    talk(peer);
    peer.say("last words");
    peer.end();
    talk(peer);
    EXPECT_EQ(ear.text, "last words");
    EXPECT_EQ(ear.ended, 1);
    kernel->end_input(fd);
    connection.send_copy("answer");
    connection.finish();
    turn(2);
    EXPECT_EQ(ear.ended, 1);
    EXPECT_EQ(ear.closed, 1);
}

TEST_P(TlsTest, AnInputCutOffIsNoEnd) {
    Heard& ear = hear();
    accept(ear);
    Peer peer{GetParam()};
    talk(peer);
    kernel->end_input(fd);
    turn();
    EXPECT_EQ(ear.ended, 0);
    EXPECT_EQ(ear.closed, 1);
}

TEST_P(TlsTest, AByteChangedOnTheWayEndsWithAnAlert) {
    Heard& ear = hear();
    Connection& connection = accept(ear);
    Peer peer{GetParam()};
    talk(peer);
    peer.say("secret");
    std::string bytes = peer.take();
    bytes.back() ^= 1;
    connection.send_copy("this cannot be sent after the alert");
    kernel->arrive(fd, bytes);
    turn(2);
    EXPECT_EQ(ear.text, "");
    EXPECT_GT(kernel->socket(fd).taken.size(), 0U);
    EXPECT_TRUE(kernel->socket(fd).output_ended);
    EXPECT_EQ(set->queued_bytes(), 0U);
}

TEST_P(TlsTest, GoesToAnotherLoopWithItsConnection) {
    Heard& first = hear();
    Heard& second = hear();
    Connection& connection = accept(first);
    Peer peer{GetParam()};
    talk(peer);
    kernel->socket(fd).room = 10;
    connection.send_copy("sealed, ");
    turn();
    connection.send_copy("not sealed, ");
    auto detached = connection.detach();
    EXPECT_EQ(set->queued_bytes(), 0U);
    kernel->socket(fd).room = SIZE_MAX;
    Connection& again = set->open(std::move(detached), std::make_unique<Ear>(second));
    again.send_copy("and new");
    peer.say("hello there");
    talk(peer);
    EXPECT_EQ(peer.heard, "sealed, not sealed, and new");
    EXPECT_EQ(first.text + "|" + second.text, "|hello there");
    EXPECT_EQ(set->queued_bytes(), 0U);
}

TEST_P(TlsTest, WhateverIsCutAndFullEachSideHearsAPrefix) {
    for (unsigned seed = 1; seed <= 40; ++seed) {
        std::mt19937 random{seed};
        const auto up_to = [&](unsigned most) { return random() % (most + 1); };
        Heard& ear = hear();
        Connection& connection = accept(ear);
        Peer peer{GetParam()};
        std::string to_peer;
        std::string from_peer;
        std::string on_the_way;
        for (int i = 0; i < 300; ++i) {
            if (up_to(3) == 0 && connection.can_take()) {
                const std::string piece(up_to(3000), static_cast<char>(i));
                connection.send_copy(piece);
                to_peer += piece;
            }
            if (up_to(3) == 0 && peer.is_established()) {
                const std::string piece(1 + up_to(3000), static_cast<char>(i));
                peer.say(piece);
                from_peer += piece;
            }
            on_the_way += peer.take();
            const std::size_t some = std::min<std::size_t>(up_to(2000), on_the_way.size());
            if (some > 0) kernel->arrive(fd, on_the_way.substr(0, some));
            on_the_way.erase(0, some);
            if (up_to(2) == 0) kernel->socket(fd).room = up_to(500);
            if (up_to(2) == 0) kernel->take(fd, up_to(5000));
            turn();
            peer.give(std::exchange(kernel->socket(fd).taken, {}));
            ASSERT_TRUE(to_peer.starts_with(peer.heard)) << seed;
            ASSERT_TRUE(from_peer.starts_with(ear.text)) << seed;
        }
        kernel->socket(fd).room = 0;
        kernel->take(fd, SIZE_MAX);
        if (!on_the_way.empty()) kernel->arrive(fd, on_the_way);
        for (int i = 0; i < 40; ++i) talk(peer);
        EXPECT_EQ(peer.heard.size(), to_peer.size()) << seed;
        EXPECT_EQ(ear.text.size(), from_peer.size()) << seed;
        EXPECT_EQ(set->queued_bytes(), 0U) << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(Versions, TlsTest, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) { return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

using TlsOnceTest = TlsTest;
INSTANTIATE_TEST_SUITE_P(Newest, TlsOnceTest, ::testing::Values(TLS1_3_VERSION));

TEST_P(TlsOnceTest, OlderVersionsAreRefusedWithAnAlert) {
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
        Heard& ear = hear();
        accept(ear);
        Peer peer{version};
        talk(peer);
        EXPECT_FALSE(peer.is_established());
        EXPECT_TRUE(kernel->socket(fd).output_ended);
    }
    EXPECT_EQ(set->failed_handshakes(), 2U);
}

TEST_P(TlsOnceTest, AStormOfHandshakesTakesTurns) {
    constexpr int kClients = 40;
    std::vector<std::unique_ptr<Peer>> peers;
    std::vector<int> sockets;
    Heard& ear = hear();
    for (int i = 0; i < kClients; ++i) {
        accept(ear);
        peers.push_back(std::make_unique<Peer>());
        sockets.push_back(fd);
        kernel->arrive(fd, peers.back()->take());
    }
    const auto answered = [&] {
        return std::count_if(sockets.begin(), sockets.end(),
                             [&](int each) { return !kernel->socket(each).taken.empty(); });
    };
    turn();
    EXPECT_EQ(answered(), 16);
    EXPECT_FALSE(kernel->socket(sockets[0]).taken.empty()) << "in the order they came";
    turn();
    EXPECT_EQ(answered(), 32);
    turn();
    EXPECT_EQ(answered(), kClients);
}

TEST_P(TlsOnceTest, WhoSpeaksPlainTextIsTold) {
    Heard& ear = hear();
    accept(ear);
    kernel->arrive(fd, "GET / HTTP/1.1\r\n\r\n");
    turn(2);
    EXPECT_EQ(ear.plain, 1);
    EXPECT_EQ(ear.text, "");
    EXPECT_EQ(kernel->socket(fd).taken, "400");
    EXPECT_TRUE(kernel->socket(fd).output_ended);
}

TEST_P(TlsOnceTest, FinishBeforeTheHandshakeClosesWithoutWaiting) {
    Heard& ear = hear();
    Connection& connection = accept(ear);
    connection.send_copy("nobody can read this");
    connection.finish();
    turn(2);
    EXPECT_TRUE(kernel->socket(fd).output_ended);
    EXPECT_EQ(kernel->socket(fd).taken, "");
    EXPECT_EQ(set->queued_bytes(), 0U);
}

TEST_P(TlsOnceTest, BeginsBehindBytesThatAreNotOfIt) {
    /// Reads two bytes, then TLS begins.
    struct Gate final : Connection::Handler {
        const TlsContext& context;
        Heard& heard;
        Gate(const TlsContext& with, Heard& to) : context(with), heard(to) {}
        std::size_t on_data(Connection& connection, std::span<char> bytes) override {
            if (bytes.size() < 2) return 0;
            connection.start_tls(std::make_unique<Tls>(context));
            connection.set_handler(std::make_unique<Ear>(heard));
            return 2;
        }
        void on_closed(Connection&) override {}
    };
    for (const bool together : {true, false}) {
        Heard& ear = hear();
        fd = kernel->open();
        Connection& connection = set->open(fd, std::make_unique<Gate>(*context, ear));
        Peer peer;
        kernel->arrive(fd, "P");
        turn();
        kernel->arrive(fd, together ? "Q" + peer.take() : "Q");
        talk(peer);
        peer.say("inside");
        connection.send_copy("too");
        talk(peer);
        EXPECT_EQ(ear.text, "inside");
        EXPECT_EQ(peer.heard, "too");
    }
}

TEST_P(TlsOnceTest, ChangesOfKeysAreAnsweredButNotWithoutEnd) {
    Heard& ear = hear();
    accept(ear);
    Peer peer;
    talk(peer);
    peer.new_keys();
    peer.say("with new keys");
    talk(peer);
    EXPECT_EQ(ear.text, "with new keys");
    kernel->socket(fd).room = 0;  // and now it reads no answer
    for (int i = 0; i < 5000 && ear.closed == 0; ++i) {
        peer.new_keys();
        kernel->arrive(fd, peer.take());
        turn();
    }
    EXPECT_LT(set->queued_bytes(), 128U * 1024);
}

TEST_P(TlsOnceTest, AClientResumesWithItsTicket) {
    Heard& ear = hear();
    accept(ear);
    Peer first;
    talk(first);
    SSL_SESSION* const session = ::SSL_get1_session(first.native());
    accept(ear);
    Peer second{TLS1_3_VERSION, session};
    talk(second);
    EXPECT_TRUE(second.is_established());
    EXPECT_EQ(::SSL_session_reused(second.native()), 1);
    ::SSL_SESSION_free(session);
}

TEST_P(TlsOnceTest, OfProtocolsItSpeaksHttp11Alone) {
    Heard& ear = hear();
    accept(ear);
    Peer both;
    const std::string offered = "\x02h2\x08http/1.1";
    // The first ClientHello has been made; a fresh session is asked with the offer.
    SSL* const session = ::SSL_new(::SSL_get_SSL_CTX(both.native()));
    ::SSL_set_alpn_protos(session, reinterpret_cast<const unsigned char*>(offered.data()),
                          static_cast<unsigned>(offered.size()));
    ::SSL_set_bio(session, ::BIO_new(::BIO_s_mem()), ::BIO_new(::BIO_s_mem()));
    ::SSL_set_connect_state(session);
    ::SSL_do_handshake(session);
    char* data = nullptr;
    const long size = BIO_get_mem_data(::SSL_get_wbio(session), &data);
    kernel->arrive(fd, {data, static_cast<std::size_t>(size)});
    turn();
    const std::string answer = std::exchange(kernel->socket(fd).taken, {});
    ::BIO_write(::SSL_get_rbio(session), answer.data(), static_cast<int>(answer.size()));
    ::SSL_do_handshake(session);
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    ::SSL_get0_alpn_selected(session, &chosen, &length);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), length), "http/1.1");
    ::SSL_free(session);
}

TEST(TlsContext, SaysWhichFileIsWrong) {
    const TempDir dir;
    const auto made = make_self_signed();
    const auto other = make_self_signed();
    const auto certificate = write_file(dir.path() + "/cert.pem", made->certificate);
    const auto key = write_file(dir.path() + "/key.pem", made->key);
    const auto other_key = write_file(dir.path() + "/other.pem", other->key);
    const auto half = write_file(dir.path() + "/half.pem", made->certificate.substr(0, 200));
    EXPECT_THAT(TlsContext::load({.certificates = {half}, .keys = {key}}).error().message, HasSubstr("half.pem: "));
    EXPECT_THAT(TlsContext::load({.certificates = {certificate}, .keys = {other_key}}).error().message,
                HasSubstr("other.pem: "));
    EXPECT_THAT(TlsContext::load({.certificates = {certificate}, .keys = {dir.path() + "/no"}}).error().message,
                HasSubstr("/no: "));
    EXPECT_THAT(TlsContext::load({.certificates = {certificate, certificate}, .keys = {key, key}}).error().message,
                HasSubstr("of this kind"));
    EXPECT_THAT((*TlsContext::load({.certificates = {certificate}, .keys = {key}}))->summary(),
                HasSubstr("EC localhost until 20"));
}

}  // namespace
}  // namespace parley::rt
