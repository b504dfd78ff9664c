#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_ATTENDANCE_USE_CASES_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_ATTENDANCE_USE_CASES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/rules/rule_book.h"
#include "common/types/record.h"
#include "services/scheduling/domain/attendance.h"
#include "services/scheduling/domain/scheduling_store.h"

namespace parcours::scheduling {

// The use cases of attendance. Each returns, besides what is named here, the
// errors of SchedulingStore, NOT_FOUND, PERMISSION_DENIED,
// CALENDAR_NOT_PUBLISHED and, where it adds an entry, SHEET_CLOSED.

// A sheet with what follows from its entries.
struct SheetView {
  AttendanceSheet sheet;
  std::vector<EnrolmentName> missing_enrolments;
  std::vector<EntryName> entries_to_reconcile;
  std::vector<EntryName> entries_to_attest;
  bool countersigned = false;
};
absl::StatusOr<SheetView> GetSheet(SchedulingStore& store,
                                   const access::Caller& caller,
                                   const SheetName& name);

absl::StatusOr<Page<AttendanceEntry>> ListEntries(SchedulingStore& store,
                                                  const access::Caller& caller,
                                                  const HalfDayName& half_day,
                                                  const PageRequest& request);

// The errors of Sign; UNKNOWN_REFERENCE for a signer of another body.
absl::StatusOr<AttendanceEntry> SignAttendance(SchedulingStore& store,
                                               const rules::RuleBook& rules,
                                               const access::Caller& caller,
                                               const HalfDayName& half_day,
                                               const Signature& signature);

// The errors of Correct.
absl::StatusOr<AttendanceEntry> CorrectAttendance(SchedulingStore& store,
                                                  const access::Caller& caller,
                                                  const EntryName& name,
                                                  const AttendanceClaim& claim,
                                                  const std::string& reason);

// The errors of Attest.
absl::StatusOr<AttendanceEntry> AttestAttendance(SchedulingStore& store,
                                                 const rules::RuleBook& rules,
                                                 const access::Caller& caller,
                                                 const EntryName& name,
                                                 const PersonName& trainer);

// The errors of Reconcile.
absl::StatusOr<AttendanceEntry> ReconcileAttendance(
    SchedulingStore& store, const access::Caller& caller, const EntryName& name,
    bool accepted, const EnrolmentName& enrolment, const std::string& reason);

struct Closing {
  // Records missing learners as absent instead of refusing.
  bool mark_missing_absent = false;
  std::string reason;
  std::string etag;
};
// What waited and is known by now is settled first. The errors of Close;
// ETAG_MISMATCH.
absl::StatusOr<SheetView> CloseSheet(SchedulingStore& store,
                                     const rules::RuleBook& rules,
                                     const access::Caller& caller,
                                     const SheetName& name,
                                     const Closing& closing);

// SHEET_OPEN.
absl::StatusOr<Page<Receipt>> ListReceipts(SchedulingStore& store,
                                           const access::Caller& caller,
                                           const SheetName& name,
                                           const PageRequest& request);

absl::StatusOr<Verification> VerifySheet(SchedulingStore& store,
                                         const access::Caller& caller,
                                         const SheetName& name,
                                         const std::optional<Receipt>& receipt);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_ATTENDANCE_USE_CASES_H_
