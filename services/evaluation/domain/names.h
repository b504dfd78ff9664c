#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_NAMES_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_NAMES_H_

#include "common/types/resource_name.h"

namespace parcours::evaluation {

using BodyName = ResourceName<"bodies/*">;
using AssessmentPlanName = ResourceName<"bodies/*/cohorts/*/assessmentPlan">;
using NoteName = ResourceName<"bodies/*/cohorts/*/validationNotes/*">;
using NoteVersionName =
    ResourceName<"bodies/*/cohorts/*/validationNotes/*/versions/*">;
using NoteReaderName =
    ResourceName<"bodies/*/cohorts/*/validationNotes/*/readers/*">;
using ConflictName = ResourceName<"bodies/*/cohorts/*/conflicts/*">;
using JuryName = ResourceName<"bodies/*/cohorts/*/juries/*">;
using DecisionName = ResourceName<"bodies/*/cohorts/*/juries/*/decisions/*">;
using MinutesName = ResourceName<"bodies/*/cohorts/*/juries/*/minutes">;
using ResultName = ResourceName<"bodies/*/cohorts/*/results/*">;
using AppealName = ResourceName<"bodies/*/cohorts/*/appeals/*">;
using CertificateName = ResourceName<"bodies/*/certificates/*">;
using RosterEntryName = ResourceName<"bodies/*/cohorts/*/rosterEntries/*">;

// Owned by enrolment.
using CohortName = ResourceName<"bodies/*/cohorts/*">;
using OrganisationName = ResourceName<"bodies/*/organisations/*">;
using PersonName = ResourceName<"bodies/*/persons/*">;
using EnrolmentName = ResourceName<"bodies/*/cohorts/*/enrolments/*">;
using ErasureName = ResourceName<"bodies/*/erasures/*">;

inline AssessmentPlanName PlanOf(const CohortName& cohort) {
  return AssessmentPlanName::FromRecord(cohort.text() + "/assessmentPlan");
}

inline NoteName NoteOf(const EnrolmentName& enrolment) {
  return ChildName<NoteName>(enrolment.Under<CohortName>(), "validationNotes",
                             enrolment.id());
}

inline ResultName ResultOf(const EnrolmentName& enrolment) {
  return ChildName<ResultName>(enrolment.Under<CohortName>(), "results",
                               enrolment.id());
}

inline DecisionName DecisionOf(const JuryName& jury,
                               const EnrolmentName& enrolment) {
  return ChildName<DecisionName>(jury, "decisions", enrolment.id());
}

inline MinutesName MinutesOf(const JuryName& jury) {
  return MinutesName::FromRecord(jury.text() + "/minutes");
}

// Whom an erasure of enrolment is about: it has the id of the person.
inline PersonName PersonOf(const ErasureName& erasure) {
  return ChildName<PersonName>(erasure.Under<BodyName>(), "persons",
                               erasure.id());
}

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_NAMES_H_
