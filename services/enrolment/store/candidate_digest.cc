#include "services/enrolment/store/candidate_digest.h"

#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::enrolment {

absl::StatusOr<std::string> CandidateDigest(const storage::PersonKeys& keys,
                                            const CohortName& cohort,
                                            std::string_view candidate_key) {
  return keys.BlindIndex(Cat("candidate/", cohort.text()), candidate_key);
}

absl::Status KeepCandidateDigest(const storage::PersonKeys& keys,
                                 Application& application) {
  // A key has its parts on lines, a digest is one of hexadecimal digits.
  if (application.candidate_key.find('\n') == std::string::npos) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(
      application.candidate_key,
      CandidateDigest(keys, application.cohort, application.candidate_key));
  return absl::OkStatus();
}

}  // namespace parcours::enrolment
