#ifndef PARCOURS_CLIENTS_CLI_DEMO_COURSE_H_
#define PARCOURS_CLIENTS_CLI_DEMO_COURSE_H_

#include "absl/status/status.h"
#include "clients/cli/demo/stage.h"

namespace parcours::cli::demo {

// The first day: every place must be confirmed, and everybody starts. Errors:
// FAILED_PRECONDITION when a place is free.
absl::Status StartCourse(Stage& stage);

// The days of the published calendar, half by half: signatures, absences, one
// late arrival, one entry that is corrected, sheets that are closed; one
// learner leaves after the entry cut-off and nobody is called; at the end the
// completion records. REQUIRES: scheduling.
absl::Status FollowCourse(Stage& stage);

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_COURSE_H_
