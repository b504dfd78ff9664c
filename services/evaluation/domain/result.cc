#include "services/evaluation/domain/result.h"

#include <algorithm>

#include "absl/time/civil_time.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/time/clock.h"

namespace parcours::evaluation {
namespace {

ResultOutcome OutcomeOf(DecisionOutcome outcome) {
  switch (outcome) {
    case DecisionOutcome::kAwarded:
      return ResultOutcome::kAwarded;
    case DecisionOutcome::kDeferred:
      return ResultOutcome::kDeferred;
    case DecisionOutcome::kRefused:
      return ResultOutcome::kRefused;
  }
  return ResultOutcome::kDeferred;
}

// The day with the same number `months` later, or the last of a shorter month
// (code de procédure civile, article 641).
absl::CivilDay MonthsAfter(absl::CivilDay day, int64_t months) {
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return std::min(last, absl::CivilDay(month) + (day.day() - 1));
}

}  // namespace

Result CompletedResult(const EnrolmentFacts& enrolment, absl::Time now) {
  Result result;
  result.name = ResultOf(enrolment.name);
  result.enrolment = enrolment.name;
  result.person = enrolment.person;
  result.person_display_name = enrolment.display_name;
  result.proclaim_time = now;
  return result;
}

void Proclaim(const Decision& decision, const EnrolmentFacts& enrolment,
              absl::Time now, Result& result) {
  result.name = ResultOf(decision.enrolment);
  result.enrolment = decision.enrolment;
  result.person = enrolment.person;
  result.person_display_name = enrolment.display_name;
  result.outcome = OutcomeOf(decision.outcome);
  result.decision = decision.name;
  result.proclaim_time = now;
}

bool AwaitsJury(const std::optional<Result>& result) {
  return !result.has_value() || result->outcome == ResultOutcome::kDeferred;
}

absl::StatusOr<AppealPeriod> AppealPeriodOf(const Result& result,
                                            const rules::RuleBook& rules) {
  const absl::CivilDay proclaimed = ParisDay(result.proclaim_time);
  ASSIGN_OR_RETURN(const rules::DatedRule period,
                   rules.AsOf("certification.appeal", proclaimed));
  return AppealPeriod{.last_day = MonthsAfter(proclaimed, period.value),
                      .article = period.article};
}

absl::Status CheckAppeal(const Appeal& appeal, const Result& result,
                         const rules::RuleBook& rules, absl::Time now) {
  if (appeal.statement.empty()) {
    return MakeFieldError("appeal.statement", Reason::kReasonRequired);
  }
  if (appeal.decision.empty() || result.decision != appeal.decision) {
    return MakeFieldError("appeal.decision", Reason::kUnknownReference);
  }
  ASSIGN_OR_RETURN(const AppealPeriod period, AppealPeriodOf(result, rules));
  if (ParisDay(now) > period.last_day) {
    return MakeError(Reason::kAppealPeriodOver,
                     {{"ended", absl::FormatCivilTime(period.last_day)},
                      {"article", period.article}});
  }
  return absl::OkStatus();
}

absl::Status AnswerAppeal(Appeal& appeal, bool upheld,
                          const std::string& answer,
                          const std::string& answered_by, absl::Time now) {
  if (appeal.state != AppealState::kLodged) {
    return MakeError(Reason::kIllegalTransition,
                     {{"resource", appeal.name.text()},
                      {"state", std::string(NameOf(appeal.state))},
                      {"action", "AnswerAppeal"}});
  }
  if (answer.empty()) {
    return MakeFieldError("answer", Reason::kReasonRequired);
  }
  appeal.state = upheld ? AppealState::kUpheld : AppealState::kDismissed;
  appeal.answer = answer;
  appeal.answered_by = answered_by;
  appeal.answer_time = now;
  return absl::OkStatus();
}

}  // namespace parcours::evaluation
