#include "clients/cli/programme_apply.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/dates.h"
#include "common/status/error.h"
#include "common/status/macros.h"

namespace parcours::cli {
namespace {

using enrolment::v1::PeopleService;
using enrolment::v1::ProgrammeFile;
using enrolment::v1::ProgrammeService;
using evaluation::v1::AssessmentPlanService;
using scheduling::v1::CalendarService;
using scheduling::v1::HalfDay;
using scheduling::v1::VenueService;

// The two methods that bring one kind of resource into agreement.
template <typename Service, typename Resource, typename GetRequest,
          typename UpdateRequest>
struct Upsert {
  using Stub = typename Service::StubInterface;
  grpc::Status (Stub::*get)(grpc::ClientContext*, const GetRequest&, Resource*);
  grpc::Status (Stub::*update)(grpc::ClientContext*, const UpdateRequest&,
                               Resource*);
  Resource* (UpdateRequest::*resource)();
};

template <typename Request>
concept CanValidateOnly = requires(Request request) {
  request.set_validate_only(true);
};

// The step that makes `wanted` of whatever is stored under its name.
template <typename Service, typename Resource, typename GetRequest,
          typename UpdateRequest>
absl::StatusOr<PlannedStep> PlanUpsert(
    const Client<Service>& client, std::string_view service_name,
    const Upsert<Service, Resource, GetRequest, UpdateRequest>& methods,
    const Resource& wanted, std::string title) {
  GetRequest get;
  get.set_name(wanted.name());
  const absl::StatusOr<Resource> stored = client.Call(methods.get, get);
  PlannedStep step{.service = std::string(service_name),
                   .effect = Effect::kNone,
                   .name = wanted.name(),
                   .title = std::move(title)};
  UpdateRequest update;
  *(update.*methods.resource)() = wanted;
  update.set_allow_missing(true);
  if (!stored.ok()) {
    if (stored.status().code() != absl::StatusCode::kNotFound) {
      return stored.status();
    }
    step.effect = Effect::kCreate;
    step.changes = FieldChanges(Resource(), wanted);
  } else {
    step.changes = FieldChanges(*stored, wanted);
    if (step.changes.empty()) return step;
    step.effect = Effect::kChange;
    (update.*methods.resource)()->set_etag(stored->etag());
    *update.mutable_update_mask() = MaskOf(step.changes);
    if constexpr (CanValidateOnly<UpdateRequest>) {
      UpdateRequest trial = update;
      trial.set_validate_only(true);
      step.verdict = client.Call(methods.update, trial).status();
    }
  }
  step.apply = [&client, methods, update]() -> absl::StatusOr<std::string> {
    RETURN_IF_ERROR(client.Call(methods.update, update).status());
    return std::string();
  };
  return step;
}

constexpr Upsert<ProgrammeService, enrolment::v1::Body,
                 enrolment::v1::GetBodyRequest,
                 enrolment::v1::UpdateBodyRequest>
    kBodies{&ProgrammeService::StubInterface::GetBody,
            &ProgrammeService::StubInterface::UpdateBody,
            &enrolment::v1::UpdateBodyRequest::mutable_body};
constexpr Upsert<ProgrammeService, enrolment::v1::Programme,
                 enrolment::v1::GetProgrammeRequest,
                 enrolment::v1::UpdateProgrammeRequest>
    kProgrammes{&ProgrammeService::StubInterface::GetProgramme,
                &ProgrammeService::StubInterface::UpdateProgramme,
                &enrolment::v1::UpdateProgrammeRequest::mutable_programme};
constexpr Upsert<ProgrammeService, enrolment::v1::Cohort,
                 enrolment::v1::GetCohortRequest,
                 enrolment::v1::UpdateCohortRequest>
    kCohorts{&ProgrammeService::StubInterface::GetCohort,
             &ProgrammeService::StubInterface::UpdateCohort,
             &enrolment::v1::UpdateCohortRequest::mutable_cohort};
constexpr Upsert<PeopleService, enrolment::v1::Person,
                 enrolment::v1::GetPersonRequest,
                 enrolment::v1::UpdatePersonRequest>
    kPersons{&PeopleService::StubInterface::GetPerson,
             &PeopleService::StubInterface::UpdatePerson,
             &enrolment::v1::UpdatePersonRequest::mutable_person};
constexpr Upsert<VenueService, scheduling::v1::Venue,
                 scheduling::v1::GetVenueRequest,
                 scheduling::v1::UpdateVenueRequest>
    kVenues{&VenueService::StubInterface::GetVenue,
            &VenueService::StubInterface::UpdateVenue,
            &scheduling::v1::UpdateVenueRequest::mutable_venue};
constexpr Upsert<CalendarService, HalfDay, scheduling::v1::GetHalfDayRequest,
                 scheduling::v1::UpdateHalfDayRequest>
    kHalfDays{&CalendarService::StubInterface::GetHalfDay,
              &CalendarService::StubInterface::UpdateHalfDay,
              &scheduling::v1::UpdateHalfDayRequest::mutable_half_day};
constexpr Upsert<AssessmentPlanService, evaluation::v1::AssessmentPlan,
                 evaluation::v1::GetAssessmentPlanRequest,
                 evaluation::v1::UpdateAssessmentPlanRequest>
    kAssessmentPlans{
        &AssessmentPlanService::StubInterface::GetAssessmentPlan,
        &AssessmentPlanService::StubInterface::UpdateAssessmentPlan,
        &evaluation::v1::UpdateAssessmentPlanRequest::mutable_assessment_plan};

absl::Status PlanEnrolment(const EnrolmentServices& services,
                           const ProgrammeFile& file,
                           std::vector<PlannedStep>& steps) {
  ASSIGN_OR_RETURN(PlannedStep body,
                   PlanUpsert(services.programmes, "enrolment", kBodies,
                              file.body(), file.body().display_name()));
  steps.push_back(std::move(body));
  ASSIGN_OR_RETURN(
      PlannedStep programme,
      PlanUpsert(services.programmes, "enrolment", kProgrammes,
                 file.programme(), file.programme().display_name()));
  steps.push_back(std::move(programme));
  ASSIGN_OR_RETURN(PlannedStep cohort,
                   PlanUpsert(services.programmes, "enrolment", kCohorts,
                              file.cohort(), file.cohort().display_name()));
  steps.push_back(std::move(cohort));
  for (const PlannedPerson& trainer : TrainersOf(file)) {
    enrolment::v1::Person person;
    person.set_name(trainer.name);
    person.set_given_name(trainer.given_name);
    person.set_family_name(trainer.family_name);
    enrolment::v1::GetPersonRequest get;
    get.set_name(trainer.name);
    // The address of the contact is only a beginning: one that was recorded
    // since is not written over.
    const bool is_new =
        services.people.Call(kPersons.get, get).status().code() ==
        absl::StatusCode::kNotFound;
    if (is_new) person.set_email(trainer.email);
    ASSIGN_OR_RETURN(
        PlannedStep step,
        PlanUpsert(services.people, "enrolment", kPersons, person,
                   absl::StrCat(trainer.given_name, " ", trainer.family_name)));
    steps.push_back(std::move(step));
  }
  return absl::OkStatus();
}

absl::Status PlanOpening(const EnrolmentServices& services,
                         const ProgrammeFile& file,
                         std::vector<PlannedStep>& steps) {
  enrolment::v1::GetCohortRequest get;
  get.set_name(file.cohort().name());
  const auto stored = services.programmes.Call(kCohorts.get, get);
  const bool draft =
      !stored.ok() || stored->state() == enrolment::v1::Cohort::STATE_DRAFT;
  if (!draft) return absl::OkStatus();
  enrolment::v1::OpenCohortRequest open;
  open.set_name(file.cohort().name());
  steps.push_back(
      {.service = "enrolment",
       .effect = Effect::kChange,
       .name = file.cohort().name(),
       .title = "publication de la promotion",
       .changes = {{"state", "DRAFT", "OPEN"}},
       .verdict = absl::OkStatus(),
       .apply = [&services, open]() -> absl::StatusOr<std::string> {
         RETURN_IF_ERROR(
             services.programmes
                 .Call(&ProgrammeService::StubInterface::OpenCohort, open)
                 .status());
         return std::string("La promotion reçoit des candidatures.");
       }});
  return absl::OkStatus();
}

// What publishing a calendar brings with it.
std::string TellOf(const scheduling::v1::CalendarVersion& version) {
  std::string text =
      absl::StrCat("Calendrier publié, version ", version.version(), " : ",
                   version.recipients_size(), " personnes à prévenir.");
  if (version.missing_items_size() > 0) {
    absl::StrAppend(&text, " Reste à décider : ", version.missing_items_size(),
                    ".");
  }
  if (version.amendments_needed_size() > 0) {
    absl::StrAppend(&text,
                    " Avenants à établir : ", version.amendments_needed_size(),
                    " engagement(s).");
  }
  return text;
}

// What the planner of scheduling knows of the calendar.
struct StoredCalendar {
  int published_version = 0;
  bool has_unpublished_changes = false;
  std::vector<HalfDay> half_days;
};

absl::StatusOr<StoredCalendar> ReadCalendar(const SchedulingServices& services,
                                            const std::string& cohort) {
  StoredCalendar stored;
  scheduling::v1::GetCalendarRequest get;
  get.set_name(absl::StrCat(cohort, "/calendar"));
  const auto calendar = services.calendars.Call(
      &CalendarService::StubInterface::GetCalendar, get);
  if (calendar.status().code() == absl::StatusCode::kNotFound) return stored;
  RETURN_IF_ERROR(calendar.status());
  stored.published_version = calendar->published_version();
  stored.has_unpublished_changes = calendar->has_unpublished_changes();
  scheduling::v1::ListHalfDaysRequest list;
  list.set_parent(cohort);
  ASSIGN_OR_RETURN(
      stored.half_days,
      ListAll(
          services.calendars, &CalendarService::StubInterface::ListHalfDays,
          list, [](scheduling::v1::ListHalfDaysResponse & page) -> auto& {
            return *page.mutable_half_days();
          }));
  return stored;
}

PlannedStep PlanDeletion(const SchedulingServices& services,
                         const HalfDay& gone) {
  scheduling::v1::DeleteHalfDayRequest request;
  request.set_name(gone.name());
  request.set_etag(gone.etag());
  return {
      .service = "scheduling",
      .effect = Effect::kDelete,
      .name = gone.name(),
      .title = "",
      .changes = {},
      .verdict = absl::OkStatus(),
      .apply = [&services, request]() -> absl::StatusOr<std::string> {
        RETURN_IF_ERROR(
            services.calendars
                .Call(&CalendarService::StubInterface::DeleteHalfDay, request)
                .status());
        return std::string();
      }};
}

absl::StatusOr<PlannedStep> PlanHalfDay(const SchedulingServices& services,
                                        const HalfDayMatch& match) {
  if (!match.wanted.has_value()) return PlanDeletion(services, *match.stored);
  const HalfDay& wanted = *match.wanted;
  const std::string title = PrintFrench(DayOf(wanted.date()));
  PlannedStep step{.service = "scheduling",
                   .effect = Effect::kCreate,
                   .name = wanted.name(),
                   .title = title};
  scheduling::v1::UpdateHalfDayRequest update;
  *update.mutable_half_day() = wanted;
  update.set_allow_missing(true);
  if (match.stored.has_value()) {
    step.changes = FieldChanges(*match.stored, wanted);
    if (step.changes.empty()) {
      step.effect = Effect::kNone;
      return step;
    }
    step.effect = Effect::kChange;
    update.mutable_half_day()->set_etag(match.stored->etag());
    *update.mutable_update_mask() = MaskOf(step.changes);
  }
  step.apply = [&services, update]() -> absl::StatusOr<std::string> {
    RETURN_IF_ERROR(services.calendars.Call(kHalfDays.update, update).status());
    return std::string();
  };
  return step;
}

absl::Status PlanScheduling(const SchedulingServices& services,
                            const ProgrammeFile& file,
                            const ApplyOptions& options,
                            std::vector<PlannedStep>& steps) {
  for (const scheduling::v1::Venue& venue : VenuesOf(file)) {
    ASSIGN_OR_RETURN(PlannedStep step,
                     PlanUpsert(services.venues, "scheduling", kVenues, venue,
                                venue.display_name()));
    steps.push_back(std::move(step));
  }
  ASSIGN_OR_RETURN(const StoredCalendar stored,
                   ReadCalendar(services, file.cohort().name()));
  bool changes = stored.has_unpublished_changes;
  for (const HalfDayMatch& match :
       MatchHalfDays(stored.half_days, HalfDaysOf(file))) {
    ASSIGN_OR_RETURN(PlannedStep step, PlanHalfDay(services, match));
    changes |= step.effect != Effect::kNone;
    steps.push_back(std::move(step));
  }
  const bool published = stored.published_version > 0;
  if (!(published && changes) && !(options.publish_calendar && !published)) {
    return absl::OkStatus();
  }
  scheduling::v1::PublishCalendarRequest publish;
  publish.set_name(absl::StrCat(file.cohort().name(), "/calendar"));
  if (published) {
    publish.set_reason(options.reason.empty() ? "Mise à jour du programme"
                                              : options.reason);
  }
  steps.push_back(
      {.service = "scheduling",
       .effect = published ? Effect::kChange : Effect::kCreate,
       .name = publish.name(),
       .title = published ? "nouvelle version ; si une date change pour une "
                            "personne inscrite, un avenant suit"
                          : "première publication",
       .changes = {},
       .verdict = absl::OkStatus(),
       .apply = [&services, publish]() -> absl::StatusOr<std::string> {
         // Who is told, and whose agreement must be amended, follows from the
         // roster as enrolment has it now.
         RETURN_IF_ERROR(services.roster
                             .Call(&scheduling::v1::RosterService::
                                       StubInterface::SynchroniseRoster,
                                   scheduling::v1::SynchroniseRosterRequest())
                             .status());
         ASSIGN_OR_RETURN(
             const scheduling::v1::CalendarVersion version,
             services.calendars.Call(
                 &CalendarService::StubInterface::PublishCalendar, publish));
         return TellOf(version);
       }});
  return absl::OkStatus();
}

bool IsHalfDay(const PlannedStep& step) {
  return absl::StrContains(step.name, "/halfDays/");
}

// Moves the half-day at `index` behind the other half-days that are still to
// come: what it needs may be booked by one of them until that one has moved.
// False when there is none, or all have had their turn.
bool PutOff(std::vector<const PlannedStep*>& steps, std::size_t index,
            std::map<const PlannedStep*, std::size_t>& times) {
  std::size_t end = index + 1;
  while (end < steps.size() && IsHalfDay(*steps[end])) ++end;
  const bool alone = end == index + 1;
  if (alone || !IsHalfDay(*steps[index]) ||
      ++times[steps[index]] >= end - index) {
    return false;
  }
  const auto at = steps.begin() + static_cast<std::ptrdiff_t>(index);
  std::rotate(at, at + 1, steps.begin() + static_cast<std::ptrdiff_t>(end));
  return true;
}

}  // namespace

absl::StatusOr<std::vector<PlannedStep>> PlanProgramme(
    const Services& services, const ProgrammeFile& file,
    const ApplyOptions& options) {
  std::vector<PlannedStep> steps;
  RETURN_IF_ERROR(PlanEnrolment(services.enrolment, file, steps));
  if (services.scheduling.has_value()) {
    RETURN_IF_ERROR(PlanScheduling(*services.scheduling, file, options, steps));
  }
  if (services.evaluation.has_value()) {
    ASSIGN_OR_RETURN(
        PlannedStep plan,
        PlanUpsert(services.evaluation->plans, "evaluation", kAssessmentPlans,
                   AssessmentPlanOf(file), "évaluation"));
    steps.push_back(std::move(plan));
  }
  // Last: once it is open, people see everything else.
  if (options.open_cohort) {
    RETURN_IF_ERROR(PlanOpening(services.enrolment, file, steps));
  }
  return steps;
}

absl::Status ApplySteps(const std::vector<PlannedStep>& steps,
                        std::ostream& out) {
  std::vector<const PlannedStep*> planned;
  for (const PlannedStep& step : steps) {
    if (step.apply != nullptr) planned.push_back(&step);
  }
  std::map<const PlannedStep*, std::size_t> times_put_off;
  for (std::size_t done = 0; done < planned.size();) {
    const PlannedStep& step = *planned[done];
    const absl::StatusOr<std::string> told = step.apply();
    if (ReasonOf(told.status()) == Reason::kAlreadyBooked &&
        PutOff(planned, done, times_put_off)) {
      continue;
    }
    if (!told.ok()) {
      out << "\nArrêt sur " << step.name << ".\nFait : " << done << " sur "
          << planned.size() << ". Reste :\n";
      for (std::size_t i = done; i < planned.size(); ++i) {
        out << "  " << planned[i]->name << '\n';
      }
      out << "Relancer la même commande reprend où elle s’est arrêtée.\n";
      return told.status();
    }
    ++done;
    PrintStep(out, step);
    if (!told->empty()) out << "      " << *told << '\n';
  }
  return absl::OkStatus();
}

}  // namespace parcours::cli
