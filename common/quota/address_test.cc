#include "common/quota/address.h"

#include <gtest/gtest.h>

#include <set>

namespace parcours::quota {
namespace {

TEST(AddressTest, ThisMachineIsLocal) {
  for (const char* host :
       {"", "unix", "unix:", "inproc", "unix:/run/parcours.sock",
        "unix-abstract:x", "127.0.0.1", "127.8.9.10", "::1", "[::1]",
        "%5B::1%5D", "%5b::1%5d", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(CountAddress(host).local) << host;
  }
}

TEST(AddressTest, OthersAreNot) {
  for (const char* host :
       {"192.0.2.1", "128.0.0.1", "::2", "2001:db8::1", "[2001:db8::1]",
        "::ffff:192.0.2.1", "fe80::1%25eth0", "localhost", "127.0.0.1.evil",
        "127.1", "0x7f.0.0.1", "unixx"}) {
    EXPECT_FALSE(CountAddress(host).local) << host;
    EXPECT_FALSE(CountAddress(host).bytes.empty()) << host;
  }
}

TEST(AddressTest, AnIpv4AddressIsOneHoweverItIsWritten) {
  EXPECT_EQ(CountAddress("192.0.2.1").bytes,
            CountAddress("::ffff:192.0.2.1").bytes);
  EXPECT_EQ(CountAddress("192.0.2.1").bytes,
            CountAddress("[::ffff:c000:201]").bytes);
  EXPECT_NE(CountAddress("192.0.2.1").bytes, CountAddress("192.0.2.2").bytes);
}

TEST(AddressTest, AnIpv6SubscriberIsOneNetworkOf64Bits) {
  const std::string one = CountAddress("2001:db8:0:1::1").bytes;
  EXPECT_EQ(CountAddress("2001:db8:0:1:ffff:ffff:ffff:ffff").bytes, one);
  EXPECT_EQ(CountAddress("%5B2001:DB8:0:1::2%5D").bytes, one);
  EXPECT_NE(CountAddress("2001:db8:0:2::1").bytes, one);
}

TEST(AddressTest, WhatIsNoAddressIsCountedTogether) {
  std::set<std::string> counted;
  for (const std::string& host :
       {std::string("one"), std::string("two"), std::string("1.2.3"),
        std::string("1.2.3.4.5"), std::string("%"), std::string("["),
        std::string(5000, '1'), std::string("1.2.3.4\0", 8)}) {
    counted.insert(CountAddress(host).bytes);
  }
  EXPECT_EQ(counted.size(), 1U);
}

TEST(CallerAddressTest, IsThePeersUnlessThatIsATrustedProxy) {
  const std::vector<std::string> proxies = {"192.0.2.10", "2001:db8::a"};
  EXPECT_EQ(CallerAddress("198.51.100.1", "203.0.113.9", proxies),
            "198.51.100.1");
  EXPECT_EQ(CallerAddress("127.0.0.1", "203.0.113.9", proxies), "127.0.0.1");
  EXPECT_EQ(CallerAddress("192.0.2.10", "203.0.113.9", {}), "192.0.2.10");
  EXPECT_EQ(CallerAddress("192.0.2.10", "203.0.113.9", proxies), "203.0.113.9");
  EXPECT_EQ(CallerAddress("::ffff:192.0.2.10", "203.0.113.9", proxies),
            "203.0.113.9");
  EXPECT_EQ(CallerAddress("[2001:DB8::A]", "2001:db8:1::9", proxies),
            "2001:db8:1::9");
  // Of the same network, and not the same.
  EXPECT_EQ(CallerAddress("2001:db8::b", "203.0.113.9", proxies),
            "2001:db8::b");
}

TEST(CallerAddressTest, OfManyForwardedIsTheOneThatTheProxyAdded) {
  const std::vector<std::string> proxies = {"loopback"};
  EXPECT_EQ(
      CallerAddress("127.0.0.1", "10.0.0.1, 127.0.0.1,203.0.113.9 ", proxies),
      "203.0.113.9");
  EXPECT_EQ(CallerAddress("", "203.0.113.9", proxies), "203.0.113.9");
  EXPECT_EQ(CallerAddress("::1", "", proxies), "::1");
  EXPECT_EQ(CallerAddress("::1", "10.0.0.1, ", proxies), "::1");
  EXPECT_EQ(CallerAddress("203.0.113.1", "203.0.113.9", proxies),
            "203.0.113.1");
}

}  // namespace
}  // namespace parcours::quota
