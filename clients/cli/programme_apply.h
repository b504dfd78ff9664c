// Bringing a programme file and the services into agreement.

#ifndef PARCOURS_CLIENTS_CLI_PROGRAMME_APPLY_H_
#define PARCOURS_CLIENTS_CLI_PROGRAMME_APPLY_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/cli/programme_plan.h"
#include "clients/cli/services.h"
#include "parcours/enrolment/v1/programme.pb.h"

namespace parcours::cli {

// What is done beside bringing the resources into agreement.
struct ApplyOptions {
  // Publish the cohort, so that it receives applications inside its window.
  bool open_cohort = false;
  // Publish the calendar for the first time. One that is published already is
  // published again whenever it changes.
  bool publish_calendar = false;
  // Why a published calendar changes; learners and trainers read it.
  std::string reason;
};

// Compares `file` with what the services hold, in the order in which it is
// applied: body, programme, cohort and trainers in enrolment; venues and
// half-days in scheduling; the assessment plan in evaluation. Services without
// an address are left out. Reads only. REQUIRES: a file without problems, that
// outlives the steps, as `services` does.
absl::StatusOr<std::vector<PlannedStep>> PlanProgramme(
    const Services& services, const enrolment::v1::ProgrammeFile& file,
    const ApplyOptions& options = {});

// Makes the changes of `steps` in order and prints each. Stops at the first
// that fails, after telling what was done and what remains; every step looks
// at what is stored, so that applying again goes on from there.
absl::Status ApplySteps(const std::vector<PlannedStep>& steps,
                        std::ostream& out);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_PROGRAMME_APPLY_H_
