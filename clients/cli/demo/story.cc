#include "clients/cli/demo/story.h"

#include <unistd.h>

#include <fstream>
#include <iostream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cli/dates.h"
#include "clients/cli/demo/agreements.h"
#include "clients/cli/demo/applications.h"
#include "clients/cli/demo/course.h"
#include "clients/cli/demo/evaluation.h"
#include "clients/cli/demo/narrator.h"
#include "clients/cli/demo/offers.h"
#include "clients/cli/demo/report.h"
#include "clients/cli/demo/review.h"
#include "clients/cli/demo/stage.h"
#include "clients/cli/programme_apply.h"
#include "common/status/macros.h"

namespace parcours::cli::demo {
namespace {

using enrolment::v1::ProgrammeService;

// The programme is there this long before its applications.
constexpr absl::Duration kPreparation = absl::Hours(24 * 14);

bool IsTerminal(const std::ostream& out) {
  return &out == &std::cout && isatty(STDOUT_FILENO) == 1;
}

// Applies the file and opens the cohort: everything after this reads the
// programme from the services.
absl::Status PutOnProgramme(Stage& stage,
                            const enrolment::v1::ProgrammeFile& file) {
  stage.narrator.Chapter("Le programme devient données");
  RETURN_IF_ERROR(AdvanceTo(
      stage,
      stage.At(DayOf(stage.cohort.application_open_date()), 0) - kPreparation));
  ASSIGN_OR_RETURN(const std::vector<PlannedStep> steps,
                   PlanProgramme(stage.services, file, {.open_cohort = true}));
  int done = 0;
  for (const PlannedStep& step : steps) {
    if (step.apply != nullptr) RETURN_IF_ERROR(step.apply().status());
    stage.narrator.Progress("ressources", ++done,
                            static_cast<int>(steps.size()));
  }
  ASSIGN_OR_RETURN(const std::vector<PlannedStep> again,
                   PlanProgramme(stage.services, file, {.open_cohort = true}));
  stage.narrator.Tell(
      absl::StrCat(CountChanges(steps),
                   " ressources écrites ; une seconde application en "
                   "changerait ",
                   CountChanges(again), "."));
  RETURN_IF_ERROR(RefreshCohort(stage));
  enrolment::v1::GetProgrammeRequest request;
  request.set_name(stage.cohort.programme());
  ASSIGN_OR_RETURN(
      stage.programme,
      stage.services.enrolment.programmes.Call(
          &ProgrammeService::StubInterface::GetProgramme, request));
  ASSIGN_OR_RETURN(const auto applications, Applications(stage));
  if (!applications.empty()) {
    return absl::FailedPreconditionError(
        "la promotion a déjà des candidatures : la démonstration se vit sur "
        "des bases neuves");
  }
  stage.narrator.Tell(absl::StrCat(
      stage.programme.display_name(), ", ", stage.cohort.display_name(), " : ",
      stage.cohort.capacity(), " places, du ",
      PrintFrench(DayOf(stage.cohort.start_date())), " au ",
      PrintFrench(DayOf(stage.cohort.end_date())), "."));
  return absl::OkStatus();
}

absl::Status LiveChapters(Stage& stage,
                          const enrolment::v1::ProgrammeFile& file) {
  RETURN_IF_ERROR(PutOnProgramme(stage, file));
  RETURN_IF_ERROR(ReceiveApplications(stage));
  RETURN_IF_ERROR(ReviewApplications(stage));
  RETURN_IF_ERROR(OfferFirstPlace(stage));
  RETURN_IF_ERROR(SignAgreements(stage));
  RETURN_IF_ERROR(DecideToGo(stage));
  RETURN_IF_ERROR(StartCourse(stage));
  if (!stage.services.scheduling.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(FollowCourse(stage));
  if (!stage.services.evaluation.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(ConveneJury(stage));
  RETURN_IF_ERROR(SubmitNotes(stage));
  return ProclaimResults(stage);
}

absl::Status WriteReport(const std::string& path, const Report& report) {
  std::ofstream file(path);
  file << ToJson(report);
  file.close();
  if (!file) {
    return absl::PermissionDeniedError(absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status LiveCohort(const ServiceAddresses& addresses,
                        const enrolment::v1::ProgrammeFile& file,
                        std::uint64_t seed, const std::string& report_path,
                        std::ostream& out) {
  const absl::Time begin = absl::Now();
  const Services services(addresses);
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(file.cohort().time_zone(), &zone)) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown time zone ", file.cohort().time_zone()));
  }
  Narrator narrator(out, IsTerminal(out), zone);
  Stage stage{.services = services,
              .narrator = narrator,
              .random = Random(seed),
              .programme = file.programme(),
              .cohort = file.cohort(),
              .zone = zone};
  if (file.fictitious()) {
    narrator.Tell(
        "Les personnes et ce que la plaquette ne dit pas sont "
        "inventés.");
  }
  RETURN_IF_ERROR(LiveChapters(stage, file));
  ASSIGN_OR_RETURN(const Report report,
                   ReadReport(services, stage.cohort.name(), seed));
  narrator.Chapter("Ce que disent les services");
  PrintSummary(out, report);
  out << "\nVécu en " << absl::ToInt64Seconds(absl::Now() - begin) << " s.\n";
  if (report_path.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(WriteReport(report_path, report));
  out << "Le même rapport en JSON : " << report_path << '\n';
  return absl::OkStatus();
}

}  // namespace parcours::cli::demo
