#ifndef PARCOURS_SERVICES_EVALUATION_TESTING_SAMPLES_H_
#define PARCOURS_SERVICES_EVALUATION_TESTING_SAMPLES_H_

#include <string>

#include "services/evaluation/domain/assessment_plan.h"
#include "services/evaluation/domain/jury.h"
#include "services/evaluation/domain/roster.h"

namespace parcours::evaluation {

CohortName SampleCohort();

// Notes of 15 to 20 pages due in December 2026, a jury of three in January
// 2027, delegated from 2026 on.
AssessmentPlan SamplePlan();

// "Candidate <id>", who takes part in that state.
RosterEntry SampleLearner(const std::string& id,
                          EnrolmentState state = EnrolmentState::kStarted);

PersonName SampleMember(int number);

// Five members, the first one presiding, convened for 20 January 2027.
Jury SampleJury();

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_TESTING_SAMPLES_H_
