// enrolmentd ended by SIGKILL at named moments. Each moment is shown to have
// been reached; clients then send the same requests again to the daemon that
// was started anew: nothing acknowledged is lost and nothing is doubled.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/storage/session.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/enrolment_client.h"
#include "tests/integration/enrolmentd.h"

namespace parcours::integration {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kKilled = 128 + 9;
constexpr int kApplications = 60;
constexpr int kChannels = 4;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string contents(std::filesystem::file_size(path), '\0');
  file.read(contents.data(), static_cast<std::streamsize>(contents.size()));
  return contents;
}

class CrashTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  CrashTest() : enrolmentd_(PARCOURS_ENROLMENTD_CRASHING, GetParam()) {}

  testing::DaemonFixture& process() { return enrolmentd_.process(); }
  std::string marker() { return process().File("marker"); }

  // Starts a daemon that ends at the `count`th such moment.
  void StartToCrash(std::string_view moment, std::string_view text, int count) {
    process().Start(
        {Cat("PARCOURS_TEST_CRASH_AT=", moment, ":", text, ":", count),
         Cat("PARCOURS_TEST_CRASH_MARKER=", marker())});
  }

  // It has ended by itself at the named moment.
  void ExpectCrashedAt(const std::string& moment) {
    EXPECT_EQ(process().Wait(), kKilled);
    EXPECT_EQ(Contents(marker()), moment);
  }

  std::vector<std::shared_ptr<grpc::Channel>> Channels() {
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    for (int i = 0; i < kChannels; ++i) channels.push_back(process().Connect());
    return channels;
  }

  // Applications that the record holds.
  std::vector<pb::Application> Listed() {
    auto listed = EnrolmentClient(process().Connect()).ListApplications();
    EXPECT_OK(listed);
    return listed.ok() ? *std::move(listed) : std::vector<pb::Application>();
  }

  void SubmitThroughACrash(const std::string& moment, int fewest_committed,
                           int most_committed);

  Enrolmentd enrolmentd_;
};

void CrashTest::SubmitThroughACrash(const std::string& moment,
                                    int fewest_committed, int most_committed) {
  process().Start();
  std::vector<pb::SubmitApplicationRequest> requests;
  {
    const EnrolmentClient client(process().Connect());
    ASSERT_OK(client.CreateAll());
    auto files = client.CompleteFiles(1, kApplications);
    ASSERT_OK(files);
    requests = *std::move(files);
  }
  process().Terminate();
  ASSERT_EQ(process().Wait(), 0);

  constexpr int kCrashAt = 20;
  StartToCrash(moment, "INSERT INTO application ", kCrashAt);
  const std::vector<Submitted> first = SubmitTogether(Channels(), requests);
  ExpectCrashedAt(moment);
  const auto acknowledged =
      std::count_if(first.begin(), first.end(),
                    [](const Submitted& call) { return call.status.ok(); });
  // Whoever was not acknowledged knows that nothing is certain.
  for (const Submitted& call : first) {
    if (!call.status.ok()) {
      EXPECT_THAT(call.status, StatusIs(absl::StatusCode::kUnavailable));
    }
  }

  process().Start();
  const std::vector<pb::Application> kept = Listed();
  const auto committed = static_cast<int>(kept.size());
  EXPECT_GE(committed, fewest_committed);
  EXPECT_LE(committed, most_committed);
  EXPECT_LE(acknowledged, committed);
  std::map<std::string, pb::Application> by_name;
  for (const pb::Application& one : kept) by_name[one.name()] = one;
  for (const Submitted& call : first) {
    if (!call.status.ok()) continue;
    const auto found = by_name.find(call.application.name());
    ASSERT_NE(found, by_name.end()) << "acknowledged and lost";
    EXPECT_EQ(found->second.rank(), call.application.rank());
    EXPECT_EQ(found->second.place_state(), call.application.place_state());
    EXPECT_EQ(found->second.etag(), call.application.etag());
  }

  const std::vector<Submitted> again = SubmitTogether(Channels(), requests);
  std::set<std::string> names;
  for (std::size_t i = 0; i < again.size(); ++i) {
    ASSERT_OK(again[i].status);
    EXPECT_TRUE(names.insert(again[i].application.name()).second);
    EXPECT_EQ(again[i].application.candidate().email(),
              requests[i].application().candidate().email());
    if (first[i].status.ok()) {
      EXPECT_EQ(again[i].application.name(), first[i].application.name());
    }
  }
  const std::vector<pb::Application> all = Listed();
  ASSERT_EQ(all.size(), requests.size());
  int held = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].rank(), static_cast<int64_t>(i) + 1);
    if (i < kept.size()) {
      EXPECT_EQ(all[i].name(), kept[i].name());
    }
    held += all[i].place_state() == pb::PLACE_STATE_HELD ? 1 : 0;
  }
  const EnrolmentClient client(process().Connect());
  EXPECT_EQ(held, client.File().cohort().capacity());
  const auto cohort = client.GetCohort();
  ASSERT_OK(cohort);
  EXPECT_EQ(cohort->held_count(), held);
}

