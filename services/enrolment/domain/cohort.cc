#include "services/enrolment/domain/cohort.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::enrolment {
namespace {

absl::TimeZone ZoneOf(const Cohort& cohort) {
  absl::TimeZone zone;
  absl::LoadTimeZone(cohort.time_zone, &zone);
  return zone;
}

std::string Print(absl::CivilDay day) { return absl::FormatCivilTime(day); }

// An error carries its metadata three times, twice inside its texts, and must
// fit into what a client receives.
constexpr std::size_t kMostListedBytes = 400;

// The names, or the first of them and how many more there are.
std::string Listed(const std::vector<std::string>& names) {
  std::string listed;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (listed.size() + names[i].size() > kMostListedBytes) {
      return Cat(listed, ", … +", names.size() - i);
    }
    CatTo(listed, i == 0 ? "" : ", ", names[i]);
  }
  return listed;
}

const PriceLine* FindPrice(const Cohort& cohort, PayerKind payer) {
  auto line = std::find_if(
      cohort.prices.begin(), cohort.prices.end(),
      [payer](const PriceLine& price) { return price.payer_kind == payer; });
  return line == cohort.prices.end() ? nullptr : &*line;
}

void CheckOrder(std::string_view prefix, std::string_view earlier_field,
                absl::CivilDay earlier, std::string_view field,
                absl::CivilDay later, FieldViolations& violations) {
  if (later < earlier) {
    violations.Add(Cat(prefix, field), Reason::kDatesOutOfOrder,
                   {{"earlier", Cat(prefix, earlier_field)}});
  }
}

}  // namespace

void Validate(const Decision& decision, bool reason_required,
              FieldViolations& violations) {
  if (absl::StripAsciiWhitespace(decision.decider).empty()) {
    violations.Add("decider", Reason::kDeciderNotAPerson);
  }
  if (reason_required && absl::StripAsciiWhitespace(decision.reason).empty()) {
    violations.Add("reason", Reason::kReasonRequired);
  }
}

void Validate(const Programme& programme, std::string_view prefix,
              FieldViolations& violations) {
  const auto check = [&](std::string_view field, std::optional<int64_t> value) {
    if (value.has_value() && *value < 0) {
      violations.Add(Cat(prefix, "access_conditions.", field),
                     Reason::kFieldNegative);
    }
  };
  check("minimum_level_years_after_bac",
        programme.access_conditions.years_after_bac);
  check("minimum_experience_years",
        programme.access_conditions.experience_years);
}

void Validate(const Cohort& cohort, std::string_view prefix,
              FieldViolations& violations) {
  const auto field = [&](std::string_view name) { return Cat(prefix, name); };
  if (cohort.minimum < 1) {
    violations.Add(field("minimum"), Reason::kFieldOutOfRange,
                   {{"minimum", "1"}, {"maximum", field("capacity")}});
  }
  if (cohort.capacity < cohort.minimum) {
    violations.Add(field("capacity"), Reason::kFieldOutOfRange,
                   {{"minimum", field("minimum")}, {"maximum", "100000"}});
  }
  if (absl::TimeZone zone; !absl::LoadTimeZone(cohort.time_zone, &zone)) {
    violations.Add(field("time_zone"), Reason::kFieldMalformed,
                   {{"expected", "an IANA time zone"}});
  }
  CheckOrder(prefix, "application_open_date", cohort.application_open_date,
             "application_close_date", cohort.application_close_date,
             violations);
  CheckOrder(prefix, "start_date", cohort.start_date, "end_date",
             cohort.end_date, violations);
  CheckOrder(prefix, "application_open_date", cohort.application_open_date,
             "start_date", cohort.start_date, violations);
  CheckOrder(prefix, "entry_cutoff_date", cohort.entry_cutoff_date, "end_date",
             cohort.end_date, violations);
  const auto check_not_negative = [&](std::string_view name,
                                      std::optional<int64_t> value) {
    if (value.has_value() && *value < 0) {
      violations.Add(field(name), Reason::kFieldNegative);
    }
  };
  check_not_negative("commitment_deadline_days",
                     cohort.commitment_deadline_days);
  check_not_negative("offer_validity_hours", cohort.offer_validity_hours);
  for (std::size_t i = 0; i < cohort.prices.size(); ++i) {
    const PriceLine& line = cohort.prices[i];
    const std::string path = Cat(prefix, "prices[", i, "].");
    if (line.amount_cents.has_value() && *line.amount_cents < 0) {
      violations.Add(path + "amount_cents", Reason::kFieldNegative);
    }
    if (FindPrice(cohort, line.payer_kind) != &line) {
      violations.Add(path + "payer_kind", Reason::kFieldMalformed,
                     {{"expected", "named once"}});
    }
  }
  for (std::size_t i = 0; i < cohort.funders.size(); ++i) {
    const std::string path = Cat(prefix, "funders[", i, "].id");
    if (cohort.funders[i].id.empty()) {
      violations.Add(path, Reason::kFieldRequired);
    } else if (FindFunder(cohort, cohort.funders[i].id) != &cohort.funders[i]) {
      violations.Add(path, Reason::kFieldMalformed,
                     {{"expected", "named once"}});
    }
  }
}

absl::CivilDay LocalDay(const Cohort& cohort, absl::Time now) {
  return absl::ToCivilDay(now, ZoneOf(cohort));
}

