#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_APPLICATION_USE_CASES_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_APPLICATION_USE_CASES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/rules/rule_book.h"
#include "common/types/record.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/enrolment_store.h"

namespace parcours::enrolment {

// The use cases of applications and their places. Besides what is named here,
// each returns the errors of EnrolmentStore, NOT_FOUND and PERMISSION_DENIED.

// An application as it is shown: with what is derived from others.
struct ApplicationView {
  Application application;
  std::vector<PieceKind> missing_pieces;
  // Position in the waiting list from 1 on; 0: not in it.
  int64_t waiting_position = 0;
};

// A document that comes with an application: its kind and finished upload.
struct NewPiece {
  PieceKind kind = PieceKind::kOther;
  UploadName upload;
};

// Receives an application to `cohort`, with the pieces that are there, and
// gives it a rank and a place when the rank event has come about.
// COHORT_NOT_OPEN, WINDOW_NOT_OPEN, WINDOW_CLOSED, ALREADY_APPLIED, upload
// errors, violations.
absl::StatusOr<ApplicationView> SubmitApplication(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const CohortName& cohort,
    Application application, const std::vector<NewPiece>& pieces, Mode mode);

absl::StatusOr<ApplicationView> GetApplication(EnrolmentStore& store,
                                               const access::Caller& caller,
                                               const ApplicationName& name);

absl::StatusOr<Page<ApplicationView>> ListApplications(
    EnrolmentStore& store, const access::Caller& caller,
    const CohortName& cohort, const ApplicationFilter& filter,
    const PageRequest& page);

absl::StatusOr<ApplicationView> AttachPiece(EnrolmentStore& store,
                                            const rules::RuleBook& rules,
                                            const access::Caller& caller,
                                            const ApplicationName& name,
                                            const NewPiece& piece);

absl::StatusOr<ApplicationView> RequestPiece(EnrolmentStore& store,
                                             const rules::RuleBook& rules,
                                             const access::Caller& caller,
                                             const ApplicationName& name,
                                             PieceKind kind,
                                             const std::string& reason);

absl::StatusOr<ApplicationView> AdmitApplication(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const ApplicationName& name,
    const Decision& decision, const std::string& derogation_proof,
    const std::string& etag);

absl::StatusOr<ApplicationView> RefuseApplication(EnrolmentStore& store,
                                                  const rules::RuleBook& rules,
                                                  const access::Caller& caller,
                                                  const ApplicationName& name,
                                                  const Decision& decision,
                                                  const std::string& etag);

absl::StatusOr<ApplicationView> ReopenApplication(EnrolmentStore& store,
                                                  const rules::RuleBook& rules,
                                                  const access::Caller& caller,
                                                  const ApplicationName& name,
                                                  const Decision& decision,
                                                  const std::string& etag);

absl::StatusOr<ApplicationView> WithdrawApplication(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const ApplicationName& name,
    const std::string& reason, const std::string& etag);

absl::StatusOr<ApplicationView> AcceptPlaceOffer(EnrolmentStore& store,
                                                 const rules::RuleBook& rules,
                                                 const access::Caller& caller,
                                                 const ApplicationName& name,
                                                 bool at_own_cost);

absl::StatusOr<ApplicationView> DeclinePlaceOffer(EnrolmentStore& store,
                                                  const rules::RuleBook& rules,
                                                  const access::Caller& caller,
                                                  const ApplicationName& name,
                                                  bool keep_rank);

// Another payer: the agreement with the former one ends, and a confirmed place
// is held until the new one is committed; the participation goes on. Another
// funder of the same payer changes nothing else. ILLEGAL_TRANSITION,
// UNKNOWN_REFERENCE.
absl::StatusOr<ApplicationView> ChangePayer(EnrolmentStore& store,
                                            const rules::RuleBook& rules,
                                            const access::Caller& caller,
                                            const ApplicationName& name,
                                            const Payer& payer,
                                            const std::string& etag);

absl::StatusOr<ApplicationView> ReportFundingFailure(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const ApplicationName& name,
    const std::string& reason);

struct PlaceExplanation {
  Application application;
  int64_t waiting_position = 0;
  std::vector<PlaceEvent> events;
};
absl::StatusOr<PlaceExplanation> ExplainPlace(EnrolmentStore& store,
                                              const access::Caller& caller,
                                              const ApplicationName& name);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_APPLICATION_USE_CASES_H_
