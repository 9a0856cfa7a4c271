// The table of peers behind bound sockets: friends stay, unauthenticated ones are forgotten in the order of their last word.
// SPDX-License-Identifier: MIT
#include "wire/peers.hpp"

#include <gtest/gtest.h>

namespace dp {
namespace {

struct Socket {};
using Table = Peers<Socket>;

TEST(Peers, AreKnownByTheirRoutingId) {
  Socket one, other;
  Table peers;
  const PeerId first = peers.number(&one, "a");
  EXPECT_EQ(first, first_inbound);
  EXPECT_EQ(peers.number(&one, "a"), first);
  EXPECT_NE(peers.number(&one, "b"), first);
  EXPECT_NE(peers.number(&other, "a"), first);
  ASSERT_NE(peers.find(first), nullptr);
  EXPECT_EQ(peers.find(first)->routing_id, "a");
}

TEST(Peers, AForgottenOneIsAnotherWhenItComesBack) {
  Socket socket;
  Table peers;
  const PeerId before = peers.number(&socket, "a");
  peers.accept(before);
  peers.forget(before);
  peers.forget(before);
  EXPECT_EQ(peers.find(before), nullptr);
  EXPECT_NE(peers.number(&socket, "a"), before);
}

TEST(Peers, UnauthenticatedOnesAreForgottenAndFriendsAreNot) {
  Socket socket;
  Table peers;
  const PeerId accepted = peers.number(&socket, "friend"), silent = peers.number(&socket, "silent"),
               talking = peers.number(&socket, "talking");
  peers.accept(accepted);
  for (std::size_t n = 0; n < 10 * Table::most_unauthenticated; ++n) {
    peers.number(&socket, std::to_string(n));
    EXPECT_EQ(peers.number(&socket, "talking"), talking);
    ASSERT_LE(peers.size(), Table::most_unauthenticated + 1);
  }
  EXPECT_NE(peers.find(accepted), nullptr);
  EXPECT_TRUE(peers.accepted(accepted));
  EXPECT_FALSE(peers.accepted(talking));
  EXPECT_EQ(peers.find(silent), nullptr);
}

}  // namespace
}  // namespace dp
