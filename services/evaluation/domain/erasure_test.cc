#include "services/evaluation/domain/erasure.h"

#include <vector>

#include "common/crypto/digest.h"
#include "gtest/gtest.h"
#include "services/evaluation/testing/samples.h"

namespace parcours::evaluation {
namespace {

Decision SampleDecision() {
  Decision decision;
  decision.enrolment = SampleLearner("a").enrolment;
  decision.name = DecisionOf(SampleJury().name, decision.enrolment);
  decision.person = SampleLearner("a").person;
  decision.reason = "Un motif qui parle de la personne";
  decision.reason_salt = crypto::RandomHex(16);
  return decision;
}

class DecisionErasureTest : public ::testing::Test {
 protected:
  std::string Digest() { return DigestOf(minutes_, {decision_}); }

  const Minutes minutes_{.name = MinutesOf(SampleJury().name),
                         .position = 1,
                         .text = "Procès-verbal",
                         .text_salt = "sel"};
  Decision decision_ = SampleDecision();
};

TEST_F(DecisionErasureTest, LeavesTheDigestOfTheMinutesAsItWas) {
  const std::string before = Digest();
  Erase(decision_);
  EXPECT_EQ(decision_.reason, "");
  EXPECT_EQ(decision_.reason_salt, "");
  EXPECT_EQ(Digest(), before);
  Erase(decision_);
  EXPECT_EQ(Digest(), before);
}

TEST_F(DecisionErasureTest, LeavesNothingThatAnotherTextCouldStandIn) {
  const std::string before = Digest();
  Erase(decision_);
  Decision other = decision_;
  other.reason = "Un autre motif";
  EXPECT_NE(DigestOf(minutes_, {other}), before);
  other = decision_;
  other.reason_commitment = crypto::Commitment(crypto::RandomHex(16), "autre");
  EXPECT_NE(DigestOf(minutes_, {other}), before);
  other = decision_;
  other.reason_commitment.clear();
  EXPECT_NE(DigestOf(minutes_, {other}), before);
  other = decision_;
  other.outcome = DecisionOutcome::kAwarded;
  EXPECT_NE(DigestOf(minutes_, {other}), before);
}

TEST(ErasureTest, TakesOutOneMemberOfAJuryAndNoOther) {
  Jury jury = SampleJury();
  jury.members[1].quality = "Professionnelle";
  EraseMember(jury, SampleMember(2));
  EXPECT_EQ(jury.members[1].display_name, "");
  EXPECT_EQ(jury.members[1].quality, "");
  EXPECT_EQ(jury.members[1].person, SampleMember(2));
  EXPECT_EQ(jury.members[0].display_name, "Membre 1");
  EXPECT_EQ(jury.members.size(), SampleJury().members.size());
}

TEST(ErasureTest, KeepsWhatIsCountedOfALearner) {
  RosterEntry entry = SampleLearner("a");
  entry.has_measures = true;
  Erase(entry);
  EXPECT_EQ(entry.display_name, "");
  EXPECT_FALSE(entry.has_measures);
  EXPECT_EQ(entry.state, EnrolmentState::kStarted);
  NoteVersion version;
  version.object_id = "0123";
  version.late_reason = "Malade";
  version.late = true;
  version.sha256 = "abc";
  Erase(version);
  EXPECT_EQ(version.object_id, "");
  EXPECT_EQ(version.late_reason, "");
  EXPECT_TRUE(version.late);
  EXPECT_EQ(version.sha256, "abc");
}

}  // namespace
}  // namespace parcours::evaluation
