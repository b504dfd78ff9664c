#include "clients/cli/watch_command.h"

#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "parcours/platform/v1/change_feed.grpc.pb.h"

namespace parcours::cli {
namespace {

namespace pb = ::parcours::platform::v1;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// A feed of one change at each position up to `last`, in streams of two pieces:
// the change after the token, and a heartbeat; each stream then ends as told.
class ScriptedFeed final : public pb::ChangeFeedService::Service {
 public:
  explicit ScriptedFeed(int64_t last) : last_(last) {}

  grpc::Status WatchChanges(
      grpc::ServerContext* context, const pb::WatchChangesRequest* request,
      grpc::ServerWriter<pb::WatchChangesResponse>* writer) override {
    const int64_t after =
        request->after_token().empty() ? 0 : std::stoll(request->after_token());
    absl::Status end;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(*request);
      if (!ends_.empty()) {
        end = ends_.front();
        ends_.erase(ends_.begin());
      }
    }
    pb::WatchChangesResponse piece;
    if (after < last_) {
      pb::Change& change = *piece.add_changes();
      change.set_position(after + 1);
      change.set_kind("room");
      change.set_resource(Cat("bodies/opale/rooms/", after + 1));
      change.set_version(2);
      change.set_cause("UpdateRoom");
      change.mutable_change_time()->set_seconds(1'800'000'000);
      change.set_removed(after + 1 == last_);
      piece.set_next_token(Cat(after + 1));
      writer->Write(piece);
      piece.clear_changes();
    } else {
      piece.set_next_token(Cat(after));
      writer->Write(piece);
      while (end.ok() && !context->IsCancelled()) std::this_thread::yield();
    }
    return rpc::ToGrpcStatus(end, "");
  }

  void EndWith(absl::Status status) {
    const std::lock_guard lock(mutex_);
    ends_.push_back(std::move(status));
  }
  std::vector<pb::WatchChangesRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  const int64_t last_;
  std::mutex mutex_;  // guards what follows
  std::vector<absl::Status> ends_;
  std::vector<pb::WatchChangesRequest> requests_;
};

class WatchCommandTest : public ::testing::Test {
 protected:
  std::string Serve(ScriptedFeed& feed) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&feed);
    servers_.push_back(builder.BuildAndStart());
    return Cat("127.0.0.1:", port);
  }

  // Runs the command until the feeds were asked from their last positions.
  ExitCode Run(const ServiceAddresses& addresses, WatchOptions options,
               std::vector<std::pair<ScriptedFeed*, std::string>> until) {
    options.first_pause = absl::Milliseconds(1);
    StopRequest stop;
    std::thread stopper([&] {
      for (auto& [feed, token] : until) {
        while (feed->requests().empty() ||
               feed->requests().back().after_token() != token) {
          std::this_thread::yield();
        }
      }
      if (!until.empty()) stop.Stop();
    });
    const ExitCode code = WatchCommand(addresses, options, stop, out_, errors_);
    stopper.join();
    return code;
  }

  std::vector<std::string> Out() {
    return absl::StrSplit(out_.str(), '\n', absl::SkipEmpty());
  }

  std::ostringstream out_;
  std::ostringstream errors_;
  std::vector<std::unique_ptr<grpc::Server>> servers_;
};

TEST_F(WatchCommandTest, PrintsChangesAndGoesOnByItselfWhereItWas) {
  ScriptedFeed feed(3);
  feed.EndWith(absl::OkStatus());
  feed.EndWith(MakeError(Reason::kDraining));
  feed.EndWith(absl::OkStatus());
  const std::string address = Serve(feed);
  EXPECT_EQ(Run({.enrolment = address}, {}, {{&feed, "3"}}), kSuccess);
  EXPECT_THAT(
      Out(),
      ElementsAre(
          "2027-01-15 09:00:00  enrolment 1  bodies/opale/rooms/1  (room, "
          "version 2, UpdateRoom)",
          "2027-01-15 09:00:00  enrolment 2  bodies/opale/rooms/2  (room, "
          "version 2, UpdateRoom)",
          "2027-01-15 09:00:00  enrolment 3  retiré   bodies/opale/rooms/3  "
          "(room, version 2, UpdateRoom)"));
  EXPECT_THAT(errors_.str(), HasSubstr("[DRAINING] Nouvel essai.\n"));
  EXPECT_THAT(errors_.str(),
              HasSubstr("Pour reprendre : --after=enrolment=3\n"));
}

