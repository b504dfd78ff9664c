#ifndef PARCOURS_SERVICES_SCHEDULING_GENERATION_GENERATION_H_
#define PARCOURS_SERVICES_SCHEDULING_GENERATION_GENERATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/access/caller.h"
#include "common/storage/database.h"
#include "services/scheduling/domain/enrolment_port.h"
#include "services/scheduling/domain/roster.h"
#include "services/scheduling/store/sql_scheduling_store.h"

namespace parcours::scheduling {

// A cohort as enrolment states it, whose course has a calendar.
struct MadeUpCourse {
  CohortFacts cohort;
  absl::CivilDay start_date;
  // Whether the first days lie behind.
  bool begun = false;
  std::vector<EnrolmentFacts> enrolments;
};

struct GenerationSummary {
  int64_t half_days = 0;
  int64_t roster_entries = 0;
  int64_t attendance_entries = 0;
};

// Fills an empty database of scheduling with made-up calendars, rosters and
// attendance sheets, through its store. Not thread-safe.
class Generation {
 public:
  // `database` outlives this. Everything is made at the business time `now`.
  Generation(storage::Database& database, uint64_t seed, absl::Time now)
      : database_(database), store_(database), seed_(seed), now_(now) {}

  // Before anything else: storage::CheckTakesMadeUpData.
  absl::Status Begin();

  // The calendar of one course, published, with its roster; of every fifth
  // that has begun, the learners' signatures of the first two days. Errors of
  // Transact.
  absl::Status Add(const MadeUpCourse& course);

  // The copy stands at `enrolment_token` of enrolment's feed.
  absl::Status Finish(const std::string& enrolment_token);

  const GenerationSummary& summary() const { return summary_; }

 private:
  access::Caller Caller() const;
  absl::Status Change(absl::FunctionRef<absl::Status(SchedulingUnit&)> body);

  storage::Database& database_;
  SqlSchedulingStore store_;
  const uint64_t seed_;
  const absl::Time now_;
  int64_t courses_ = 0;
  // Those of them that had begun.
  int64_t begun_ = 0;
  GenerationSummary summary_;
};

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_GENERATION_GENERATION_H_
