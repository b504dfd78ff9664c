// 500 complete applications at the same time to a cohort of 30 places.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/storage/session.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/enrolment_client.h"
#include "tests/integration/enrolmentd.h"

namespace parcours::integration {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

constexpr int kApplications = 500;
constexpr int kLater = 10;
constexpr int kRepeated = 60;
constexpr int kChannels = 10;

class ApplicationsAtOnceTest
    : public ::testing::TestWithParam<storage::Engine> {
 protected:
  ApplicationsAtOnceTest() : enrolmentd_(PARCOURS_ENROLMENTD, GetParam()) {
    enrolmentd_.process().Start();
    for (int i = 0; i < kChannels; ++i) {
      channels_.push_back(enrolmentd_.process().Connect());
    }
  }

  Enrolmentd enrolmentd_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
};

std::vector<std::string> NamesOf(
    const std::vector<pb::Application>& applications) {
  std::vector<std::string> names;
  for (const auto& application : applications) {
    names.push_back(application.name());
  }
  return names;
}

TEST_P(ApplicationsAtOnceTest, AreRankedWithoutGapOrTieInTheOrderOfCommits) {
  const EnrolmentClient client(channels_[0]);
  ASSERT_OK(client.CreateAll());
  const int capacity = client.File().cohort().capacity();
  ASSERT_EQ(capacity, 30);
  const auto requests = client.CompleteFiles(1, kApplications);
  ASSERT_OK(requests);

  std::vector<Submitted> calls = SubmitTogether(channels_, *requests);
  for (const Submitted& call : calls) ASSERT_OK(call.status);
  // They ran at the same time: the last was sent before most were answered.
  const absl::Time last_sent = calls.back().sent;
  EXPECT_GT(std::count_if(calls.begin(), calls.end(),
                          [&](const Submitted& call) {
                            return call.answered > last_sent;
                          }),
            kApplications / 2);
  // Some more, each after the answer to the one before.
  const auto late =
      client.CompleteFiles(kApplications + 1, kApplications + kLater);
  ASSERT_OK(late);
  for (const auto& request : *late) {
    calls.push_back(SubmitTogether({channels_[0]}, {request}).front());
    ASSERT_OK(calls.back().status);
  }

  std::vector<std::string> by_rank(calls.size());
  int held = 0;
  for (const Submitted& call : calls) {
    const pb::Application& application = call.application;
    ASSERT_GE(application.rank(), 1);
    ASSERT_LE(application.rank(), kApplications + kLater);
    std::string& name =
        by_rank[static_cast<std::size_t>(application.rank()) - 1];
    EXPECT_EQ(name, "") << "two have rank " << application.rank();
    name = application.name();
    if (application.place_state() == pb::PLACE_STATE_HELD) {
      ++held;
      EXPECT_LE(application.rank(), capacity);
    } else {
      EXPECT_EQ(application.place_state(), pb::PLACE_STATE_WAITLISTED);
      EXPECT_EQ(application.waiting_position(), application.rank() - capacity);
    }
  }
  EXPECT_EQ(held, capacity);

  // Acknowledged before another was sent: ranked before it.
  int64_t ordered_pairs = 0;
  for (const Submitted& first : calls) {
    for (const Submitted& second : calls) {
      if (first.answered >= second.sent) continue;
      ++ordered_pairs;
      ASSERT_LT(first.application.rank(), second.application.rank());
    }
  }
  EXPECT_GE(ordered_pairs, kApplications * kLater);
  RecordProperty("ordered_pairs", std::to_string(ordered_pairs));

  // The record says the same, and the feed has the order of the commits.
  const auto listed = client.ListApplications();
  ASSERT_OK(listed);
  EXPECT_THAT(NamesOf(*listed), ElementsAreArray(by_rank));
  const auto feed = client.ApplicationsOfFeed(by_rank.size());
  ASSERT_OK(feed);
  EXPECT_THAT(*feed, ElementsAreArray(by_rank));
  const auto cohort = client.GetCohort();
  ASSERT_OK(cohort);
  EXPECT_EQ(cohort->held_count(), capacity);
  EXPECT_EQ(cohort->waitlisted_count(), kApplications + kLater - capacity);

  // Sent again, all at once: each finds what it did, and nothing is added.
  const std::vector<Submitted> again = SubmitTogether(channels_, *requests);
  for (std::size_t i = 0; i < again.size(); ++i) {
    ASSERT_OK(again[i].status);
    EXPECT_EQ(again[i].application.name(), calls[i].application.name());
    EXPECT_EQ(again[i].application.rank(), calls[i].application.rank());
    EXPECT_EQ(again[i].application.etag(), calls[i].application.etag());
  }
  const auto still = client.ListApplications();
  ASSERT_OK(still);
  EXPECT_THAT(NamesOf(*still), ElementsAreArray(by_rank));

  for (const int rank : {1, capacity, capacity + 1, kApplications}) {
    const auto story =
        client.ExplainPlace(by_rank[static_cast<std::size_t>(rank) - 1]);
    ASSERT_OK(story);
    EXPECT_EQ(story->rank(), rank);
    ASSERT_EQ(story->events_size(), 1);
    const pb::PlaceEvent& event = story->events(0);
    EXPECT_EQ(event.place_state(), rank <= capacity
                                       ? pb::PLACE_STATE_HELD
                                       : pb::PLACE_STATE_WAITLISTED);
    EXPECT_EQ(event.taken_count(), std::min(rank - 1, capacity));
    EXPECT_EQ(event.capacity(), capacity);
    EXPECT_THAT(event.cause(), HasSubstr("SubmitApplication"));
    EXPECT_THAT(event.text_fr(), HasSubstr(std::to_string(rank)));
    EXPECT_THAT(event.text_en(), HasSubstr(std::to_string(rank)));
  }
}

TEST_P(ApplicationsAtOnceTest, SentThreeTimesAtOnceAreReceivedOnce) {
  const EnrolmentClient client(channels_[0]);
  ASSERT_OK(client.CreateAll());
  const auto requests = client.CompleteFiles(1, kRepeated);
  ASSERT_OK(requests);
  std::vector<pb::SubmitApplicationRequest> repeated;
  for (const auto& request : *requests) {
    repeated.insert(repeated.end(), 3, request);
  }
  const std::vector<Submitted> calls = SubmitTogether(channels_, repeated);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    ASSERT_OK(calls[i].status);
    EXPECT_EQ(calls[i].application.name(), calls[i - i % 3].application.name());
    EXPECT_EQ(calls[i].application.rank(), calls[i - i % 3].application.rank());
  }
  const auto listed = client.ListApplications();
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), requests->size());
  for (std::size_t i = 0; i < listed->size(); ++i) {
    EXPECT_EQ((*listed)[i].rank(), static_cast<int64_t>(i) + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, ApplicationsAtOnceTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

}  // namespace
}  // namespace parcours::integration
