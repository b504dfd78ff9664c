#include "common/cache/redis_connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "common/testing/redis_fixture.h"

namespace parcours::cache {
namespace {

using testing::RedisFixture;
using Kind = RedisReply::Kind;

TEST(RedisUrlTest, ReadsHostPortAndSocket) {
  const auto tcp = ParseRedisUrl("redis://127.0.0.1:6380");
  ASSERT_TRUE(tcp.ok());
  EXPECT_EQ(tcp->host, "127.0.0.1");
  EXPECT_EQ(tcp->port, 6380);
  const auto no_port = ParseRedisUrl("redis://cache.internal/");
  ASSERT_TRUE(no_port.ok());
  EXPECT_EQ(no_port->host, "cache.internal");
  EXPECT_EQ(no_port->port, 6379);
  const auto v6 = ParseRedisUrl("redis://[::1]:7000");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 7000);
  const auto v6_no_port = ParseRedisUrl("redis://[::1]");
  ASSERT_TRUE(v6_no_port.ok());
  EXPECT_EQ(v6_no_port->host, "::1");
  const auto socket = ParseRedisUrl("unix:///run/redis/redis.sock");
  ASSERT_TRUE(socket.ok());
  EXPECT_EQ(socket->socket_path, "/run/redis/redis.sock");
}

TEST(RedisUrlTest, RefusesWhatItIsNotAndRepeatsNoSecret) {
  for (const char* url :
       {"", "redis://", "redis://:6379", "redis://host:0", "redis://host:65536",
        "redis://host:6379x", "redis://host:", "redis://::1:6379",
        "redis://host:6379/2", "unix://", "unix://relative.sock",
        "rediss://host", "http://host", "redis://user:open-sesame@host:6379"}) {
    const auto address = ParseRedisUrl(url);
    EXPECT_TRUE(absl::IsInvalidArgument(address.status())) << url;
    EXPECT_EQ(address.status().ToString().find("sesame"), std::string::npos);
  }
}

class RedisConnectionTest : public ::testing::Test {
 protected:
  RedisConnectionOptions Options() {
    RedisConnectionOptions options;
    options.address = *ParseRedisUrl(redis_.url());
    options.connect_timeout = absl::Seconds(10);
    options.command_timeout = absl::Seconds(10);
    return options;
  }
  std::unique_ptr<RedisConnection> Connect(
      const RedisConnectionOptions& options) {
    auto connection = ConnectToRedis(options);
    EXPECT_TRUE(connection.ok()) << connection.status();
    return *std::move(connection);
  }

