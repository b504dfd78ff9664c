#include "services/enrolment/domain/application.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "common/text/case_fold.h"
#include "common/text/view.h"
#include "common/time/french_calendar.h"

namespace parcours::enrolment {
namespace {

bool NeedsOrganisation(PayerKind payer) {
  return payer == PayerKind::kEmployer || payer == PayerKind::kPublicEmployer ||
         payer == PayerKind::kOpco;
}

void AddPayerViolations(const Payer& payer, const Cohort& cohort,
                        std::string_view prefix, FieldViolations& violations) {
  if (NeedsOrganisation(payer.kind) && payer.organisation.empty()) {
    violations.Add(Cat(prefix, "organisation"), Reason::kFieldRequired);
  }
  if (!payer.funder_id.empty() &&
      FindFunder(cohort, payer.funder_id) == nullptr) {
    violations.Add(Cat(prefix, "funder_id"), Reason::kUnknownReference);
  }
}

bool IsUnderReview(const Application& application) {
  return application.review_state == ReviewState::kAwaitingPieces ||
         application.review_state == ReviewState::kReceived;
}

std::vector<Piece>::iterator FindPiece(Application& application,
                                       PieceKind kind) {
  return std::find_if(
      application.pieces.begin(), application.pieces.end(),
      [kind](const Piece& piece) { return piece.kind == kind; });
}

}  // namespace

std::string CandidateKey(const Application& application) {
  return Cat(text::CaseFold(application.email), "\n",
             text::CaseFold(application.family_name), "\n",
             text::CaseFold(application.given_name));
}

void Validate(const Application& application, const Cohort& cohort,
              FieldViolations& violations) {
  Person candidate;
  candidate.given_name = application.given_name;
  candidate.family_name = application.family_name;
  candidate.email = application.email;
  candidate.phone = application.phone;
  Validate(candidate, "application.candidate.", violations);
  const auto check_years = [&](std::string_view field, int64_t years) {
    if (years < 0) {
      violations.Add(Cat("application.candidate.", field),
                     Reason::kFieldNegative);
    }
  };
  check_years("years_after_bac", application.qualification.years_after_bac);
  check_years("experience_years", application.qualification.experience_years);
  check_years("volunteering_years",
              application.qualification.volunteering_years);
  AddPayerViolations(application.payer, cohort, "application.payer.",
                     violations);
}

bool IsSameParty(const Payer& one, const Payer& other) {
  return one.kind == other.kind && one.organisation == other.organisation;
}

absl::Status CheckPayer(const Payer& payer, const Cohort& cohort,
                        std::string_view prefix) {
  FieldViolations violations;
  AddPayerViolations(payer, cohort, prefix, violations);
  return violations.ToStatus();
}

bool MeetsAccessConditions(const Qualification& qualification,
                           const AccessConditions& conditions,
                           const rules::DatedRule& volunteering_counts) {
  const bool nothing_asked = !conditions.years_after_bac.has_value() &&
                             !conditions.experience_years.has_value();
  if (nothing_asked) return true;
  const bool level_reached =
      conditions.years_after_bac.has_value() &&
      qualification.years_after_bac >= *conditions.years_after_bac;
  const int64_t experience =
      qualification.experience_years +
      (volunteering_counts.IsSet() ? qualification.volunteering_years : 0);
  const bool experience_reached = conditions.experience_years.has_value() &&
                                  experience >= *conditions.experience_years;
  return level_reached || experience_reached;
}

std::vector<PieceKind> MissingPieces(const Application& application,
                                     const Programme& programme) {
  std::vector<PieceKind> missing;
  for (PieceKind kind : programme.required_pieces) {
    const bool there =
        std::any_of(application.pieces.begin(), application.pieces.end(),
                    [kind](const Piece& piece) {
                      return piece.kind == kind && !piece.unreadable;
                    });
    if (!there) missing.push_back(kind);
  }
  return missing;
}

absl::Status IllegalReview(const Application& application,
                           std::string_view action) {
  return MakeError(Reason::kIllegalTransition,
                   {{"resource", application.name.text()},
                    {"state", std::string(NameOf(application.review_state))},
                    {"action", std::string(action)}});
}

absl::Status AttachPiece(Application& application, const Programme& programme,
                         Piece piece) {
  if (!IsUnderReview(application)) {
    return IllegalReview(application, "AttachPiece");
  }
  auto known = FindPiece(application, piece.kind);
  if (known == application.pieces.end()) {
    application.pieces.push_back(std::move(piece));
  } else {
    *known = std::move(piece);
  }
  if (application.review_state == ReviewState::kAwaitingPieces &&
      MissingPieces(application, programme).empty()) {
    application.review_state = ReviewState::kReceived;
    application.pieces_due_time.reset();
  }
  return absl::OkStatus();
}

absl::Status RequestPiece(Application& application, const Cohort& cohort,
                          PieceKind kind, const rules::DatedRule& grace,
                          absl::Time now) {
  auto piece = FindPiece(application, kind);
  if (!IsUnderReview(application) || piece == application.pieces.end()) {
    return IllegalReview(application, "RequestPiece");
  }
  piece->unreadable = true;
  application.review_state = ReviewState::kAwaitingPieces;
  // Without a rank there is nothing that time could take away.
  if (application.rank != 0) {
    application.pieces_due_time =
        EndOfDay(cohort, AddWorkingDays(LocalDay(cohort, now), grace.value));
  }
  return absl::OkStatus();
}

absl::Status Admit(Application& application, const Programme& programme,
                   const Decision& decision,
                   const std::string& derogation_proof, absl::Time now) {
  if (application.review_state == ReviewState::kAwaitingPieces) {
    return MakeError(
        Reason::kFileIncomplete,
        {{"missing", absl::StrJoin(MissingPieces(application, programme), ", ",
                                   [](std::string* text, PieceKind kind) {
                                     CatTo(*text, NameOf(kind));
                                   })}});
  }
  if (application.review_state != ReviewState::kReceived) {
    return IllegalReview(application, "AdmitApplication");
  }
  const bool derogation = !application.meets_access_conditions;
  if (derogation && absl::StripAsciiWhitespace(derogation_proof).empty()) {
    return MakeError(Reason::kAccessConditionsNotMet,
                     {{"conditions", "level or experience as declared"}});
  }
  application.review_state = ReviewState::kAdmitted;
  application.decision = {.decider = decision.decider,
                          .reason = decision.reason,
                          .decision_time = now,
                          .derogation = derogation,
                          .derogation_proof = derogation_proof};
  return absl::OkStatus();
}

absl::Status Refuse(Application& application, const Decision& decision,
                    absl::Time now) {
  const bool open = application.review_state == ReviewState::kAwaitingPieces ||
                    application.review_state == ReviewState::kReceived ||
                    application.review_state == ReviewState::kAdmitted;
  if (!open || application.place_state == PlaceState::kConfirmed) {
    return IllegalReview(application, "RefuseApplication");
  }
  application.review_state = ReviewState::kRefused;
  application.pieces_due_time.reset();
  application.decision = {.decider = decision.decider,
                          .reason = decision.reason,
                          .decision_time = now,
                          .derogation = false,
                          .derogation_proof = ""};
  return absl::OkStatus();
}

absl::Status Reopen(Application& application) {
  if (application.review_state != ReviewState::kRefused) {
    return IllegalReview(application, "ReopenApplication");
  }
  application.review_state = ReviewState::kReceived;
  application.decision = {};
  return absl::OkStatus();
}

absl::Status Withdraw(Application& application) {
  if (application.review_state == ReviewState::kWithdrawn ||
      application.review_state == ReviewState::kRefused ||
      application.place_state == PlaceState::kConfirmed) {
    return IllegalReview(application, "WithdrawApplication");
  }
  application.review_state = ReviewState::kWithdrawn;
  application.pieces_due_time.reset();
  return absl::OkStatus();
}

}  // namespace parcours::enrolment
