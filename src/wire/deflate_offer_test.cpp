#include "wire/deflate_offer.h"

#include <gtest/gtest.h>

namespace parley::wire {
namespace {

constexpr std::string_view kPlain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

std::string answer(std::string_view offer) {
    const auto agreement = negotiate_deflate(offer);
    return agreement ? agreement->response : "none";
}
std::string with_bits(int bits) { return std::string{kPlain} + "; server_max_window_bits=" + std::to_string(bits); }

TEST(DeflateOffer, PlainOfferIsAccepted) { EXPECT_EQ(answer("permessage-deflate"), kPlain); }

TEST(DeflateOffer, WhatBrowsersOfferIsAccepted) {
    EXPECT_EQ(answer("permessage-deflate; client_max_window_bits"), kPlain);
}

TEST(DeflateOffer, TakeoverParametersAreAccepted) {
    EXPECT_EQ(answer("permessage-deflate;server_no_context_takeover;client_no_context_takeover"), kPlain);
}

TEST(DeflateOffer, ClientWindowBitsMayHaveAValue) {
    for (int bits = 8; bits <= 15; ++bits) {
        EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=" + std::to_string(bits)), kPlain);
    }
}

TEST(DeflateOffer, ServerWindowBitsAreHonoured) {
    for (int bits = 9; bits <= 15; ++bits) {
        const auto agreement = negotiate_deflate("permessage-deflate; server_max_window_bits=" + std::to_string(bits));
        ASSERT_TRUE(agreement) << bits;
        EXPECT_EQ(agreement->server_window_bits, bits);
        EXPECT_EQ(agreement->response, with_bits(bits));
    }
}

TEST(DeflateOffer, WindowOf8IsPassedOverForTheNextOffer) {
    EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=8"), "none");
    EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=8, permessage-deflate"), kPlain);
}

TEST(DeflateOffer, FirstGoodOfferWins) {
    EXPECT_EQ(answer("x-webkit-deflate-frame, permessage-deflate; what, permessage-deflate; server_max_window_bits=10, "
                     "permessage-deflate"),
              with_bits(10));
}

TEST(DeflateOffer, QuotedValueCounts) {
    EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=\"1\\2\""), with_bits(12));
}

TEST(DeflateOffer, SpaceAndEmptyMembersDoNotMatter) {
    EXPECT_EQ(answer(" ,\tpermessage-deflate ;\tserver_max_window_bits = 12 , ,"), with_bits(12));
}

TEST(DeflateOffer, UnknownParameterDeclines) { EXPECT_EQ(answer("permessage-deflate; mystery=1"), "none"); }

TEST(DeflateOffer, RepeatedParameterDeclines) {
    for (const std::string_view param : {"server_no_context_takeover", "client_no_context_takeover",
                                         "client_max_window_bits", "server_max_window_bits=10"}) {
        const std::string twice = "permessage-deflate; " + std::string{param} + "; " + std::string{param};
        EXPECT_EQ(answer(twice), "none") << twice;
    }
}

TEST(DeflateOffer, ParameterWithABadValueDeclines) {
    for (const std::string_view param :
         {"server_no_context_takeover=1", "client_no_context_takeover=true", "server_max_window_bits",
          "server_max_window_bits=7", "server_max_window_bits=16", "server_max_window_bits=010",
          "server_max_window_bits=1x", "client_max_window_bits=7", "client_max_window_bits=16",
          "client_max_window_bits=\"\""}) {
        EXPECT_EQ(answer("permessage-deflate; " + std::string{param}), "none") << param;
    }
}

TEST(DeflateOffer, MalformedHeaderHasNoOffers) {
    for (const std::string_view header :
         {"", "permessage-deflate;", "permessage-deflate; =1", "permessage-deflate; a=", "permessage-deflate; a=\"x",
          "permessage-deflate foo", "@, permessage-deflate"}) {
        EXPECT_EQ(answer(header), "none") << header;
    }
}

}  // namespace
}  // namespace parley::wire
