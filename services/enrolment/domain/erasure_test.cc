#include "services/enrolment/domain/erasure.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/enrolment/domain/retention.h"
#include "services/enrolment/testing/samples.h"

namespace parcours::enrolment {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const PersonName kPerson = PersonName::FromRecord("bodies/essai/persons/une");

Erasure Begun() {
  return BeginErasure(kPerson, ErasureGround::kRequested, Paris(2026, 3, 2));
}

TEST(ErasureTest, IsNamedAfterThePerson) {
  EXPECT_EQ(Begun().name.text(), "bodies/essai/erasures/une");
  EXPECT_EQ(PersonOf(Begun().name), kPerson);
}

TEST(ErasureTest, WaitsForEveryServiceInWhateverOrder) {
  Erasure erasure = Begun();
  EXPECT_THAT(AwaitedServices(erasure),
              ElementsAre("enrolment", "scheduling", "evaluation"));
  EXPECT_TRUE(Acknowledge(erasure, "evaluation", Paris(2026, 3, 3)));
  EXPECT_TRUE(Acknowledge(erasure, "enrolment", Paris(2026, 3, 4)));
  EXPECT_THAT(AwaitedServices(erasure), ElementsAre("scheduling"));
  EXPECT_EQ(erasure.state, ErasureState::kRunning);
  EXPECT_FALSE(erasure.complete_time.has_value());

  EXPECT_TRUE(Acknowledge(erasure, "scheduling", Paris(2026, 3, 5)));
  EXPECT_EQ(erasure.state, ErasureState::kComplete);
  EXPECT_EQ(erasure.complete_time, Paris(2026, 3, 5));
  EXPECT_THAT(AwaitedServices(erasure), IsEmpty());
}

TEST(ErasureTest, AnAcknowledgementCountsOnce) {
  Erasure erasure = Begun();
  EXPECT_TRUE(Acknowledge(erasure, "scheduling", Paris(2026, 3, 3)));
  EXPECT_FALSE(Acknowledge(erasure, "scheduling", Paris(2026, 3, 4)));
  EXPECT_THAT(erasure.acknowledgements, ElementsAre(ErasureAcknowledgement{
                                            "scheduling", Paris(2026, 3, 3)}));
}

TEST(ErasureTest, NobodyElseAcknowledges) {
  Erasure erasure = Begun();
  EXPECT_FALSE(Acknowledge(erasure, "passant", Paris(2026, 3, 3)));
  EXPECT_THAT(erasure.acknowledgements, IsEmpty());
}

TEST(ErasureTest, OfAnApplicationStaysWhatIsCounted) {
  Application application =
      SampleApplication("une", 7, PlaceState::kReleased, ReviewState::kRefused);
  application.phone = "+33600000000";
  application.account = "compte-1";
  application.candidate_key = CandidateKey(application);
  application.decision.reason = "Motif secret";
  application.decision.derogation_proof = "Preuve secrète";
  application.decision.decider = "Personne Deux";
  EXPECT_OK(CheckNotErased(application));

  Erase(application);
  EXPECT_EQ(application.given_name, "");
  EXPECT_EQ(application.family_name, "");
  EXPECT_EQ(application.email, "");
  EXPECT_EQ(application.phone, "");
  EXPECT_EQ(application.account, "");
  EXPECT_EQ(application.decision.reason, "");
  EXPECT_EQ(application.decision.derogation_proof, "");
  EXPECT_THAT(application.pieces, IsEmpty());
  EXPECT_THAT(application.candidate_key,
              ::testing::Not(::testing::HasSubstr("une")));
  EXPECT_THAT(CheckNotErased(application), HasReason(Reason::kPersonErased));

  EXPECT_EQ(application.rank, 7);
  EXPECT_EQ(application.place_state, PlaceState::kReleased);
  EXPECT_EQ(application.review_state, ReviewState::kRefused);
  EXPECT_EQ(application.qualification.years_after_bac, 4);
  EXPECT_EQ(application.decision.decider, "Personne Deux");

  Application other = SampleApplication("une");
  Erase(other);
  EXPECT_NE(application.candidate_key, other.candidate_key);
}

TEST(ErasureTest, TheSignatoryOfAnOrganisationIsNotThePerson) {
  for (const AgreementKind kind : AllOf<AgreementKind>()) {
    for (const bool own : {true, false}) {
      Agreement agreement;
      agreement.kind = kind;
      if (!own) {
        agreement.organisation =
            OrganisationName::FromRecord("bodies/essai/organisations/une");
      }
      agreement.signatory = "Signataire Une";
      agreement.end_reason = "Motif secret";
      agreement.external_ids = {{"edof", "dossier-1"}};
      agreement.price_cents = 172500;
      Erase(agreement);
      EXPECT_EQ(agreement.signatory.empty(), own) << NameOf(kind);
      EXPECT_EQ(agreement.external_ids.empty(), own) << NameOf(kind);
      EXPECT_EQ(agreement.end_reason, "");
      EXPECT_EQ(agreement.price_cents, 172500);
    }
  }
}

TEST(ErasureTest, OfAPersonAndAParticipationStaysTheName) {
  Person person{.name = kPerson,
                .given_name = "Candidate",
                .family_name = "Une",
                .birth_name = "Autre",
                .email = "candidate.une@example.org",
                .phone = "+33600000000",
                .external_ids = {{"edof", "1"}}};
  EXPECT_OK(CheckNotErased(person));
  Erase(person, Paris(2026, 3, 2));
  EXPECT_EQ(person, (Person{.name = kPerson, .erase_time = Paris(2026, 3, 2)}));
  EXPECT_THAT(CheckNotErased(person), HasReason(Reason::kPersonErased));

  Enrolment enrolment;
  enrolment.person = kPerson;
  enrolment.person_display_name = "Candidate Une";
  enrolment.state = EnrolmentState::kCompleted;
  enrolment.commitment_reference = "dossier-1";
  enrolment.end_reason = "Motif secret";
  enrolment.external_ids = {{"edof", "1"}};
  EXPECT_OK(CheckNotErased(enrolment));
  Erase(enrolment);
  EXPECT_EQ(enrolment.person_display_name, "");
  EXPECT_EQ(enrolment.commitment_reference, "");
  EXPECT_EQ(enrolment.end_reason, "");
  EXPECT_THAT(enrolment.external_ids, IsEmpty());
  EXPECT_EQ(enrolment.state, EnrolmentState::kCompleted);
  EXPECT_THAT(CheckNotErased(enrolment), HasReason(Reason::kPersonErased));
}

TEST(RetentionTest, FilesAreCountedFromWhatEndedTheApplication) {
  Application application = SampleApplication();
  application.decision.decision_time = Paris(2026, 4, 1, 23, 30);
  application.update_time = Paris(2026, 5, 2, 8);
  const std::pair<ReviewState, absl::CivilDay> ends[] = {
      {ReviewState::kRefused, absl::CivilDay(2026, 4, 1)},
      {ReviewState::kWithdrawn, absl::CivilDay(2026, 5, 2)},
      {ReviewState::kAwaitingPieces, SampleCohort().end_date},
      {ReviewState::kReceived, SampleCohort().end_date},
      {ReviewState::kAdmitted, SampleCohort().end_date}};
  for (const auto& [state, day] : ends) {
    application.review_state = state;
    EXPECT_EQ(EndOfApplication(application, SampleCohort()), day)
        << NameOf(state);
  }
}

}  // namespace
}  // namespace parcours::enrolment
