// What every chapter of the demonstration has to hand.

#ifndef PARCOURS_CLIENTS_CLI_DEMO_STAGE_H_
#define PARCOURS_CLIENTS_CLI_DEMO_STAGE_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "clients/cli/demo/narrator.h"
#include "clients/cli/demo/random.h"
#include "clients/cli/services.h"

namespace parcours::cli::demo {

// The services, the programme as they hold it, and chance. Chapters run one
// after the other; within one, only `services` is used by several threads.
struct Stage {
  const Services& services;
  Narrator& narrator;
  Random random;
  enrolment::v1::Programme programme;
  enrolment::v1::Cohort cohort;
  absl::TimeZone zone;

  // "bodies/opale".
  std::string Body() const;
  absl::CivilDay start_day() const;
  // The last day on which a freed place can still be given on and filled.
  absl::CivilDay last_entry_day() const;
  // The instant of a local time of `day`.
  absl::Time At(absl::CivilDay day, int hour, int minute = 0) const;
};

// The person in whose name the demonstration decides.
inline constexpr std::string_view kCoordinator = "Coordinatrice Fictive";

// The business time.
absl::StatusOr<absl::Time> Now(const Stage& stage);

// Moves the business time of every service to `time`, enrolment first, because
// the others follow it; does nothing when it is there already. Errors:
// NOT_A_SIMULATION.
absl::Status MoveTo(const Stage& stage, absl::Time time);

// The same, and tells the date.
absl::Status AdvanceTo(const Stage& stage, absl::Time time);

// Reads the cohort again.
absl::Status RefreshCohort(Stage& stage);

// The applications of the cohort in order of rank, those without one last.
absl::StatusOr<std::vector<enrolment::v1::Application>> Applications(
    const Stage& stage, enrolment::v1::PlaceState place_state =
                            enrolment::v1::PLACE_STATE_UNSPECIFIED);

// The enrolments of the cohort in that state; all, without.
absl::StatusOr<std::vector<enrolment::v1::Enrolment>> Enrolments(
    const Stage& stage, enrolment::v1::Enrolment::State state =
                            enrolment::v1::Enrolment::STATE_UNSPECIFIED);

// Sends `bytes` as a PDF and returns the name of the finished upload. Safe to
// call from several threads.
absl::StatusOr<std::string> SendPdf(
    const Client<platform::v1::UploadService>& uploads, const std::string& body,
    const std::string& bytes);

// Runs task(0) to task(count - 1) on `threads` threads and returns the first
// error.
absl::Status InParallel(int count, int threads,
                        const std::function<absl::Status(int)>& task);

// "Candidate Fictive 07, rang 12".
std::string Described(const enrolment::v1::Application& application);

// Makes a person with a name that is plainly made up, once.
absl::StatusOr<enrolment::v1::Person> MakePerson(
    const Stage& stage, const std::string& id, const std::string& given_name,
    const std::string& family_name);

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_STAGE_H_
