#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_CERTIFICATE_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_CERTIFICATE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/types/enum_names.h"
#include "services/evaluation/domain/assessment_plan.h"
#include "services/evaluation/domain/jury.h"
#include "services/evaluation/domain/names.h"

namespace parcours::evaluation {

// PROCLAIMED → ISSUED, or ISSUED at once; REVOKED by a correcting decision.
enum class CertificateState { kProclaimed, kIssued, kRevoked };

enum class ReissueKind { kDuplicate, kNameChange };

// The certificate of one enrolment. Number and code never change and are never
// reused.
struct Certificate {
  CertificateName name;
  EnrolmentName enrolment;
  DecisionName decision;
  CertificateState state = CertificateState::kProclaimed;
  std::string number;
  std::string code;
  std::string holder_display_name;
  std::string title;
  std::string kind;
  std::string certifier_display_name;
  std::string credit_wording;
  std::string mandate_reference;
  absl::CivilDay award_date;
  int64_t issue_count = 0;
  bool duplicate = false;
  std::string revoke_reason;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

// OK when a certificate may be issued on `day` in the certifier's name, or is
// only proclaimed; NOT_MANDATED otherwise.
absl::Status CheckMandate(const AssessmentPlan& plan, absl::CivilDay day);

// The certificate that `decision` awards, without a number: proclaimed.
Certificate ProclaimCertificate(const Decision& decision,
                                const AssessmentPlan& plan,
                                const std::string& holder_display_name,
                                absl::Time now);

// Numbers a proclaimed certificate in the certifier's name. `sequence` counts
// from 1 within the body and the year of the award, without gaps.
// ILLEGAL_TRANSITION, NOT_MANDATED.
absl::Status IssueCertificate(Certificate& certificate,
                              const AssessmentPlan& plan, int64_t sequence);

// Records the number that the certifier gave. ILLEGAL_TRANSITION unless
// proclaimed.
absl::Status RecordNumber(Certificate& certificate, const std::string& number);

// Issues it again, under the same number and code, to the holder as named now.
// ILLEGAL_TRANSITION unless issued; REASON_REQUIRED.
absl::Status Reissue(Certificate& certificate, ReissueKind kind,
                     const std::string& holder_display_name,
                     const std::string& reason);

// Takes it back. ILLEGAL_TRANSITION when that has been done.
absl::Status Revoke(Certificate& certificate, const DecisionName& by);

// "OPALE-2027-0001".
std::string CertificateNumber(const BodyName& body, int64_t year,
                              int64_t sequence);

// Ten characters of Crockford's base 32: nine random ones and a check character
// (Luhn, modulo 32).
std::string NewCertificateCode();

// `typed` without case, spaces and hyphens, O as 0, I and L as 1; empty when it
// is no code, so that a slip of the pen is told from a forgery before anything
// is looked up.
std::string NormaliseCode(std::string_view typed);

// Whether `typed` is the code of a numbered certificate.
bool CodeMatches(const Certificate& certificate, std::string_view typed);

}  // namespace parcours::evaluation

namespace parcours {

template <>
struct EnumNames<evaluation::CertificateState> {
  static constexpr std::string_view values[] = {"PROCLAIMED", "ISSUED",
                                                "REVOKED"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_CERTIFICATE_H_