TEST_F(WatchCommandTest, SendsTheFilterAndFromWhere) {
  ScriptedFeed feed(9);
  const std::string address = Serve(feed);
  EXPECT_EQ(Run({.scheduling = address},
                {.service = "scheduling",
                 .kinds = {"room", "venue"},
                 .within = {"bodies/opale"},
                 .after = {"8"}},
                {{&feed, "9"}}),
            kSuccess);
  const pb::WatchChangesRequest first = feed.requests().front();
  EXPECT_EQ(first.after_token(), "8");
  EXPECT_THAT(first.filter().kinds(), ElementsAre("room", "venue"));
  EXPECT_THAT(first.filter().within(), ElementsAre("bodies/opale"));
}

TEST_F(WatchCommandTest, FollowsSeveralEachFromItsOwnToken) {
  ScriptedFeed enrolment(2);
  ScriptedFeed evaluation(5);
  const ServiceAddresses addresses{.enrolment = Serve(enrolment),
                                   .evaluation = Serve(evaluation)};
  EXPECT_EQ(Run(addresses, {.service = "all", .after = {"evaluation=4"}},
                {{&enrolment, "2"}, {&evaluation, "5"}}),
            kSuccess);
  EXPECT_EQ(Out().size(), 3u);
  EXPECT_THAT(errors_.str(), HasSubstr("--after=enrolment=2,evaluation=5\n"));
}

TEST_F(WatchCommandTest, HeartbeatsAreForPrograms) {
  ScriptedFeed feed(1);
  const std::string address = Serve(feed);
  EXPECT_EQ(Run({.enrolment = address}, {.json = true}, {{&feed, "1"}}),
            kSuccess);
  const std::vector<std::string> lines = Out();
  ASSERT_GE(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr("{\"service\":\"enrolment\",\"changes\":[{"));
  EXPECT_THAT(lines[0], HasSubstr("\"position\":\"1\""));
  if (lines.size() > 1) {
    EXPECT_EQ(lines[1], "{\"service\":\"enrolment\",\"nextToken\":\"1\"}");
  }
}

TEST_F(WatchCommandTest, ARefusalEndsIt) {
  ScriptedFeed feed(1);
  feed.EndWith(absl::OkStatus());
  feed.EndWith(MakeError(Reason::kFeedTrimmed));
  const std::string address = Serve(feed);
  EXPECT_EQ(Run({.enrolment = address}, {}, {}), kRefused);
  EXPECT_THAT(errors_.str(), HasSubstr("[FEED_TRIMMED]"));
}

TEST_F(WatchCommandTest, AServiceThatIsNotThereIsTriedAgainUntilTheStop) {
  ScriptedFeed feed(1);
  const std::string address = Serve(feed);
  servers_.clear();
  StopRequest stop;
  std::thread command([&] {
    EXPECT_EQ(WatchCommand({.enrolment = address},
                           {.first_pause = absl::Milliseconds(1)}, stop, out_,
                           errors_),
              kSuccess);
  });
  EXPECT_TRUE(stop.Pause(absl::Milliseconds(20)));
  stop.Stop();
  command.join();
  EXPECT_THAT(errors_.str(), Not(HasSubstr("Pour reprendre")));
}

TEST_F(WatchCommandTest, WhatDoesNotFitIsSaid) {
  StopRequest stop;
  EXPECT_EQ(WatchCommand({.enrolment = "127.0.0.1:1"}, {.service = "gateway"},
                         stop, out_, errors_),
            kUsage);
  EXPECT_EQ(
      WatchCommand({.enrolment = "127.0.0.1:1", .scheduling = "127.0.0.1:1"},
                   {.after = {"abc"}}, stop, out_, errors_),
      kUsage);
  EXPECT_THAT(errors_.str(), HasSubstr("--service"));
  EXPECT_THAT(errors_.str(), HasSubstr("--after"));
}

}  // namespace
}  // namespace parcours::cli
