// A programme file for another year.

#ifndef PARCOURS_CLIENTS_CLI_PROGRAMME_COPY_H_
#define PARCOURS_CLIENTS_CLI_PROGRAMME_COPY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "parcours/enrolment/v1/programme.pb.h"

namespace parcours::cli {

// A copy that a person still has to look through.
struct ProgrammeCopy {
  enrolment::v1::ProgrammeFile file;
  // What to look at, in French, one point each.
  std::vector<std::string> to_review;
};

// `file` with its cohort in the year `to_year`. All days move by one and the
// same number of whole weeks, the nearest to the years between, so that each
// keeps its weekday and its distance from the others; a month stays that month.
// The cohort has the new year in its name. What belongs to one session is
// cleared: the numbers under which funders know it, also where a price mentions
// them. The programme itself is the same resource and is not changed. Errors:
// INVALID_ARGUMENT for the cohort's own year or one before it.
absl::StatusOr<ProgrammeCopy> CopyProgramme(
    const enrolment::v1::ProgrammeFile& file, int to_year);

// The text of a copy, with what to review in its first lines.
std::string PrintCopy(const ProgrammeCopy& copy);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_PROGRAMME_COPY_H_