  RedisFixture redis_;
};

TEST_F(RedisConnectionTest, CarriesAnyBytes) {
  const auto connection = Connect(Options());
  std::string bytes("\0\r\n%s%b\xff", 9);
  bytes.append(300'000, 'x');
  const auto set = connection->Execute({"SET", "a\0b\r\n", bytes});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->text, "OK");
  const auto get = connection->Execute({"GET", "a\0b\r\n"});
  ASSERT_TRUE(get.ok());
  EXPECT_EQ(get->kind, Kind::kString);
  EXPECT_EQ(get->text, bytes);
  EXPECT_EQ(connection->Execute({"GET", "absent"})->kind, Kind::kNil);
  EXPECT_EQ(connection->Execute({"INCR", "n"})->integer, 1);
}

TEST_F(RedisConnectionTest, ErrorsHaveTheirCodesAndLeaveItUsable) {
  const auto connection = Connect(Options());
  ASSERT_TRUE(connection->Execute({"LPUSH", "list", "x"}).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(
      connection->Execute({"GET", "list"}).status()));
  EXPECT_TRUE(absl::IsNotFound(
      connection
          ->Execute(
              {"EVALSHA", "ffffffffffffffffffffffffffffffffffffffff", "0"})
          .status()));
  EXPECT_TRUE(absl::IsUnavailable(connection->Execute({"NONSENSE"}).status()));
  redis_.Command({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_TRUE(absl::IsResourceExhausted(
      connection->Execute({"SET", "a", "b"}).status()));
  EXPECT_TRUE(connection->usable());
  EXPECT_TRUE(connection->Execute({"PING"}).ok());
}

// No command of ours is answered by a list, and hiredis makes room for as many
// elements as are announced.
TEST_F(RedisConnectionTest, AServerThatAnswersWithAListIsLeft) {
  redis_.Command({"LPUSH", "list", "x"});
  const auto connection = Connect(Options());
  EXPECT_TRUE(absl::IsUnavailable(
      connection->Execute({"LRANGE", "list", "0", "-1"}).status()));
  EXPECT_FALSE(connection->usable());
}

TEST_F(RedisConnectionTest, AnEndlessReplyIsNotReadToItsEnd) {
  redis_.Command({"SETRANGE", "long", "40000000", "x"});
  RedisConnectionOptions options = Options();
  options.command_timeout = absl::Seconds(30);
  const auto connection = Connect(options);
  EXPECT_TRUE(
      absl::IsUnavailable(connection->Execute({"GET", "long"}).status()));
  EXPECT_FALSE(connection->usable());
}

TEST_F(RedisConnectionTest, AReadOnlyServerIsLeft) {
  const auto connection = Connect(Options());
  redis_.Command({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_TRUE(
      absl::IsUnavailable(connection->Execute({"SET", "a", "b"}).status()));
  EXPECT_FALSE(connection->usable());
}

TEST_F(RedisConnectionTest, Authenticates) {
  redis_.Command(
      {"ACL", "SETUSER", "app", "on", ">secret", "~p:*", "+get", "+set"});
  RedisConnectionOptions options = Options();
  options.username = "app";
  options.password = "wrong";
  EXPECT_TRUE(absl::IsUnauthenticated(ConnectToRedis(options).status()));
  options.password = "secret";
  const auto connection = Connect(options);
  EXPECT_TRUE(connection->Execute({"SET", "p:1", "x"}).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(
      connection->Execute({"SET", "q:1", "x"}).status()));
}

TEST_F(RedisConnectionTest, ATimedOutCommandPoisonsTheConnectionForGood) {
  redis_.Command({"SET", "first", "1"});
  RedisConnectionOptions options = Options();
  options.command_timeout = absl::Milliseconds(10);
  const auto connection = Connect(options);
  redis_.Pause();
  EXPECT_TRUE(
      absl::IsUnavailable(connection->Execute({"GET", "first"}).status()));
  EXPECT_FALSE(connection->usable());
  redis_.Resume();
  // Never the reply of the first command.
  EXPECT_TRUE(
      absl::IsUnavailable(connection->Execute({"GET", "second"}).status()));
}

TEST_F(RedisConnectionTest, ADeadServerIsAnErrorNotASignal) {
  const auto connection = Connect(Options());
  redis_.Stop();
  EXPECT_TRUE(absl::IsUnavailable(
      connection->Execute({"SET", "a", std::string(1 << 20, 'x')}).status()));
  EXPECT_FALSE(connection->usable());
  EXPECT_TRUE(absl::IsUnavailable(ConnectToRedis(Options()).status()));
}

// Sends one byte of an endless reply at a time: each comes within any timeout
// that begins anew with every byte.
TEST(RedisConnectionTimeoutTest, ADrippingReplyDoesNotOutliveTheTimeout) {
  char folder[] = "/tmp/parcours-drip-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path = std::string(folder) + "/redis.sock";
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(
      bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
      0);
  ASSERT_EQ(listen(listener, 1), 0);
  std::thread server([listener] {
    const int peer = accept(listener, nullptr, nullptr);
    while (send(peer, "+", 1, MSG_NOSIGNAL) == 1) std::this_thread::yield();
    close(peer);
  });
  RedisConnectionOptions options;
  options.address.socket_path = path;
  auto connection = ConnectToRedis(options);
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_TRUE(absl::IsUnavailable((*connection)->Execute({"PING"}).status()));
  EXPECT_FALSE((*connection)->usable());
  server.join();
  close(listener);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace parcours::cache
