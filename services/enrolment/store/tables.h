#ifndef PARCOURS_SERVICES_ENROLMENT_STORE_TABLES_H_
#define PARCOURS_SERVICES_ENROLMENT_STORE_TABLES_H_

#include <vector>

#include "common/storage/sealing_of_before.h"
#include "common/storage/table.h"
#include "services/enrolment/domain/agreement.h"
#include "services/enrolment/domain/api_client.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/enrolment.h"
#include "services/enrolment/domain/erasure.h"
#include "services/enrolment/domain/people.h"

namespace parcours::enrolment {

// How the resources of enrolment stand in its tables (migrations/). Built once,
// then immutable.
const storage::Table<Body>& BodyTable();
const storage::Table<Programme>& ProgrammeTable();
const storage::Table<Cohort>& CohortTable();
const storage::Table<Person>& PersonTable();
const storage::Table<Organisation>& OrganisationTable();
const storage::Table<Application>& ApplicationTable();
const storage::Table<Agreement>& AgreementTable();
const storage::Table<Enrolment>& EnrolmentTable();
const storage::Table<ApiClient>& ApiClientTable();
const storage::Table<Erasure>& ErasureTable();

// What may have been written before persons had keys, and before digests stood
// in place of the keys of candidates.
std::vector<storage::SealingOfBefore::Part> PartsOfBefore();

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_STORE_TABLES_H_