TEST_P(CrashTest, BeforeCommitNothingOfTheChangeIsLeft) {
  // All of the twentieth is written, under the lock of the cohort, and undone.
  SubmitThroughACrash("before_commit", 19, 19);
}

TEST_P(CrashTest, AfterCommitTheChangeIsFoundByItsRequestId) {
  // The twentieth is committed and not acknowledged. On PostgreSQL another
  // session may commit in the moment before the process ends.
  SubmitThroughACrash("after_commit", 20,
                      GetParam() == storage::Engine::kSqlite ? 20 : 28);
  // The feed tells each once as well, in the same order; its sequencer goes on
  // once the lease of the one that was killed has run out.
  std::vector<std::string> ranked;
  for (const pb::Application& one : Listed()) ranked.push_back(one.name());
  const auto feed =
      EnrolmentClient(process().Connect()).ApplicationsOfFeed(ranked.size());
  ASSERT_OK(feed);
  EXPECT_THAT(*feed, ElementsAreArray(ranked));
}

TEST_P(CrashTest, AfterTheFileItsRowIsCompletedLater) {
  process().Start();
  ASSERT_OK(EnrolmentClient(process().Connect()).CreateAll());
  process().Kill();

  StartToCrash("before_statement", "UPDATE upload ", 1);
  const std::string bytes =
      SmallPdf(std::string(200'000, 'x'));  // several chunks and records
  const std::string request_id = NewRequestId();
  std::string name;
  {
    const EnrolmentClient client(process().Connect());
    const auto upload = client.CreateUpload(bytes, request_id);
    ASSERT_OK(upload);
    name = upload->name();
    EXPECT_THAT(client.WriteUpload(name, bytes),
                StatusIs(absl::StatusCode::kUnavailable));
  }
  ExpectCrashedAt("before_statement");
  // The file is whole on disk, and encrypted.
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           process().upload_folder())) {
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  }
  ASSERT_EQ(files.size(), 1u);
  EXPECT_GT(std::filesystem::file_size(files[0]), bytes.size());
  EXPECT_THAT(Contents(files[0]), Not(HasSubstr("xxxxxxxx")));

  process().Start();
  const EnrolmentClient client(process().Connect());
  const auto again = client.CreateUpload(bytes, request_id);
  ASSERT_OK(again);
  EXPECT_EQ(again->name(), name);
  EXPECT_EQ(again->state(), platform::v1::Upload::STATE_RECEIVING);
  EXPECT_EQ(again->received_bytes(), static_cast<int64_t>(bytes.size()));
  // Nothing is left to send; the end of the stream completes it.
  const auto complete =
      client.WriteUpload(name, bytes, again->received_bytes());
  ASSERT_OK(complete);
  EXPECT_EQ(complete->state(), platform::v1::Upload::STATE_COMPLETE);
  EXPECT_EQ(complete->byte_size(), static_cast<int64_t>(bytes.size()));
  // An application may now take it: the bytes are those that were sent.
  auto file = client.CompleteFile(1);
  ASSERT_OK(file);
  file->mutable_pieces(0)->set_upload(name);
  const auto application = client.Submit(*file);
  ASSERT_OK(application);
  EXPECT_EQ(application->place_state(), pb::PLACE_STATE_HELD);
  EXPECT_EQ(application->pieces(0).sha256(), complete->sha256());
}

TEST_P(CrashTest, AfterTheUploadsCommitItIsCompleteOnce) {
  process().Start();
  ASSERT_OK(EnrolmentClient(process().Connect()).CreateAll());
  process().Kill();

  StartToCrash("after_commit", "UPDATE upload ", 1);
  const std::string bytes = SmallPdf("after the commit");
  const std::string request_id = NewRequestId();
  {
    const EnrolmentClient client(process().Connect());
    const auto upload = client.CreateUpload(bytes, request_id);
    ASSERT_OK(upload);
    EXPECT_THAT(client.WriteUpload(upload->name(), bytes),
                StatusIs(absl::StatusCode::kUnavailable));
  }
  ExpectCrashedAt("after_commit");

  process().Start();
  const EnrolmentClient client(process().Connect());
  const auto again = client.CreateUpload(bytes, request_id);
  ASSERT_OK(again);
  EXPECT_EQ(again->state(), platform::v1::Upload::STATE_COMPLETE);
  // The whole may be sent again, and is answered as it is.
  const auto complete = client.WriteUpload(again->name(), bytes);
  ASSERT_OK(complete);
  EXPECT_EQ(complete->sha256(), again->sha256());
}

INSTANTIATE_TEST_SUITE_P(Engines, CrashTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

// What injects the crash is in no program that is shipped.
TEST(CrashInjection, IsNotInTheService) {
  // Not HasSubstr, which would print the program.
  const auto injects = [](const std::string& program) {
    return Contents(program).find("PARCOURS_TEST_CRASH_AT") !=
           std::string::npos;
  };
  EXPECT_TRUE(injects(PARCOURS_ENROLMENTD_CRASHING));
  EXPECT_FALSE(injects(PARCOURS_ENROLMENTD));
}

}  // namespace
}  // namespace parcours::integration
