#include "services/enrolment/domain/enrolment.h"

#include "common/status/error.h"
#include "common/text/view.h"

namespace parcours::enrolment {
namespace {

absl::Status Illegal(const Enrolment& enrolment, std::string_view action) {
  return MakeError(Reason::kIllegalTransition,
                   {{"resource", enrolment.name.text()},
                    {"state", std::string(NameOf(enrolment.state))},
                    {"action", std::string(action)}});
}

absl::Status TooEarly(std::string_view action, absl::CivilDay from) {
  return MakeError(Reason::kTooEarly, {{"action", std::string(action)},
                                       {"from", absl::FormatCivilTime(from)},
                                       {"article", "calendar of the cohort"}});
}

bool MayFollow(EnrolmentState from, EnrolmentState to) {
  switch (to) {
    case EnrolmentState::kDroppedOut:
    case EnrolmentState::kExcluded:
      return from == EnrolmentState::kStarted;
    case EnrolmentState::kReplaced:
    case EnrolmentState::kTransferred:
    // A contract signed shortly before the first day may be withdrawn from
    // after it.
    case EnrolmentState::kWithdrawn:
      return from == EnrolmentState::kEnrolled ||
             from == EnrolmentState::kStarted;
    case EnrolmentState::kNoShow:
      return from == EnrolmentState::kEnrolled;
    case EnrolmentState::kEnrolled:
    case EnrolmentState::kStarted:
    case EnrolmentState::kCompleted:
      return false;
  }
  return false;
}

}  // namespace

bool Commits(CommitmentKind commitment, PayerKind payer) {
  switch (commitment) {
    case CommitmentKind::kSignedAgreement:
      return true;
    case CommitmentKind::kPurchaseOrder:
      return payer == PayerKind::kEmployer ||
             payer == PayerKind::kPublicEmployer || payer == PayerKind::kOpco;
    case CommitmentKind::kEdofAcceptance:
      return payer == PayerKind::kCpf;
    case CommitmentKind::kFranceTravailGrant:
      return payer == PayerKind::kFranceTravail;
  }
  return false;
}

bool IsActive(const Enrolment& enrolment) {
  return enrolment.state == EnrolmentState::kEnrolled ||
         enrolment.state == EnrolmentState::kStarted;
}

absl::Status Start(Enrolment& enrolment, const Cohort& cohort,
                   absl::CivilDay today) {
  if (enrolment.state != EnrolmentState::kEnrolled) {
    return Illegal(enrolment, "StartEnrolment");
  }
  if (today < cohort.start_date) {
    return TooEarly("StartEnrolment", cohort.start_date);
  }
  enrolment.state = EnrolmentState::kStarted;
  return absl::OkStatus();
}

absl::Status Complete(Enrolment& enrolment, const Cohort& cohort,
                      absl::CivilDay today) {
  if (enrolment.state != EnrolmentState::kStarted) {
    return Illegal(enrolment, "CompleteEnrolment");
  }
  if (today < cohort.end_date) {
    return TooEarly("CompleteEnrolment", cohort.end_date);
  }
  enrolment.state = EnrolmentState::kCompleted;
  enrolment.end_date = cohort.end_date;
  return absl::OkStatus();
}

absl::Status EndEarly(Enrolment& enrolment, const EarlyEnd& end) {
  if (!MayFollow(enrolment.state, end.state)) {
    return Illegal(enrolment, NameOf(end.state));
  }
  enrolment.state = end.state;
  enrolment.end_date = end.last_day;
  enrolment.end_reason = end.reason;
  enrolment.force_majeure = end.force_majeure;
  return absl::OkStatus();
}

void LosePlace(Enrolment& enrolment, const std::string& reason,
               absl::CivilDay today) {
  if (!IsActive(enrolment)) return;
  enrolment.state = enrolment.state == EnrolmentState::kStarted
                        ? EnrolmentState::kDroppedOut
                        : EnrolmentState::kWithdrawn;
  enrolment.end_date = today;
  enrolment.end_reason = reason;
}

}  // namespace parcours::enrolment
