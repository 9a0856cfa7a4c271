// Endpoints as typed: what is taken, and what leaves this host.
// SPDX-License-Identifier: MIT
#include "wire/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace dp {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string refusal(const std::string& endpoint, bool may_leave) {
  try {
    checked_endpoint("--route", endpoint, may_leave);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(Endpoint, ThoseOfThisHostAreTakenAsTheyAre) {
  for (const std::string endpoint : {"tcp://127.0.0.1:5601", "tcp://127.0.0.1:0", "tcp://127.3.2.1:65535",
                                     "tcp://localhost:5601", "tcp://[::1]:5601", "ipc:///tmp/x", "ipc://x"}) {
    EXPECT_EQ(checked_endpoint("--route", endpoint, false), endpoint);
    EXPECT_TRUE(stays_on_this_host(endpoint)) << endpoint;
  }
}

TEST(Endpoint, ThoseOfOtherHostsNeedKeysOrInsisting) {
  for (const std::string endpoint :
       {"tcp://10.0.0.1:5601", "tcp://*:5601", "tcp://0.0.0.0:5601", "tcp://head:5601",
        "tcp://127.evil.example:5601", "tcp://localhost.example:5601", "tcp://[::]:5601", "tcp://128.0.0.1:1",
        "tcp://eth0:1"}) {
    EXPECT_THAT(refusal(endpoint, false), AllOf(HasSubstr("--route '" + endpoint + "'"),
                                                HasSubstr("dp-keygen"), HasSubstr("--insecure")));
    EXPECT_EQ(checked_endpoint("--route", endpoint, true), endpoint);
    EXPECT_FALSE(stays_on_this_host(endpoint)) << endpoint;
  }
}

TEST(Endpoint, WhatIsNoEndpointIsRefusedEvenWhenInsisting) {
  for (const std::string endpoint :
       {"", "5601", "localhost:5601", "tcp://", "tcp://:5601", "tcp://host", "ipc://", "udp://127.0.0.1:1",
        "inproc://x", "TCP://127.0.0.1:1", "http://127.0.0.1:1"}) {
    EXPECT_THAT(refusal(endpoint, true),
                AllOf(HasSubstr("--route '" + endpoint + "'"), HasSubstr("tcp://HOST:PORT")));
  }
}

TEST(Endpoint, APortIsANumberUpTo65535) {
  for (const std::string port : {"", "x", "-1", "65536", "5601x"}) {
    EXPECT_THAT(refusal("tcp://127.0.0.1:" + port, false),
                AllOf(HasSubstr("--route port '" + port + "'"), HasSubstr("65535")));
  }
}

TEST(Endpoint, NumbersInterfacesAndPathsAreNotLookedUp) {
  for (const std::string endpoint : {"tcp://127.0.0.1:5601", "tcp://[::1]:0", "tcp://*:5601", "tcp://lo:5601",
                                     "ipc:///tmp/x", "ipc://nosuchhost.invalid:1"}) {
    EXPECT_EQ(resolved(endpoint), endpoint);
  }
}

TEST(Endpoint, LocalhostIsANumberOfThisHost) {
  EXPECT_THAT(resolved("tcp://localhost:5601"),
              testing::AnyOf("tcp://127.0.0.1:5601", "tcp://[::1]:5601"));
}

// The domain .invalid never resolves (RFC 6761).
TEST(Endpoint, ANameThatDoesNotResolveIsSaidWithItsFlag) {
  try {
    require_resolved("--route", "tcp://nosuchhost.invalid:5602");
    FAIL() << "resolved";
  } catch (const UsageError&) {
    FAIL() << "not a matter of usage";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("--route 'tcp://nosuchhost.invalid:5602'"),
                                    HasSubstr("'nosuchhost.invalid' does not resolve")));
  }
}

}  // namespace
}  // namespace dp
