#include "services/evaluation/generation/generation.h"

#include <utility>

#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/made_up_data.h"
#include "common/text/view.h"
#include "common/types/seeded_stream.h"
#include "services/evaluation/domain/assessment_plan.h"
#include "services/evaluation/domain/validation_note.h"

namespace parcours::evaluation {
namespace {

constexpr char kSubject[] = "parcours:generate";
constexpr absl::Duration kPatience = absl::Minutes(5);
constexpr uint64_t kStreams = uint64_t{1} << 34;
constexpr int64_t kWithNotes = 2;

AssessmentPlan MakePlan(const MadeUpCourse& course) {
  AssessmentPlan plan;
  plan.name = PlanOf(course.cohort);
  plan.note_required = true;
  plan.note_min_pages = 5;
  plan.note_max_pages = 10;
  plan.jury_required = true;
  plan.jury_quorum = 3;
  plan.readers_per_note = 2;
  plan.note_due_date = course.end_date - 15;
  plan.certificate_title = "Certificat de spécialisation fictif";
  plan.certificate_kind = "Certificat fictif";
  plan.certifier_display_name = "Certificateur fictif";
  plan.body_display_name = "Organisme fictif";
  plan.action_title = "Certificat fictif";
  return plan;
}

}  // namespace

absl::Status Generation::Change(
    absl::FunctionRef<absl::Status(EvaluationUnit&)> body) {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = kSubject;
  caller.method = "Generate";
  caller.deadline = absl::Now() + kPatience;
  caller.now = now_;
  return store_
      .Change(caller,
              [&](EvaluationUnit& unit) -> absl::StatusOr<std::string> {
                RETURN_IF_ERROR(body(unit));
                return std::string("generation");
              })
      .status();
}

absl::Status Generation::Begin() {
  return storage::CheckTakesMadeUpData(database_, absl::Now() + kPatience);
}

absl::Status Generation::Add(const MadeUpCourse& course) {
  SeededStream chance(seed_, kStreams + static_cast<uint64_t>(courses_));
  ++courses_;
  const bool with_notes = course.begun && begun_++ % kWithNotes == 0;
  std::vector<RosterEntry> roster;
  std::vector<ValidationNote> notes;
  for (const EnrolmentFacts& facts : course.enrolments) {
    RosterEntry entry;
    Copy(facts, entry);
    if (with_notes && !HasLeft(entry.state)) {
      ASSIGN_OR_RETURN(ValidationNote note,
                       StartNote(entry, Cat("Un sujet fictif, le numéro ",
                                            chance.Below(10'000), ".")));
      if (chance.Chance(70)) {
        RETURN_IF_ERROR(ApproveSubject(note, "Coordination Fictive", now_));
      }
      notes.push_back(std::move(note));
    }
    roster.push_back(std::move(entry));
  }
  RETURN_IF_ERROR(Change([&](EvaluationUnit& unit) -> absl::Status {
    AssessmentPlan plan = MakePlan(course);
    unit.plans().Insert(plan);
    for (RosterEntry entry : roster) unit.roster().Insert(entry);
    for (ValidationNote note : notes) unit.notes().Insert(note);
    return absl::OkStatus();
  }));
  summary_.roster_entries += static_cast<int64_t>(roster.size());
  summary_.notes += static_cast<int64_t>(notes.size());
  return absl::OkStatus();
}

absl::Status Generation::Finish(const std::string& enrolment_token) {
  return Change([&](EvaluationUnit& unit) {
    unit.SetRosterPosition(enrolment_token);
    return absl::OkStatus();
  });
}

}  // namespace parcours::evaluation
