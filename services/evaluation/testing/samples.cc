#include "services/evaluation/testing/samples.h"

#include "common/text/view.h"

namespace parcours::evaluation {

CohortName SampleCohort() {
  return CohortName::FromRecord("bodies/opale/cohorts/essai-2026");
}

AssessmentPlan SamplePlan() {
  AssessmentPlan plan;
  plan.name = PlanOf(SampleCohort());
  plan.note_required = true;
  plan.note_min_pages = 15;
  plan.note_max_pages = 20;
  plan.jury_required = true;
  plan.jury_quorum = 3;
  plan.writing_start = PlanDate{.year = 2026, .month = 6};
  plan.writing_end = PlanDate{.year = 2026, .month = 12};
  plan.jury_date = PlanDate{.year = 2027, .month = 1};
  plan.certification_mode = CertificationMode::kDelegated;
  plan.certification_mandate =
      CertificationMandate{.reference = "Mandat d’essai",
                           .effective_from = absl::CivilDay(2026, 1, 1)};
  plan.certificate_title = "Certificat d’essai";
  return plan;
}

RosterEntry SampleLearner(const std::string& id, EnrolmentState state) {
  RosterEntry entry;
  entry.enrolment = ChildName<EnrolmentName>(SampleCohort(), "enrolments", id);
  entry.name = RosterEntryOf(entry.enrolment);
  entry.person = PersonName::FromRecord(Cat("bodies/opale/persons/", id));
  entry.display_name = Cat("Candidate ", id);
  entry.state = state;
  return entry;
}

PersonName SampleMember(int number) {
  return PersonName::FromRecord(Cat("bodies/opale/persons/member-", number));
}

Jury SampleJury() {
  Jury jury;
  jury.name = ChildName<JuryName>(SampleCohort(), "juries", "first");
  jury.session_date = absl::CivilDay(2027, 1, 20);
  for (int i = 1; i <= 5; ++i) {
    jury.members.push_back(
        {.person = SampleMember(i),
         .display_name = Cat("Membre ", i),
         .role = i == 1 ? MemberRole::kPresident : MemberRole::kMember});
  }
  return jury;
}

}  // namespace parcours::evaluation
