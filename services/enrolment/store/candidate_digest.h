#ifndef PARCOURS_SERVICES_ENROLMENT_STORE_CANDIDATE_DIGEST_H_
#define PARCOURS_SERVICES_ENROLMENT_STORE_CANDIDATE_DIGEST_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/storage/person_keys.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/names.h"

namespace parcours::enrolment {

// What the record keeps in place of a candidate's key: the same for the same
// candidate of `cohort`, another in any other cohort, and nothing about them to
// those without the service's secret. Errors of PersonKeys.
absl::StatusOr<std::string> CandidateDigest(const storage::PersonKeys& keys,
                                            const CohortName& cohort,
                                            std::string_view candidate_key);

// Puts it into `application`, unless it is there.
absl::Status KeepCandidateDigest(const storage::PersonKeys& keys,
                                 Application& application);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_STORE_CANDIDATE_DIGEST_H_
