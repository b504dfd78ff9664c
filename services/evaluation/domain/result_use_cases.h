#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_RESULT_USE_CASES_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_RESULT_USE_CASES_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/rules/rule_book.h"
#include "services/evaluation/domain/enrolment_port.h"
#include "services/evaluation/domain/evaluation_store.h"

namespace parcours::evaluation {

// The use cases of results, appeals and certificates. Besides what is named
// here, each returns the errors of EvaluationStore, and those of the
// transition it makes.

// Gives everybody who has completed a course without a jury a result; answers
// how many results the cohort has. ILLEGAL_TRANSITION, OWNER_UNAVAILABLE.
absl::StatusOr<int64_t> CompleteWithoutJury(EvaluationStore& store,
                                            EnrolmentPort& enrolments,
                                            const access::Caller& caller,
                                            const CohortName& cohort);

// UNKNOWN_REFERENCE, APPEAL_PERIOD_OVER, ILLEGAL_TRANSITION while another is
// open. `appeal` has decision, ground and statement.
absl::StatusOr<Appeal> LodgeAppeal(EvaluationStore& store,
                                   const rules::RuleBook& rules,
                                   const access::Caller& caller,
                                   const CohortName& cohort, Appeal appeal);

absl::StatusOr<Appeal> AnswerAppeal(EvaluationStore& store,
                                    const access::Caller& caller,
                                    const AppealName& name, bool upheld,
                                    const std::string& answer,
                                    const std::string& answered_by,
                                    const std::string& etag);

// The numbered certificate with that number and code, of any body; otherwise,
// whatever is wrong, one and the same PERMISSION_DENIED.
absl::StatusOr<Certificate> VerifyCertificate(EvaluationStore& store,
                                              const access::Caller& caller,
                                              const std::string& number,
                                              const std::string& code);

// For a change of name the owner is asked. OWNER_UNAVAILABLE.
absl::StatusOr<Certificate> ReissueCertificate(
    EvaluationStore& store, EnrolmentPort& enrolments,
    const access::Caller& caller, const CertificateName& name, ReissueKind kind,
    const std::string& reason, const std::string& etag);

// ALREADY_EXISTS for a number that the body has already.
absl::StatusOr<Certificate> RecordCertifierNumber(EvaluationStore& store,
                                                  const access::Caller& caller,
                                                  const CertificateName& name,
                                                  const std::string& number,
                                                  const std::string& etag);

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_RESULT_USE_CASES_H_
