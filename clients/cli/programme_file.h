// Programmes and cohorts as text files: reading, completing, checking.

#ifndef PARCOURS_CLIENTS_CLI_PROGRAMME_FILE_H_
#define PARCOURS_CLIENTS_CLI_PROGRAMME_FILE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "parcours/enrolment/v1/programme.pb.h"

namespace parcours::cli {

// Something in a programme file that cannot be applied.
struct ProgrammeProblem {
  // Where: a path of field names with indices, "days[3].half_days[0].venue_id".
  std::string field;
  // What is wrong, in English.
  std::string description;

  friend bool operator==(const ProgrammeProblem&,
                         const ProgrammeProblem&) = default;
};

// Reads the file at `path`, written in the protobuf text format. Only the
// syntax is checked. Errors: NOT_FOUND without such a file; INVALID_ARGUMENT
// with one line per problem, "path:line:column: what".
absl::StatusOr<enrolment::v1::ProgrammeFile> LoadProgrammeFile(
    const std::string& path);

// Completes `file` with what `completion` adds. Where `file` says nothing, or
// TBD, the value of `completion` stands. Venues and trainers are matched by id,
// days by date, half-days by kind; unmatched ones are added, days in order of
// date. Other lists are taken whole where `file` has none. The result is
// fictitious when either is; its source is that of `file`. Errors:
// INVALID_ARGUMENT that names every field on which the two contradict each
// other; `file` is then in an unspecified state.
absl::Status CompleteProgrammeFile(
    const enrolment::v1::ProgrammeFile& completion,
    enrolment::v1::ProgrammeFile& file);

// Everything that keeps `file` from being applied, in the order of the file;
// empty when nothing does. What is TBD is no problem.
std::vector<ProgrammeProblem> CheckProgrammeFile(
    const enrolment::v1::ProgrammeFile& file);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_PROGRAMME_FILE_H_
