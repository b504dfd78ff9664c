#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_RESULT_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/rules/rule_book.h"
#include "common/types/enum_names.h"
#include "services/evaluation/domain/jury.h"
#include "services/evaluation/domain/names.h"
#include "services/evaluation/domain/roster.h"

namespace parcours::evaluation {

enum class ResultOutcome { kCompleted, kAwarded, kDeferred, kRefused };

// What came out for one enrolment. Changes only by a later decision.
struct Result {
  ResultName name;
  EnrolmentName enrolment;
  PersonName person;
  std::string person_display_name;
  ResultOutcome outcome = ResultOutcome::kCompleted;
  DecisionName decision;        // empty without a jury
  CertificateName certificate;  // empty without an award
  absl::Time proclaim_time;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

enum class AppealGround { kMaterialError, kIrregularity };

// LODGED → UPHELD | DISMISSED.
enum class AppealState { kLodged, kUpheld, kDismissed };

struct Appeal {
  AppealName name;
  DecisionName decision;
  // Whose result it is about.
  EnrolmentName enrolment;
  PersonName person;
  AppealGround ground = AppealGround::kMaterialError;
  std::string statement;
  AppealState state = AppealState::kLodged;
  std::string answer;
  std::string answered_by;
  std::optional<absl::Time> answer_time;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

// The result of somebody who has followed a course without a jury.
Result CompletedResult(const EnrolmentFacts& enrolment, absl::Time now);

// Makes `result` say what a decision of just closed minutes says.
void Proclaim(const Decision& decision, const EnrolmentFacts& enrolment,
              absl::Time now, Result& result);

// Whether the next jury sees the learner: no result yet, or a deferral.
bool AwaitsJury(const std::optional<Result>& result);

// Until when the decision of a result may be appealed.
struct AppealPeriod {
  absl::CivilDay last_day;
  std::string article;
};

// The months of certification.appeal after the day on which `result` was
// proclaimed.
absl::StatusOr<AppealPeriod> AppealPeriodOf(const Result& result,
                                            const rules::RuleBook& rules);

// OK while the decision of `result` may be appealed: APPEAL_PERIOD_OVER after
// the months of certification.appeal, REASON_REQUIRED, UNKNOWN_REFERENCE when
// the appeal is not about the decision in force.
absl::Status CheckAppeal(const Appeal& appeal, const Result& result,
                         const rules::RuleBook& rules, absl::Time now);

// ILLEGAL_TRANSITION once answered; REASON_REQUIRED.
absl::Status AnswerAppeal(Appeal& appeal, bool upheld,
                          const std::string& answer,
                          const std::string& answered_by, absl::Time now);

}  // namespace parcours::evaluation

namespace parcours {

template <>
struct EnumNames<evaluation::ResultOutcome> {
  static constexpr std::string_view values[] = {"COMPLETED", "AWARDED",
                                                "DEFERRED", "REFUSED"};
};

template <>
struct EnumNames<evaluation::AppealGround> {
  static constexpr std::string_view values[] = {"MATERIAL_ERROR",
                                                "IRREGULARITY"};
};

template <>
struct EnumNames<evaluation::AppealState> {
  static constexpr std::string_view values[] = {"LODGED", "UPHELD",
                                                "DISMISSED"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_RESULT_H_