absl::Time EndOfDay(const Cohort& cohort, absl::CivilDay day) {
  return absl::FromCivil(day + 1, ZoneOf(cohort));
}

bool EntryIsOpen(const Cohort& cohort, absl::Time now) {
  return LocalDay(cohort, now) <= cohort.entry_cutoff_date;
}

bool Runs(const Cohort& cohort) {
  switch (cohort.state) {
    case CohortState::kOpen:
    case CohortState::kConfirmed:
    case CohortState::kUnderWay:
      return true;
    case CohortState::kDraft:
    case CohortState::kEnded:
    case CohortState::kPostponed:
    case CohortState::kCancelled:
      return false;
  }
  return false;
}

absl::Status CheckRuns(const Cohort& cohort) {
  if (Runs(cohort)) return absl::OkStatus();
  return MakeError(Reason::kCohortNotOpen,
                   {{"state", std::string(NameOf(cohort.state))}});
}

absl::Status CheckReceivesApplications(const Cohort& cohort, absl::Time now) {
  RETURN_IF_ERROR(CheckRuns(cohort));
  const absl::CivilDay today = LocalDay(cohort, now);
  if (today < cohort.application_open_date) {
    return MakeError(Reason::kWindowNotOpen,
                     {{"opens", Print(cohort.application_open_date)}});
  }
  if (today > cohort.application_close_date) {
    return MakeError(Reason::kWindowClosed,
                     {{"closed", Print(cohort.application_close_date)}});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<int64_t>> PriceFor(const Cohort& cohort,
                                                PayerKind payer) {
  const PriceLine* line = FindPrice(cohort, payer);
  const bool pays_as_employer =
      payer == PayerKind::kOpco || payer == PayerKind::kPublicEmployer;
  if (line == nullptr && pays_as_employer) {
    line = FindPrice(cohort, PayerKind::kEmployer);
  }
  if (line == nullptr) {
    return MakeError(Reason::kPriceUnknown,
                     {{"payer", std::string(NameOf(payer))}});
  }
  return line->amount_cents;
}

const Funder* FindFunder(const Cohort& cohort, std::string_view id) {
  auto funder =
      std::find_if(cohort.funders.begin(), cohort.funders.end(),
                   [id](const Funder& known) { return known.id == id; });
  return funder == cohort.funders.end() ? nullptr : &*funder;
}

absl::Status Open(Cohort& cohort) {
  if (cohort.state != CohortState::kDraft &&
      cohort.state != CohortState::kPostponed) {
    return MakeError(Reason::kIllegalTransition,
                     {{"resource", cohort.name.text()},
                      {"state", std::string(NameOf(cohort.state))},
                      {"action", "OpenCohort"}});
  }
  cohort.state = CohortState::kOpen;
  cohort.go_decision = GoDecision::kUndecided;
  return absl::OkStatus();
}

absl::Status Decide(Cohort& cohort, GoDecision decision,
                    const Decision& decided, const GoNoGoCounts& counts,
                    absl::Time now) {
  if (cohort.state != CohortState::kOpen &&
      cohort.state != CohortState::kConfirmed) {
    return MakeError(Reason::kIllegalTransition,
                     {{"resource", cohort.name.text()},
                      {"state", std::string(NameOf(cohort.state))},
                      {"action", std::string(NameOf(decision))}});
  }
  if (decision == GoDecision::kGo && counts.confirmed() < cohort.minimum) {
    return MakeError(Reason::kBelowMinimum,
                     {{"confirmed", Cat(counts.confirmed())},
                      {"minimum", Cat(cohort.minimum)}});
  }
  switch (decision) {
    case GoDecision::kUndecided:
      return MakeFieldError("decision", Reason::kFieldRequired);
    case GoDecision::kGo:
    case GoDecision::kGoBelowMinimum:
      cohort.state = CohortState::kConfirmed;
      break;
    case GoDecision::kPostpone:
      cohort.state = CohortState::kPostponed;
      break;
    case GoDecision::kCancel:
      cohort.state = CohortState::kCancelled;
      break;
  }
  cohort.go_decision = decision;
  cohort.go_decision_time = now;
  cohort.go_decider = decided.decider;
  cohort.go_reason = decided.reason;
  return absl::OkStatus();
}

std::optional<absl::Time> NextStepTime(const Cohort& cohort) {
  switch (cohort.state) {
    case CohortState::kConfirmed:
      return absl::FromCivil(cohort.start_date, ZoneOf(cohort));
    case CohortState::kUnderWay:
      return EndOfDay(cohort, cohort.end_date);
    case CohortState::kDraft:
    case CohortState::kOpen:
    case CohortState::kEnded:
    case CohortState::kPostponed:
    case CohortState::kCancelled:
      return std::nullopt;
  }
  return std::nullopt;
}

void StepOn(Cohort& cohort) {
  cohort.state = cohort.state == CohortState::kConfirmed
                     ? CohortState::kUnderWay
                     : CohortState::kEnded;
}

absl::Status CheckCapacity(int64_t capacity, const PlaceCounts& counts,
                           const std::vector<std::string>& holders) {
  if (capacity >= counts.taken()) return absl::OkStatus();
  return MakeError(Reason::kCapacityBelowHeld, {{"capacity", Cat(capacity)},
                                                {"held", Cat(counts.taken())},
                                                {"holders", Listed(holders)}});
}

}  // namespace parcours::enrolment
