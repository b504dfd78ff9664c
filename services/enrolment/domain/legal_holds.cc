#include "services/enrolment/domain/legal_holds.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/time/clock.h"

namespace parcours::enrolment {
namespace {

using privacy::HoldFrom;
using privacy::HoldWhileUnderWay;
using privacy::LegalHold;

// An error carries its metadata three times, twice inside its texts, and must
// fit into what a client receives.
constexpr std::size_t kMostListedBytes = 600;

// The texts, or the first of them and how many more there are.
std::string Listed(const std::vector<std::string>& texts,
                   std::string_view separator) {
  std::string listed;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0 && listed.size() + texts[i].size() > kMostListedBytes) {
      return Cat(listed, separator, "… +", texts.size() - i);
    }
    CatTo(listed, i == 0 ? "" : separator, texts[i]);
  }
  return listed;
}

bool HasPlaceOrWaits(PlaceState state) {
  return state != PlaceState::kNone && state != PlaceState::kReleased;
}

// What was signed has to be shown with the accounts; a contract that was
// withdrawn from before anything was asked has left nothing in them.
bool IsAccountingPiece(const Agreement& agreement) {
  const bool priced = agreement.price_cents.value_or(0) > 0;
  const bool undone = agreement.state == AgreementState::kWithdrawn &&
                      agreement.requested_cents == 0;
  return agreement.sign_time.has_value() && priced && !undone;
}

// The accounting year is the calendar year.
absl::CivilDay CloseOfAccounts(absl::CivilDay day) {
  return absl::CivilDay(absl::CivilYear(day) + 1) - 1;
}

// `resource` is held until it is known when its course ended.
void AddHold(std::vector<LegalHold>& holds, const Cohort* cohort,
             const std::string& resource,
             const std::function<LegalHold(const Cohort&)>& hold) {
  holds.push_back(cohort == nullptr ? HoldWhileUnderWay(resource)
                                    : hold(*cohort));
}

}  // namespace

const Cohort* FindCohort(const PersonRecord& record, const CohortName& name) {
  const auto found =
      std::find_if(record.cohorts.begin(), record.cohorts.end(),
                   [&](const Cohort& cohort) { return cohort.name == name; });
  return found == record.cohorts.end() ? nullptr : &*found;
}

bool IsOver(const Cohort& cohort, absl::Time now) {
  switch (cohort.state) {
    case CohortState::kCancelled:
    case CohortState::kEnded:
      return true;
    case CohortState::kPostponed:
      return false;
    case CohortState::kDraft:
    case CohortState::kOpen:
    case CohortState::kConfirmed:
    case CohortState::kUnderWay:
      return LocalDay(cohort, now) > cohort.end_date;
  }
  return false;
}

bool IsUnderWay(const Application& application, const Cohort& cohort,
                absl::Time now) {
  const bool undecided =
      application.review_state == ReviewState::kAwaitingPieces ||
      application.review_state == ReviewState::kReceived;
  return (undecided || HasPlaceOrWaits(application.place_state)) &&
         !IsOver(cohort, now);
}

bool IsFunded(const Enrolment& enrolment) {
  switch (enrolment.payer_kind) {
    case PayerKind::kOpco:
    case PayerKind::kCpf:
    case PayerKind::kFranceTravail:
    case PayerKind::kTransitionsPro:
    case PayerKind::kSelfEmployedFund:
    case PayerKind::kElectedOfficial:
      return true;
    case PayerKind::kIndividual:
    case PayerKind::kEmployer:
    case PayerKind::kPublicEmployer:
      return !enrolment.funder_id.empty();
  }
  return true;
}

absl::StatusOr<std::vector<LegalHold>> LegalHoldsOn(
    const PersonRecord& record, const rules::RuleBook& rules, absl::Time now) {
  const absl::CivilDay today = ParisDay(now);
  ASSIGN_OR_RETURN(const rules::DatedRule accounting,
                   rules.AsOf("retention.accounting", today));
  ASSIGN_OR_RETURN(const rules::DatedRule funding,
                   rules.AsOf("retention.funding_pieces", today));

  std::vector<LegalHold> holds;
  for (const UploadName& upload : record.uploads) {
    holds.push_back(HoldWhileUnderWay(upload.text()));
  }
  for (const Application& application : record.applications) {
    const Cohort* cohort = FindCohort(record, application.cohort);
    if (cohort == nullptr || IsUnderWay(application, *cohort, now)) {
      holds.push_back(HoldWhileUnderWay(application.name.text()));
    }
  }
  for (const Agreement& agreement : record.agreements) {
    if (!IsAccountingPiece(agreement)) continue;
    AddHold(holds, FindCohort(record, agreement.cohort), agreement.name.text(),
            [&](const Cohort& cohort) {
              return HoldFrom("accounting", agreement.name.text(),
                              CloseOfAccounts(cohort.end_date), accounting);
            });
  }
  for (const Enrolment& enrolment : record.enrolments) {
    if (IsActive(enrolment)) {
      holds.push_back(HoldWhileUnderWay(enrolment.name.text()));
    } else if (IsFunded(enrolment)) {
      AddHold(holds, FindCohort(record, enrolment.cohort),
              enrolment.name.text(), [&](const Cohort& cohort) {
                return HoldFrom("funding_pieces", enrolment.name.text(),
                                enrolment.end_date.value_or(cohort.end_date),
                                funding);
              });
    }
  }
  return InForce(std::move(holds), today);
}

absl::Status CheckMayErase(std::vector<LegalHold> holds) {
  holds = privacy::Merged(std::move(holds));
  std::vector<std::string> under_way;
  std::vector<std::string> dated;
  absl::CivilDay latest = absl::CivilDay::min();
  for (const LegalHold& hold : holds) {
    if (!hold.until.has_value()) {
      under_way.push_back(hold.resource);
      continue;
    }
    dated.push_back(Cat(hold.resource, " (", hold.article, ", ",
                        absl::FormatCivilTime(*hold.until), ")"));
    latest = std::max(latest, *hold.until);
  }
  if (!under_way.empty()) {
    return MakeError(Reason::kPersonUnderWay,
                     {{"resources", Listed(under_way, ", ")}});
  }
  if (dated.empty()) return absl::OkStatus();
  return MakeError(Reason::kLegalHold,
                   {{"until", absl::FormatCivilTime(latest)},
                    {"holds", Listed(dated, "; ")}});
}

}  // namespace parcours::enrolment
