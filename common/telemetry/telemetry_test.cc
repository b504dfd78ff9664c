#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace parcours::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    SetLogWriterForTest(
        [this](std::string_view line) { lines_.emplace_back(line); });
  }
  ~LogTest() override {
    SetLogWriterForTest(nullptr);
    ConfigureLog("parcours", LogLevel::kInfo);
  }
  std::vector<std::string> lines_;
};

TEST_F(LogTest, ALineIsOneJsonObjectWithTypedFields) {
  ConfigureLog("enrolmentd", LogLevel::kInfo);
  Log(LogLevel::kWarning, "slow \"call\"\n",
      {{"method", "a.B/C"}, {"ms", 1.5}, {"tries", int64_t{3}}, {"ok", false}});

  ASSERT_THAT(lines_, SizeIs(1));
  EXPECT_EQ(lines_[0].find('\n'), std::string::npos);
  const auto line = nlohmann::json::parse(lines_[0]);
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["service"], "enrolmentd");
  EXPECT_EQ(line["msg"], "slow \"call\"\n");
  EXPECT_EQ(line["method"], "a.B/C");
  EXPECT_EQ(line["ms"], 1.5);
  EXPECT_EQ(line["tries"], 3);
  EXPECT_EQ(line["ok"], false);
  EXPECT_EQ(std::string(line["ts"]).back(), 'Z');
}

TEST_F(LogTest, BytesThatAreNotUtf8DoNotBreakTheLine) {
  Log(LogLevel::kError, "bad \xff byte");
  ASSERT_THAT(lines_, SizeIs(1));
  EXPECT_THAT(std::string(nlohmann::json::parse(lines_[0])["msg"]),
              HasSubstr("byte"));
}

TEST_F(LogTest, LowerLevelsAreNotWritten) {
  ConfigureLog("parcours", LogLevel::kWarning);
  Log(LogLevel::kInfo, "nothing");
  EXPECT_THAT(lines_, IsEmpty());
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  EXPECT_TRUE(LogEnabled(LogLevel::kError));
}

TEST(ParseLogLevel, KnowsTheFourNames) {
  EXPECT_EQ(ParseLogLevel("warning"), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("loud"), std::nullopt);
}

TEST(Metrics, DurationsAreCountedByMethodAndCode) {
  Metrics metrics;
  MethodMetrics get = metrics.ForMethod("a.B/Get");
  get.Record(absl::StatusCode::kOk, absl::Milliseconds(2));
  get.Record(absl::StatusCode::kOk, absl::Milliseconds(20));
  get.Record(absl::StatusCode::kNotFound, absl::Milliseconds(1));

  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("parcours_rpc_duration_seconds_count{code=\"OK\","
                              "method=\"a.B/Get\"} 2"));
  EXPECT_THAT(text, HasSubstr("parcours_rpc_duration_seconds_count{code="
                              "\"NOT_FOUND\",method=\"a.B/Get\"} 1"));
}

TEST(Metrics, GaugesAndCountersShareTheirName) {
  Metrics metrics;
  metrics.MakeCounter("parcours_refused_total", "Refused.", "why", "full")
      .Increment();
  metrics.MakeCounter("parcours_refused_total", "Refused.", "why", "full")
      .Increment();
  Gauge depth = metrics.MakeGauge("parcours_depth", "Depth.");
  depth.Set(5);
  depth.Increment();
  depth.Decrement(2);
  EXPECT_THAT(metrics.Text(),
              HasSubstr("parcours_refused_total{why=\"full\"} 2"));
  EXPECT_THAT(metrics.Text(), HasSubstr("parcours_depth 4"));
}

TEST(Metrics, ANumberKeptElsewhereIsReadWhenAskedFor) {
  Metrics metrics;
  int hits = 3;
  for (const char* result : {"hit", "miss"}) {
    metrics.ReadCounter("parcours_reads_total", "Reads.", "result", result,
                        [&hits] { return hits; });
  }
  hits = 4;
  EXPECT_THAT(metrics.Text(),
              HasSubstr("# TYPE parcours_reads_total counter\n"
                        "parcours_reads_total{result=\"hit\"} 4\n"
                        "parcours_reads_total{result=\"miss\"} 4\n"));
}

std::string HttpGet(int port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) ==
      0) {
    const std::string request =
        "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
    EXPECT_EQ(write(fd, request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t n = 0; (n = read(fd, buffer, sizeof(buffer))) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(n));
    }
  }
  close(fd);
  return answer;
}

TEST(MetricsServer, ServesOnAFreePortAndWritesIt) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() /
      ("parcours-metrics-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string port_file = folder / "port";
  Metrics metrics;
  metrics.MakeGauge("parcours_depth", "Depth.").Set(7);

  const auto server = MetricsServer::Start("127.0.0.1:0", port_file, metrics);

  ASSERT_OK(server);
  std::ifstream file(port_file);
  int port = 0;
  file >> port;
  EXPECT_GT(port, 0);
  EXPECT_EQ(port, (*server)->port());
  EXPECT_THAT(HttpGet(port, "/metrics"), HasSubstr("parcours_depth 7"));
  EXPECT_THAT(
      MetricsServer::Start("127.0.0.1:" + std::to_string(port), "", metrics),
      StatusIs(absl::StatusCode::kFailedPrecondition));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace parcours::telemetry
