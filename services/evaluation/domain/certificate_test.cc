#include "services/evaluation/domain/certificate.h"

#include <cctype>
#include <set>
#include <string>

#include "common/status/error.h"
#include "common/testing/status_matchers.h"
#include "common/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/evaluation/testing/samples.h"

namespace parcours::evaluation {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kAward =
    ParisMidnight(absl::CivilDay(2027, 1, 20)) + absl::Hours(16);

Certificate Proclaimed() {
  Decision decision;
  decision.enrolment = SampleLearner("a").enrolment;
  decision.name = DecisionOf(SampleJury().name, decision.enrolment);
  return ProclaimCertificate(decision, SamplePlan(), "Candidate a", kAward);
}

Certificate InState(CertificateState state) {
  Certificate certificate = Proclaimed();
  certificate.state = state;
  return certificate;
}

TEST(CertificateTest, IsNumberedUnderAMandateInForce) {
  Certificate certificate = Proclaimed();
  EXPECT_THAT(certificate.number, IsEmpty());
  ASSERT_OK(IssueCertificate(certificate, SamplePlan(), 7));
  EXPECT_EQ(certificate.number, "OPALE-2027-0007");
  EXPECT_EQ(certificate.state, CertificateState::kIssued);
  EXPECT_EQ(certificate.mandate_reference, "Mandat d’essai");
  EXPECT_THAT(IssueCertificate(certificate, SamplePlan(), 8),
              HasReason(Reason::kIllegalTransition));
  EXPECT_EQ(certificate.number, "OPALE-2027-0007");
}

TEST(CertificateTest, IsNotNumberedWithoutAMandate) {
  AssessmentPlan plan = SamplePlan();
  plan.certification_mandate->effective_until = absl::CivilDay(2027, 1, 19);
  Certificate certificate = Proclaimed();
  EXPECT_THAT(IssueCertificate(certificate, plan, 1),
              HasReason(Reason::kNotMandated));
  plan.certification_mode = CertificationMode::kHandover;
  EXPECT_THAT(IssueCertificate(certificate, plan, 1),
              HasReason(Reason::kNotMandated));
  EXPECT_OK(CheckMandate(plan, absl::CivilDay(2027, 1, 20)));
}

TEST(CertificateTest, HasTheseTransitionsAndNoOther) {
  for (const CertificateState state :
       {CertificateState::kProclaimed, CertificateState::kIssued,
        CertificateState::kRevoked}) {
    Certificate certificate = InState(state);
    EXPECT_EQ(RecordNumber(certificate, "C-1").ok(),
              state == CertificateState::kProclaimed);
    certificate = InState(state);
    EXPECT_EQ(Reissue(certificate, ReissueKind::kDuplicate, "", "Perdu").ok(),
              state == CertificateState::kIssued);
    certificate = InState(state);
    EXPECT_EQ(Revoke(certificate, certificate.decision).ok(),
              state != CertificateState::kRevoked);
  }
}

TEST(CertificateTest, KeepsNumberAndCodeWhateverIsReissued) {
  Certificate certificate = Proclaimed();
  ASSERT_OK(IssueCertificate(certificate, SamplePlan(), 1));
  const std::string number = certificate.number;
  const std::string code = certificate.code;
  ASSERT_OK(Reissue(certificate, ReissueKind::kNameChange, "Candidate Autre",
                    "État civil"));
  EXPECT_EQ(certificate.holder_display_name, "Candidate Autre");
  EXPECT_FALSE(certificate.duplicate);
  ASSERT_OK(Reissue(certificate, ReissueKind::kDuplicate, "ignored", "Perdu"));
  EXPECT_EQ(certificate.holder_display_name, "Candidate Autre");
  EXPECT_TRUE(certificate.duplicate);
  EXPECT_EQ(certificate.issue_count, 3);
  EXPECT_EQ(certificate.number, number);
  EXPECT_EQ(certificate.code, code);
}

TEST(CertificateCodeTest, IsAcceptedHoweverItIsTyped) {
  for (int i = 0; i < 200; ++i) {
    const std::string code = NewCertificateCode();
    ASSERT_THAT(code, SizeIs(10));
    EXPECT_EQ(NormaliseCode(code), code);
    std::string typed;
    for (const char c : code) {
      typed +=
          c == '0' ? 'o'
          : c == '1'
              ? 'l'
              : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (typed.size() == 5) typed += " - ";
    }
    EXPECT_EQ(NormaliseCode(typed), code);
  }
}

TEST(CertificateCodeTest, FindsEverySingleSlip) {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const std::string code = NewCertificateCode();
  for (std::size_t at = 0; at < code.size(); ++at) {
    for (const char other : kAlphabet) {
      if (other == code[at]) continue;
      std::string slip = code;
      slip[at] = other;
      EXPECT_THAT(NormaliseCode(slip), IsEmpty()) << code << " " << slip;
    }
  }
}

TEST(CertificateCodeTest, RefusesWhatIsNoCode) {
  for (const char* typed :
       {"", "123", "0000000001", "UUUUUUUUUU", "00000000000", "ééééé"}) {
    EXPECT_THAT(NormaliseCode(typed), IsEmpty()) << typed;
  }
  Certificate unnumbered = Proclaimed();
  EXPECT_FALSE(CodeMatches(unnumbered, ""));
}

TEST(CertificateCodeTest, DoesNotRepeat) {
  std::set<std::string> codes;
  for (int i = 0; i < 1000; ++i) codes.insert(NewCertificateCode());
  EXPECT_THAT(codes, SizeIs(1000));
}

}  // namespace
}  // namespace parcours::evaluation
