#include "services/enrolment/domain/enrolment.h"

#include <algorithm>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "services/enrolment/testing/samples.h"

namespace parcours::enrolment {
namespace {

Enrolment SampleEnrolment(EnrolmentState state) {
  Enrolment enrolment;
  enrolment.name = EnrolmentName::FromRecord(
      "bodies/essai/cohorts/essai-2026/enrolments/une");
  enrolment.state = state;
  return enrolment;
}

constexpr absl::CivilDay kFirstDay(2026, 3, 16);
constexpr absl::CivilDay kLastDay(2026, 11, 17);

TEST(EnrolmentTest, StartsFromTheFirstDayAndOnlyOnce) {
  for (const EnrolmentState from : AllOf<EnrolmentState>()) {
    SCOPED_TRACE(NameOf(from));
    Enrolment enrolment = SampleEnrolment(from);
    const absl::Status status = Start(enrolment, SampleCohort(), kFirstDay);
    if (from == EnrolmentState::kEnrolled) {
      EXPECT_OK(status);
      EXPECT_EQ(enrolment.state, EnrolmentState::kStarted);
    } else {
      EXPECT_THAT(status, HasReason(Reason::kIllegalTransition));
      EXPECT_EQ(MetadataOf(status).at("state"), NameOf(from));
      EXPECT_EQ(MetadataOf(status).at("action"), "StartEnrolment");
      EXPECT_EQ(enrolment.state, from);
    }
  }
}

TEST(EnrolmentTest, DoesNotStartBeforeTheFirstDay) {
  Enrolment enrolment = SampleEnrolment(EnrolmentState::kEnrolled);
  const absl::Status status = Start(enrolment, SampleCohort(), kFirstDay - 1);
  EXPECT_THAT(status, HasReason(Reason::kTooEarly));
  EXPECT_EQ(MetadataOf(status).at("from"), "2026-03-16");
  EXPECT_EQ(enrolment.state, EnrolmentState::kEnrolled);
}

TEST(EnrolmentTest, CompletesFromTheLastDayAfterItsStart) {
  for (const EnrolmentState from : AllOf<EnrolmentState>()) {
    SCOPED_TRACE(NameOf(from));
    Enrolment enrolment = SampleEnrolment(from);
    const absl::Status status =
        Complete(enrolment, SampleCohort(), kLastDay + 5);
    if (from == EnrolmentState::kStarted) {
      EXPECT_OK(status);
      EXPECT_EQ(enrolment.state, EnrolmentState::kCompleted);
      EXPECT_EQ(enrolment.end_date, kLastDay);
    } else {
      EXPECT_THAT(status, HasReason(Reason::kIllegalTransition));
      EXPECT_EQ(enrolment.state, from);
      EXPECT_FALSE(enrolment.end_date.has_value());
    }
  }
}

TEST(EnrolmentTest, DoesNotCompleteBeforeTheLastDay) {
  Enrolment enrolment = SampleEnrolment(EnrolmentState::kStarted);
  const absl::Status status = Complete(enrolment, SampleCohort(), kLastDay - 1);
  EXPECT_THAT(status, HasReason(Reason::kTooEarly));
  EXPECT_EQ(MetadataOf(status).at("from"), "2026-11-17");
  EXPECT_OK(Complete(enrolment, SampleCohort(), kLastDay));
}

bool MayEndAs(EnrolmentState from, EnrolmentState to) {
  static const auto& legal =
      *new std::vector<std::pair<EnrolmentState, EnrolmentState>>{
          {EnrolmentState::kEnrolled, EnrolmentState::kReplaced},
          {EnrolmentState::kEnrolled, EnrolmentState::kNoShow},
          {EnrolmentState::kEnrolled, EnrolmentState::kTransferred},
          {EnrolmentState::kEnrolled, EnrolmentState::kWithdrawn},
          {EnrolmentState::kStarted, EnrolmentState::kDroppedOut},
          {EnrolmentState::kStarted, EnrolmentState::kExcluded},
          {EnrolmentState::kStarted, EnrolmentState::kReplaced},
          {EnrolmentState::kStarted, EnrolmentState::kTransferred},
          {EnrolmentState::kStarted, EnrolmentState::kWithdrawn},
      };
  return std::find(legal.begin(), legal.end(), std::pair(from, to)) !=
         legal.end();
}

TEST(EnrolmentTest, EndsEarlyInEveryLegalWayAndInNoOther) {
  const absl::CivilDay last_day(2026, 5, 4);
  for (const EnrolmentState from : AllOf<EnrolmentState>()) {
    for (const EnrolmentState to : AllOf<EnrolmentState>()) {
      SCOPED_TRACE(testing::Message() << NameOf(from) << " " << NameOf(to));
      Enrolment enrolment = SampleEnrolment(from);
      const absl::Status status = EndEarly(enrolment, {.state = to,
                                                       .reason = "Motif",
                                                       .force_majeure = true,
                                                       .last_day = last_day});
      if (MayEndAs(from, to)) {
        EXPECT_OK(status);
        EXPECT_EQ(enrolment.state, to);
        EXPECT_EQ(enrolment.end_date, last_day);
        EXPECT_EQ(enrolment.end_reason, "Motif");
        EXPECT_TRUE(enrolment.force_majeure);
        EXPECT_FALSE(IsActive(enrolment));
      } else {
        EXPECT_THAT(status, HasReason(Reason::kIllegalTransition));
        EXPECT_EQ(MetadataOf(status).at("state"), NameOf(from));
        EXPECT_EQ(MetadataOf(status).at("action"), NameOf(to));
        EXPECT_EQ(enrolment.state, from);
        EXPECT_FALSE(enrolment.end_date.has_value());
      }
    }
  }
}

TEST(EnrolmentTest, IsActiveUntilItEnds) {
  for (const EnrolmentState state : AllOf<EnrolmentState>()) {
    SCOPED_TRACE(NameOf(state));
    EXPECT_EQ(IsActive(SampleEnrolment(state)),
              state == EnrolmentState::kEnrolled ||
                  state == EnrolmentState::kStarted);
  }
}

TEST(EnrolmentTest, EndsWithItsPlace) {
  for (const EnrolmentState state : AllOf<EnrolmentState>()) {
    SCOPED_TRACE(NameOf(state));
    Enrolment enrolment = SampleEnrolment(state);
    const bool was_active = IsActive(enrolment);
    LosePlace(enrolment, "Motif", absl::CivilDay(2026, 5, 4));
    if (!was_active) {
      EXPECT_EQ(enrolment.state, state);
      EXPECT_FALSE(enrolment.end_date.has_value());
      continue;
    }
    EXPECT_EQ(enrolment.state, state == EnrolmentState::kStarted
                                   ? EnrolmentState::kDroppedOut
                                   : EnrolmentState::kWithdrawn);
    EXPECT_EQ(enrolment.end_date, absl::CivilDay(2026, 5, 4));
    EXPECT_EQ(enrolment.end_reason, "Motif");
  }
}

TEST(CommitmentTest, IsThePayersOwnAct) {
  for (const PayerKind payer : AllOf<PayerKind>()) {
    SCOPED_TRACE(NameOf(payer));
    EXPECT_TRUE(Commits(CommitmentKind::kSignedAgreement, payer));
    EXPECT_EQ(Commits(CommitmentKind::kPurchaseOrder, payer),
              payer == PayerKind::kEmployer ||
                  payer == PayerKind::kPublicEmployer ||
                  payer == PayerKind::kOpco);
    EXPECT_EQ(Commits(CommitmentKind::kEdofAcceptance, payer),
              payer == PayerKind::kCpf);
    EXPECT_EQ(Commits(CommitmentKind::kFranceTravailGrant, payer),
              payer == PayerKind::kFranceTravail);
  }
}

}  // namespace
}  // namespace parcours::enrolment
