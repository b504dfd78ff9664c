#include "services/enrolment/domain/application.h"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "services/enrolment/testing/samples.h"

namespace parcours::enrolment {
namespace {

// A Monday.
absl::Time Now() { return Paris(2026, 2, 2, 10); }

Decision PersonsDecision() {
  return {.decider = "Personne Une", .reason = "Motif"};
}

rules::DatedRule RuleOf(const rules::RuleBook& book, std::string_view id) {
  return book.AsOf(id, absl::CivilDay(2026, 2, 2)).value();
}

Piece PieceOf(PieceKind kind) {
  Piece piece;
  piece.kind = kind;
  piece.upload = UploadName::FromRecord("bodies/essai/uploads/nouveau");
  return piece;
}

TEST(CandidateKeyTest, IgnoresCaseAndSpacing) {
  Application typed = SampleApplication();
  Application again = typed;
  again.given_name = "  CANDIDATE ";
  again.family_name = "une";
  again.email = "Candidate.Une@Example.ORG";
  EXPECT_EQ(CandidateKey(typed), CandidateKey(again));
}

TEST(CandidateKeyTest, KeepsPeopleApart) {
  const Application one = SampleApplication();
  for (const auto& change : std::vector<std::function<void(Application&)>>{
           [](Application& a) { a.given_name = "Candidat"; },
           [](Application& a) { a.family_name = "Deux"; },
           [](Application& a) { a.email = "candidat@example.org"; },
           // Nothing moves from one name into the other.
           [](Application& a) {
             a.given_name = "Une Candidate";
             a.family_name = "";
           }}) {
    Application other = one;
    change(other);
    EXPECT_NE(CandidateKey(one), CandidateKey(other));
  }
}

TEST(AccessConditionsTest, NeedTheLevelOrTheExperience) {
  const rules::DatedRule counts =
      RuleOf(FrenchRules(), "admission.volunteering_counts");
  const AccessConditions both{.years_after_bac = 4, .experience_years = 3};
  const AccessConditions level{.years_after_bac = 4};
  const AccessConditions experience{.experience_years = 3};
  const struct {
    Qualification declared;
    AccessConditions asked;
    bool met;
  } cases[] = {
      {{.years_after_bac = 4}, both, true},
      {{.years_after_bac = 3}, both, false},
      {{.years_after_bac = 0, .experience_years = 3}, both, true},
      {{.years_after_bac = 3, .experience_years = 2}, both, false},
      {{.experience_years = 2, .volunteering_years = 1}, both, true},
      {{.volunteering_years = 3}, both, true},
      {{.volunteering_years = 2}, both, false},
      {{.years_after_bac = 3, .experience_years = 30}, level, false},
      {{.years_after_bac = 8, .experience_years = 2}, experience, false},
      {{.experience_years = 3}, experience, true},
      {{}, {}, true},
      {{}, both, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(testing::Message() << c.declared.years_after_bac << "/"
                                    << c.declared.experience_years << "/"
                                    << c.declared.volunteering_years);
    EXPECT_EQ(MeetsAccessConditions(c.declared, c.asked, counts), c.met);
  }
}

TEST(AccessConditionsTest, CountVolunteeringAsTheRuleSays) {
  const AccessConditions asked{.years_after_bac = 4, .experience_years = 3};
  const Qualification volunteer{.experience_years = 1, .volunteering_years = 2};
  EXPECT_TRUE(MeetsAccessConditions(
      volunteer, asked,
      RuleOf(FrenchRules(), "admission.volunteering_counts")));
  EXPECT_FALSE(MeetsAccessConditions(
      volunteer, asked,
      RuleOf(FrenchRulesWhere("admission.volunteering_counts", 0),
             "admission.volunteering_counts")));
}

TEST(PiecesTest, AreMissingWhenAbsentOrUnreadable) {
  const Programme programme = SampleProgramme();
  Application application = SampleApplication();
  EXPECT_TRUE(MissingPieces(application, programme).empty());
  application.pieces[0].unreadable = true;
  EXPECT_THAT(MissingPieces(application, programme),
              testing::ElementsAre(PieceKind::kCv));
  application.pieces.pop_back();
  EXPECT_THAT(MissingPieces(application, programme),
              testing::ElementsAre(PieceKind::kCv, PieceKind::kLetter));
}

TEST(PiecesTest, TheLastOneCompletesTheFile) {
  const Programme programme = SampleProgramme();
  Application application = SampleApplication();
  application.pieces.clear();
  application.review_state = ReviewState::kAwaitingPieces;
  ASSERT_OK(AttachPiece(application, programme, PieceOf(PieceKind::kCv)));
  EXPECT_EQ(application.review_state, ReviewState::kAwaitingPieces);
  ASSERT_OK(AttachPiece(application, programme, PieceOf(PieceKind::kOther)));
  EXPECT_EQ(application.review_state, ReviewState::kAwaitingPieces);
  ASSERT_OK(AttachPiece(application, programme, PieceOf(PieceKind::kLetter)));
  EXPECT_EQ(application.review_state, ReviewState::kReceived);
}

TEST(PiecesTest, AReadableOneReplacesTheUnreadable) {
  const Programme programme = SampleProgramme();
  Application application = SampleApplication();
  application.rank = 7;
  ASSERT_OK(RequestPiece(
      application, SampleCohort(), PieceKind::kCv,
      RuleOf(FrenchRules(), "application.unreadable_piece_grace"), Now()));
  ASSERT_OK(AttachPiece(application, programme, PieceOf(PieceKind::kCv)));
  EXPECT_EQ(application.pieces.size(), 2u);
  EXPECT_EQ(application.pieces[0].upload.id(), "nouveau");
  EXPECT_EQ(application.review_state, ReviewState::kReceived);
  EXPECT_FALSE(application.pieces_due_time.has_value());
  EXPECT_EQ(application.rank, 7);
}

TEST(PiecesTest, AskedAgainKeepTheRankForFiveWorkingDays) {
  const rules::DatedRule grace =
      RuleOf(FrenchRules(), "application.unreadable_piece_grace");
  const struct {
    absl::Time asked;
    absl::Time due;
  } cases[] = {
      {Paris(2026, 2, 2, 10), Paris(2026, 2, 10)},
      {Paris(2026, 2, 6, 23, 59), Paris(2026, 2, 14)},
      // Easter Monday, 6 April, does not count.
      {Paris(2026, 4, 1, 9), Paris(2026, 4, 10)},
      // Over both clock changes.
      {Paris(2026, 3, 26, 9), Paris(2026, 4, 3)},
      {Paris(2026, 10, 23, 9), Paris(2026, 10, 31)},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(absl::FormatTime(c.asked));
    Application application = SampleApplication();
    application.rank = 7;
    ASSERT_OK(RequestPiece(application, SampleCohort(), PieceKind::kLetter,
                           grace, c.asked));
    EXPECT_EQ(application.review_state, ReviewState::kAwaitingPieces);
    EXPECT_EQ(application.rank, 7);
    EXPECT_TRUE(application.pieces[1].unreadable);
    EXPECT_EQ(application.pieces_due_time, c.due);
  }
}

TEST(PiecesTest, GraceFollowsTheRuleBook) {
  Application application = SampleApplication();
  application.rank = 7;
  ASSERT_OK(RequestPiece(
      application, SampleCohort(), PieceKind::kCv,
      RuleOf(FrenchRulesWhere("application.unreadable_piece_grace", 2),
             "application.unreadable_piece_grace"),
      Now()));
  EXPECT_EQ(application.pieces_due_time, Paris(2026, 2, 5));
}

TEST(PiecesTest, HaveNoDeadlineWithoutARankToKeep) {
  Application application = SampleApplication();
  ASSERT_OK(RequestPiece(
      application, SampleCohort(), PieceKind::kCv,
      RuleOf(FrenchRules(), "application.unreadable_piece_grace"), Now()));
  EXPECT_EQ(application.review_state, ReviewState::kAwaitingPieces);
  EXPECT_FALSE(application.pieces_due_time.has_value());
}

TEST(PiecesTest, CannotBeAskedAgainBeforeTheyCame) {
  Application application = SampleApplication();
  EXPECT_THAT(
      RequestPiece(application, SampleCohort(), PieceKind::kDiploma,
                   RuleOf(FrenchRules(), "application.unreadable_piece_grace"),
                   Now()),
      HasReason(Reason::kIllegalTransition));
  EXPECT_EQ(application.review_state, ReviewState::kReceived);
}

// Every action of the review in every state: where it leads, or why not.
struct ReviewAction {
  std::string name;
  std::function<absl::Status(Application&)> act;
  // What the review becomes from each state, in the order of the enum; the
  // same reason refuses all others.
  std::vector<std::pair<ReviewState, ReviewState>> legal;
};

std::vector<ReviewAction> ReviewActions() {
  using R = ReviewState;
  return {
      {"AttachPiece",
       [](Application& a) {
         return AttachPiece(a, SampleProgramme(), PieceOf(PieceKind::kCv));
       },
       {{R::kAwaitingPieces, R::kReceived}, {R::kReceived, R::kReceived}}},
      {"RequestPiece",
       [](Application& a) {
         return RequestPiece(
             a, SampleCohort(), PieceKind::kCv,
             RuleOf(FrenchRules(), "application.unreadable_piece_grace"),
             Now());
       },
       {{R::kAwaitingPieces, R::kAwaitingPieces},
        {R::kReceived, R::kAwaitingPieces}}},
      {"AdmitApplication",
       [](Application& a) {
         return Admit(a, SampleProgramme(), PersonsDecision(), "", Now());
       },
       {{R::kReceived, R::kAdmitted}}},
      {"RefuseApplication",
       [](Application& a) { return Refuse(a, PersonsDecision(), Now()); },
       {{R::kAwaitingPieces, R::kRefused},
        {R::kReceived, R::kRefused},
        {R::kAdmitted, R::kRefused}}},
      {"ReopenApplication",
       [](Application& a) { return Reopen(a); },
       {{R::kRefused, R::kReceived}}},
      {"WithdrawApplication",
       [](Application& a) { return Withdraw(a); },
       {{R::kAwaitingPieces, R::kWithdrawn},
        {R::kReceived, R::kWithdrawn},
        {R::kAdmitted, R::kWithdrawn}}},
  };
}

TEST(ReviewTest, EveryActionInEveryState) {
  for (const ReviewAction& action : ReviewActions()) {
    for (const ReviewState from : AllOf<ReviewState>()) {
      SCOPED_TRACE(testing::Message() << action.name << " " << NameOf(from));
      Application application = SampleApplication();
      application.review_state = from;
      auto legal =
          std::find_if(action.legal.begin(), action.legal.end(),
                       [from](const auto& step) { return step.first == from; });
      const absl::Status status = action.act(application);
      if (legal != action.legal.end()) {
        EXPECT_OK(status);
        EXPECT_EQ(NameOf(application.review_state), NameOf(legal->second));
        continue;
      }
      EXPECT_EQ(application.review_state, from);
      if (action.name == "AdmitApplication" &&
          from == ReviewState::kAwaitingPieces) {
        EXPECT_THAT(status, HasReason(Reason::kFileIncomplete));
        continue;
      }
      EXPECT_THAT(status, HasReason(Reason::kIllegalTransition));
      EXPECT_EQ(MetadataOf(status).at("state"), NameOf(from));
      EXPECT_EQ(MetadataOf(status).at("action"), action.name);
      EXPECT_EQ(MetadataOf(status).at("resource"), application.name.text());
    }
  }
}

TEST(ReviewTest, AConfirmedPlaceIsNeitherRefusedNorWithdrawn) {
  for (const PlaceState place : AllOf<PlaceState>()) {
    SCOPED_TRACE(NameOf(place));
    Application refused =
        SampleApplication("une", 1, place, ReviewState::kAdmitted);
    Application withdrawn = refused;
    if (place == PlaceState::kConfirmed) {
      EXPECT_THAT(Refuse(refused, PersonsDecision(), Now()),
                  HasReason(Reason::kIllegalTransition));
      EXPECT_THAT(Withdraw(withdrawn), HasReason(Reason::kIllegalTransition));
      EXPECT_EQ(refused.review_state, ReviewState::kAdmitted);
      EXPECT_EQ(withdrawn.review_state, ReviewState::kAdmitted);
    } else {
      EXPECT_OK(Refuse(refused, PersonsDecision(), Now()));
      EXPECT_OK(Withdraw(withdrawn));
    }
  }
}

TEST(ReviewTest, TimeDecidesNoMoreOnWhatIsDecided) {
  Application refused = SampleApplication();
  refused.pieces_due_time = Now();
  Application withdrawn = refused;
  ASSERT_OK(Refuse(refused, PersonsDecision(), Now()));
  ASSERT_OK(Withdraw(withdrawn));
  EXPECT_FALSE(refused.pieces_due_time.has_value());
  EXPECT_FALSE(withdrawn.pieces_due_time.has_value());
}

TEST(AdmissionTest, SaysWhichPiecesAreMissing) {
  Application application = SampleApplication();
  application.pieces.clear();
  application.review_state = ReviewState::kAwaitingPieces;
  const absl::Status status =
      Admit(application, SampleProgramme(), PersonsDecision(), "", Now());
  EXPECT_THAT(status, HasReason(Reason::kFileIncomplete));
  EXPECT_EQ(MetadataOf(status).at("missing"), "CV, LETTER");
}

TEST(AdmissionTest, IsTheNamedPersonsWithReasonAndDate) {
  Application application = SampleApplication();
  ASSERT_OK(
      Admit(application, SampleProgramme(), PersonsDecision(), "", Now()));
  EXPECT_EQ(application.decision.decider, "Personne Une");
  EXPECT_EQ(application.decision.reason, "Motif");
  EXPECT_EQ(application.decision.decision_time, Now());
  EXPECT_FALSE(application.decision.derogation);
}

TEST(AdmissionTest, WithoutTheConditionsNeedsADerogationWithProof) {
  Application application = SampleApplication();
  application.meets_access_conditions = false;
  for (const char* no_proof : {"", "  "}) {
    EXPECT_THAT(Admit(application, SampleProgramme(), PersonsDecision(),
                      no_proof, Now()),
                HasReason(Reason::kAccessConditionsNotMet));
    EXPECT_EQ(application.review_state, ReviewState::kReceived);
    EXPECT_TRUE(application.decision.decider.empty());
  }
  ASSERT_OK(Admit(application, SampleProgramme(), PersonsDecision(),
                  "Procès-verbal d’essai", Now()));
  EXPECT_EQ(application.review_state, ReviewState::kAdmitted);
  EXPECT_TRUE(application.decision.derogation);
  EXPECT_EQ(application.decision.derogation_proof, "Procès-verbal d’essai");
}

TEST(RefusalTest, IsTheNamedPersonsAndCanBeTakenBack) {
  Application application = SampleApplication();
  ASSERT_OK(Refuse(application, PersonsDecision(), Now()));
  EXPECT_EQ(application.decision.decider, "Personne Une");
  EXPECT_EQ(application.decision.reason, "Motif");
  EXPECT_EQ(application.decision.decision_time, Now());
  ASSERT_OK(Reopen(application));
  EXPECT_EQ(application.review_state, ReviewState::kReceived);
  EXPECT_TRUE(application.decision.decider.empty());
  ASSERT_OK(
      Admit(application, SampleProgramme(), PersonsDecision(), "", Now()));
}

struct BadApplication {
  std::string what;
  std::function<void(Application&)> spoil;
  std::string field;
  Reason reason;
};

TEST(ApplicationValidationTest, NamesTheFieldAndTheReason) {
  const std::vector<BadApplication> cases = {
      {"no given name", [](Application& a) { a.given_name.clear(); },
       "application.candidate.given_name", Reason::kFieldRequired},
      {"no family name", [](Application& a) { a.family_name = " "; },
       "application.candidate.family_name", Reason::kFieldRequired},
      {"no e-mail", [](Application& a) { a.email.clear(); },
       "application.candidate.email", Reason::kFieldRequired},
      {"bad e-mail", [](Application& a) { a.email = "une"; },
       "application.candidate.email", Reason::kFieldMalformed},
      {"bad phone", [](Application& a) { a.phone = "zéro un"; },
       "application.candidate.phone", Reason::kFieldMalformed},
      {"negative level",
       [](Application& a) { a.qualification.years_after_bac = -1; },
       "application.candidate.years_after_bac", Reason::kFieldNegative},
      {"negative experience",
       [](Application& a) { a.qualification.experience_years = -1; },
       "application.candidate.experience_years", Reason::kFieldNegative},
      {"negative volunteering",
       [](Application& a) { a.qualification.volunteering_years = -1; },
       "application.candidate.volunteering_years", Reason::kFieldNegative},
      {"unknown funder", [](Application& a) { a.payer.funder_id = "inconnu"; },
       "application.payer.funder_id", Reason::kUnknownReference},
  };
  for (const BadApplication& bad : cases) {
    SCOPED_TRACE(bad.what);
    Application application = SampleApplication();
    bad.spoil(application);
    FieldViolations violations;
    Validate(application, SampleCohort(), violations);
    const absl::Status status = violations.ToStatus();
    EXPECT_THAT(status, HasReason(bad.reason));
    EXPECT_THAT(ViolatedFields(status), testing::ElementsAre(bad.field));
  }
}

TEST(ApplicationValidationTest, AnEmployerAndItsOpcoAreOrganisations) {
  for (const PayerKind kind : AllOf<PayerKind>()) {
    SCOPED_TRACE(NameOf(kind));
    Payer payer;
    payer.kind = kind;
    const bool needs_organisation = kind == PayerKind::kEmployer ||
                                    kind == PayerKind::kPublicEmployer ||
                                    kind == PayerKind::kOpco;
    const absl::Status alone = CheckPayer(payer, SampleCohort(), "payer.");
    if (needs_organisation) {
      EXPECT_THAT(alone, HasReason(Reason::kFieldRequired));
      EXPECT_THAT(alone, ViolatesField("payer.organisation"));
    } else {
      EXPECT_OK(alone);
    }
    payer.organisation =
        OrganisationName::FromRecord("bodies/essai/organisations/employeur");
    EXPECT_OK(CheckPayer(payer, SampleCohort(), "payer."));
  }
}

TEST(PayerTest, IsTheSamePartyWhoeverFundsIt) {
  const Payer opco{.kind = PayerKind::kOpco,
                   .organisation = OrganisationName::FromRecord(
                       "bodies/essai/organisations/une"),
                   .funder_id = "afdas"};
  Payer other = opco;
  other.funder_id = "opcommerce";
  EXPECT_TRUE(IsSameParty(opco, other));
  other.kind = PayerKind::kEmployer;
  EXPECT_FALSE(IsSameParty(opco, other));
  other = opco;
  other.organisation =
      OrganisationName::FromRecord("bodies/essai/organisations/deux");
  EXPECT_FALSE(IsSameParty(opco, other));
}

}  // namespace
}  // namespace parcours::enrolment
