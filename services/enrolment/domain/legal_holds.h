#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_LEGAL_HOLDS_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_LEGAL_HOLDS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/privacy/legal_hold.h"
#include "common/rules/rule_book.h"
#include "services/enrolment/domain/agreement.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/enrolment.h"
#include "services/enrolment/domain/names.h"
#include "services/enrolment/domain/people.h"

namespace parcours::enrolment {

// Everything that this service holds on a person, each kind by name.
struct PersonRecord {
  Person person;
  // Those to which they applied.
  std::vector<Cohort> cohorts;
  std::vector<Application> applications;
  std::vector<Agreement> agreements;
  std::vector<Enrolment> enrolments;
  // Files on their way in from an account of theirs, which nothing has taken.
  std::vector<UploadName> uploads;
};

// The cohort of that name among those of the record; null when it is not there.
const Cohort* FindCohort(const PersonRecord& record, const CohortName& name);

// Whether nobody can enter or follow the cohort any more at `now`: cancelled,
// ended, or past its last day. One that is put off may open again.
bool IsOver(const Cohort& cohort, absl::Time now);

// Whether the application waits for somebody at `now`: to decide about it, or
// for the course for which it has a place or waits for one.
bool IsUnderWay(const Application& application, const Cohort& cohort,
                absl::Time now);

// Whether somebody else than the learner and their employer pays for the
// participation, and may ask for its pieces.
bool IsFunded(const Enrolment& enrolment);

// Why the person must be kept at `now`:
//   under_way      an application before its end, a participation, a file on
//                  its way in;
//   accounting     an agreement that was signed with a price, unless it was
//                  withdrawn from before anything was asked: from 31 December
//                  of the year in which the cohort ended (C. com. L123-22);
//   funding_pieces a participation that a funder pays: from its end.
// Holds that are over are left out; by resource, then kind. INTERNAL when a
// rule is missing.
absl::StatusOr<std::vector<privacy::LegalHold>> LegalHoldsOn(
    const PersonRecord& record, const rules::RuleBook& rules, absl::Time now);

// What `holds`, of every service, say to who wants to erase the person: OK
// without any. PERSON_UNDER_WAY naming the resources, as long as something is;
// else LEGAL_HOLD naming each with its article and last day, and the latest.
// What two services hold for one reason is named once.
absl::Status CheckMayErase(std::vector<privacy::LegalHold> holds);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_LEGAL_HOLDS_H_
