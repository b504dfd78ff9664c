#ifndef PARCOURS_SERVICES_ENROLMENT_GENERATION_GENERATION_H_
#define PARCOURS_SERVICES_ENROLMENT_GENERATION_GENERATION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/storage/database.h"

namespace parcours::enrolment {

// A participation that was made up, in words that other services understand.
// The enums are those of the contract by name, without their prefix.
struct GeneratedEnrolment {
  std::string name;
  std::string person;
  std::string display_name;
  std::string state;
  std::string payer_kind;
  std::string organisation;
  std::string funder_id;
  absl::Time enrol_time;
  std::optional<absl::CivilDay> end_date;
};

struct GeneratedCohort {
  std::string name;
  std::string programme;
  std::string display_name;
  std::string time_zone;
  // "DRAFT", "OPEN", "CONFIRMED", "UNDER_WAY" or "ENDED".
  std::string state;
  absl::CivilDay start_date;
  absl::CivilDay end_date;
  std::vector<std::string> module_ids;
  int64_t programme_minutes = 0;
  std::vector<GeneratedEnrolment> enrolments;
};

struct GenerationOptions {
  int64_t applications = 0;
  int64_t bodies = 1;
  uint64_t seed = 0;
  // Business time at which everything stands as it is made up.
  absl::Time now;
  // That write at the same time; what is written does not depend on it.
  int threads = 2;
  // Told how many applications are committed; on any thread, one at a time.
  std::function<void(int64_t)> progress;
  // Told of each cohort once it is committed; likewise. What it returns ends
  // the work.
  std::function<absl::Status(const GeneratedCohort&)> on_cohort;
};

struct GenerationSummary {
  int64_t bodies = 0;
  int64_t cohorts = 0;
  int64_t persons = 0;
  int64_t applications = 0;
  int64_t agreements = 0;
  int64_t enrolments = 0;
};

// Fills an empty database of enrolment with made-up bodies and people, as the
// service itself would have written them: through its store, with feed,
// ownership and audit trail. The same options make the same resources; only
// secrets, salts and real times differ. Applications stand in cohorts of 20 to
// 80, about 50, so that with more of them there are more cohorts and not
// larger ones.
//
// FAILED_PRECONDITION from storage::CheckTakesMadeUpData; errors of Transact,
// after which what was committed stays: the database is then to be thrown away.
absl::StatusOr<GenerationSummary> Generate(storage::Database& database,
                                           const GenerationOptions& options);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_GENERATION_GENERATION_H_
