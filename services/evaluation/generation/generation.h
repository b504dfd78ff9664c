#ifndef PARCOURS_SERVICES_EVALUATION_GENERATION_GENERATION_H_
#define PARCOURS_SERVICES_EVALUATION_GENERATION_GENERATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/access/caller.h"
#include "common/storage/database.h"
#include "services/evaluation/domain/roster.h"
#include "services/evaluation/store/sql_evaluation_store.h"

namespace parcours::evaluation {

// A cohort as enrolment states it, whose learners are assessed.
struct MadeUpCourse {
  CohortName cohort;
  absl::CivilDay end_date;
  // Whether the first days lie behind.
  bool begun = false;
  std::vector<EnrolmentFacts> enrolments;
};

struct GenerationSummary {
  int64_t roster_entries = 0;
  int64_t notes = 0;
};

// Fills an empty database of evaluation with made-up assessment plans, rosters
// and validation notes, through its store. Not thread-safe.
class Generation {
 public:
  // `database` outlives this. Everything is made at the business time `now`.
  Generation(storage::Database& database, uint64_t seed, absl::Time now)
      : database_(database), store_(database), seed_(seed), now_(now) {}

  // Before anything else: storage::CheckTakesMadeUpData.
  absl::Status Begin();

  // The plan of one cohort, and its roster; of every other that has begun,
  // notes whose subjects are proposed or approved. Errors of Transact.
  absl::Status Add(const MadeUpCourse& course);

  // The copy stands at `enrolment_token` of enrolment's feed.
  absl::Status Finish(const std::string& enrolment_token);

  const GenerationSummary& summary() const { return summary_; }

 private:
  absl::Status Change(absl::FunctionRef<absl::Status(EvaluationUnit&)> body);

  storage::Database& database_;
  SqlEvaluationStore store_;
  const uint64_t seed_;
  const absl::Time now_;
  int64_t courses_ = 0;
  // Those of them that had begun.
  int64_t begun_ = 0;
  GenerationSummary summary_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_GENERATION_GENERATION_H_
