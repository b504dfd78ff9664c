// What applying a programme file would change, resource by resource.

#ifndef PARCOURS_CLIENTS_CLI_PROGRAMME_PLAN_H_
#define PARCOURS_CLIENTS_CLI_PROGRAMME_PLAN_H_

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/message.h"
#include "parcours/enrolment/v1/programme.pb.h"
#include "parcours/evaluation/v1/assessment_plan.pb.h"
#include "parcours/scheduling/v1/calendar.pb.h"
#include "parcours/scheduling/v1/venue.pb.h"

namespace parcours::cli {

// A field whose stored value is not what the file says.
struct FieldChange {
  // Path in the resource: "capacity", "prices[0].amount_cents".
  std::string field;
  // As a person reads them; empty: absent.
  std::string before;
  std::string after;

  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

// The differences that writing `wanted` over `stored` makes, in the order of
// the fields. Only what `wanted` says counts: a field that it leaves out, or
// sets to TBD, stays as it is stored. Fields that the service writes, and the
// name, are not compared.
std::vector<FieldChange> FieldChanges(const google::protobuf::Message& stored,
                                      const google::protobuf::Message& wanted);

// The first parts of the paths of `changes`, each once.
google::protobuf::FieldMask MaskOf(const std::vector<FieldChange>& changes);

// What happens to a resource.
enum class Effect { kCreate, kChange, kDelete, kNone };

// One resource of a plan.
struct PlannedStep {
  // The service that holds it: "enrolment".
  std::string service;
  Effect effect = Effect::kNone;
  // Resource name.
  std::string name;
  // How a person calls it; may be empty.
  std::string title;
  std::vector<FieldChange> changes;
  // What the service says about it now, without writing: OK, or its refusal.
  absl::Status verdict;
  // Makes the change; safe to repeat. Returns what is to be said about it, or
  // nothing. Absent when there is none.
  std::function<absl::StatusOr<std::string>()> apply;
};

// Writes one step for a person: "+" new, "~" changed with each field, "-" gone,
// "=" unchanged.
void PrintStep(std::ostream& out, const PlannedStep& step);

// How many of `steps` change something.
int CountChanges(const std::vector<PlannedStep>& steps);

// The half-days of `file` as scheduling holds them, with names after their date
// and half. Trainers are named bodies/{body}/persons/{trainer id}.
std::vector<scheduling::v1::HalfDay> HalfDaysOf(
    const enrolment::v1::ProgrammeFile& file);

// The venues of `file` as scheduling holds them.
std::vector<scheduling::v1::Venue> VenuesOf(
    const enrolment::v1::ProgrammeFile& file);

// The trainers of `file` as persons. A file gives no address of theirs: they
// are written to through the contact of the training.
struct PlannedPerson {
  std::string name;
  std::string given_name;
  std::string family_name;
  std::string email;
};
std::vector<PlannedPerson> TrainersOf(const enrolment::v1::ProgrammeFile& file);

// How the cohort of `file` is assessed, as evaluation holds it.
evaluation::v1::AssessmentPlan AssessmentPlanOf(
    const enrolment::v1::ProgrammeFile& file);

// A half-day of the file beside the stored one that it is or becomes.
struct HalfDayMatch {
  std::optional<scheduling::v1::HalfDay> stored;
  // Has the name of `stored` when there is one. Absent: the file has no such
  // half-day any more.
  std::optional<scheduling::v1::HalfDay> wanted;
};

// Matches by date and half. What remains on both sides is matched in order of
// date, half by half: a half-day that has moved keeps its name, and with it its
// history. Ordered by date; those that go come first.
std::vector<HalfDayMatch> MatchHalfDays(
    const std::vector<scheduling::v1::HalfDay>& stored,
    const std::vector<scheduling::v1::HalfDay>& wanted);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_PROGRAMME_PLAN_H_
