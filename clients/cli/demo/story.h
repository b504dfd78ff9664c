#ifndef PARCOURS_CLIENTS_CLI_DEMO_STORY_H_
#define PARCOURS_CLIENTS_CLI_DEMO_STORY_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "clients/cli/services.h"
#include "parcours/enrolment/v1/programme.pb.h"

namespace parcours::cli::demo {

// Lives a whole cohort through the public APIs: applies `file`, then one
// chapter after the other, and tells it on `out`. `seed` decides what chance
// decides. Dates, places and prices come from the programme as the services
// hold it. At the end everything is read back, summed up on `out` and written
// to `report_path` (empty: not written). Without an address of scheduling or
// evaluation, their chapters are left out. Errors: NOT_A_SIMULATION on
// databases that are not one, FAILED_PRECONDITION on a cohort that has
// applications already.
absl::Status LiveCohort(const ServiceAddresses& addresses,
                        const enrolment::v1::ProgrammeFile& file,
                        std::uint64_t seed, const std::string& report_path,
                        std::ostream& out);

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_STORY_H_
