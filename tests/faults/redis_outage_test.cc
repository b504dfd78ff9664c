// What GetProgramme answers while the Redis that it is cached in stops, hangs,
// forgets and comes back: always the programme, and never an older one than a
// client has seen.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/storage/session.h"
#include "common/testing/database_fixture.h"
#include "common/testing/redis_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "common/types/etag.h"
#include "gtest/gtest.h"
#include "tests/integration/enrolment_client.h"
#include "tests/integration/enrolmentd.h"

namespace parcours::integration {
namespace {

// No call waits for Redis any longer.
constexpr absl::Duration kPatience = absl::Seconds(5);

class RedisOutageTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  RedisOutageTest()
      : enrolmentd_(PARCOURS_ENROLMENTD, GetParam(),
                    {Cat("--redis_url=", redis_.url())}) {
    Start();
    EXPECT_OK(client_->CreateAll());
  }

  void Start() {
    enrolmentd_.process().Start();
    client_ =
        std::make_unique<EnrolmentClient>(enrolmentd_.process().Connect());
  }

  // Started anew, nothing is in memory: the next read asks Redis.
  void Restart() {
    enrolmentd_.process().Kill();
    Start();
  }

  // Reads and changes the programme by turns. Every read tells the last change.
  void ReadAndChange(const std::string& when) {
    SCOPED_TRACE(when);
    for (int round = 0; round < 3; ++round) {
      ExpectCurrent();
      const std::string name = Cat("Programme ", when, " ", round);
      const auto changed = client_->RenameProgramme(name);
      ASSERT_OK(changed);
      const auto version = VersionOf(changed->etag());
      ASSERT_TRUE(version.has_value());
      EXPECT_GT(*version, version_);
      version_ = *version;
      display_name_ = name;
      ExpectCurrent();
    }
  }

  void ExpectCurrent() {
    for (int read = 0; read < 5; ++read) {
      const auto programme = client_->GetProgramme(kPatience);
      ASSERT_OK(programme);
      EXPECT_GE(VersionOf(programme->etag()).value_or(0), version_);
      if (!display_name_.empty()) {
        EXPECT_EQ(programme->display_name(), display_name_);
      }
    }
  }

  testing::RedisFixture redis_;
  Enrolmentd enrolmentd_;
  std::unique_ptr<EnrolmentClient> client_;
  int64_t version_ = 0;
  std::string display_name_;
};

TEST_P(RedisOutageTest, StopsAndComesBack) {
  ReadAndChange("before");
  redis_.Stop();
  ReadAndChange("while it is stopped");
  Restart();
  ReadAndChange("started without it");
  redis_.Start();
  ReadAndChange("after");
  Restart();
  ReadAndChange("started with it");
}

TEST_P(RedisOutageTest, HangsAndGoesOn) {
  ReadAndChange("before");
  redis_.Pause();
  ReadAndChange("while it hangs");
  redis_.Resume();
  // What it holds is older than what was written while it hung.
  ReadAndChange("after");
  redis_.Pause();
  Restart();
  ReadAndChange("started while it hangs");
  redis_.Resume();
  ReadAndChange("at last");
}

TEST_P(RedisOutageTest, ForgetsEverything) {
  ReadAndChange("before");
  redis_.Flush();
  ReadAndChange("after a flush");
  redis_.Stop();
  redis_.Start();
  ReadAndChange("after a restart without data");
  redis_.Flush();
  Restart();
  ReadAndChange("started on an empty cache");
}

TEST_P(RedisOutageTest, IsUsedWhileItWorks) {
  ExpectCurrent();
  EXPECT_NE(redis_.Command({"DBSIZE"}), "0");
  // A restarted daemon reads what the former one left.
  const std::string before = redis_.Command({"DBSIZE"});
  Restart();
  ExpectCurrent();
  EXPECT_EQ(redis_.Command({"DBSIZE"}), before);
}

INSTANTIATE_TEST_SUITE_P(Engines, RedisOutageTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

}  // namespace
}  // namespace parcours::integration
