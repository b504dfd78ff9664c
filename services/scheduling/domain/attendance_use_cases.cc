#include "services/scheduling/domain/attendance_use_cases.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "services/scheduling/domain/session_record.h"

namespace parcours::scheduling {
namespace {

// Adds the entry that `make` decides on to the chain of a half-day, whose sheet
// is locked before anything is read.
absl::StatusOr<AttendanceEntry> AddEntry(
    SchedulingStore& store, const access::Caller& caller,
    const HalfDayName& half_day,
    absl::FunctionRef<absl::StatusOr<AttendanceEntry>(const Session&)> make) {
  return ChangeResource<AttendanceEntry>(
      store, caller, &SchedulingUnit::entries,
      [&](SchedulingUnit& unit) -> absl::StatusOr<AttendanceEntry> {
        // Tells an unpublished half-day from one that is not there.
        ASSIGN_OR_RETURN(
            const CalendarVersion published,
            ReadPublished(unit, caller, half_day.Under<CohortName>()));
        ASSIGN_OR_RETURN(AttendanceSheet sheet,
                         unit.sheets().Lock(caller.scope, SheetOf(half_day)));
        if (sheet.state == SheetState::kClosed) {
          return MakeError(Reason::kSheetClosed);
        }
        ASSIGN_OR_RETURN(Session session, ReadSession(unit, caller, half_day));
        ASSIGN_OR_RETURN(AttendanceEntry entry, make(session));
        RETURN_IF_ERROR(RecordEntry(unit, caller, sheet, entry, session));
        unit.sheets().Update(sheet);
        return entry;
      });
}

// The same on an entry that exists.
absl::StatusOr<AttendanceEntry> AddEntryOn(
    SchedulingStore& store, const access::Caller& caller, const EntryName& name,
    absl::FunctionRef<absl::StatusOr<AttendanceEntry>(const Session&)> make) {
  RETURN_IF_ERROR(GetResource<AttendanceEntry>(store, caller,
                                               &SchedulingUnit::entries, name)
                      .status());
  return AddEntry(store, caller, name.Under<HalfDayName>(), make);
}

// Everybody signs for themselves; for others, whose half-day it is. A learner
// who is not on the roster copy is not refused: the entry is to be reconciled.
absl::StatusOr<access::Caller> MaySign(SchedulingStore& store,
                                       const access::Caller& caller,
                                       const HalfDayName& half_day,
                                       const Signature& signature) {
  if (CheckSelf(caller, signature.signer.text()).ok()) {
    access::Caller whole = caller;
    whole.scope = caller.scope.Whole();
    return whole;
  }
  return WithinBody(store, caller, &SchedulingUnit::sheets, SheetOf(half_day));
}

SheetView ViewOf(AttendanceSheet sheet, const Session& session) {
  SheetView view;
  view.sheet = std::move(sheet);
  view.countersigned = Countersigned(session.entries);
  for (const SignerRecord& record : Records(session.entries)) {
    if (record.to_reconcile) {
      view.entries_to_reconcile.push_back(record.signature);
    }
    if (record.to_attest) view.entries_to_attest.push_back(record.signature);
  }
  if (view.sheet.state == SheetState::kOpen) {
    for (const RosterEntry& learner : MissingLearners(session)) {
      view.missing_enrolments.push_back(learner.enrolment);
    }
  }
  return view;
}

}  // namespace

absl::StatusOr<SheetView> GetSheet(SchedulingStore& store,
                                   const access::Caller& caller,
                                   const SheetName& name) {
  SheetView view;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(const Session session,
                     ReadSession(unit, caller, name.Under<HalfDayName>()));
    ASSIGN_OR_RETURN(AttendanceSheet sheet,
                     unit.sheets().Get(caller.scope, name));
    view = ViewOf(std::move(sheet), session);
    return absl::OkStatus();
  }));
  return view;
}

absl::StatusOr<Page<AttendanceEntry>> ListEntries(SchedulingStore& store,
                                                  const access::Caller& caller,
                                                  const HalfDayName& half_day,
                                                  const PageRequest& request) {
  int64_t after = 0;
  if (!request.after_key.empty() &&
      !absl::SimpleAtoi(request.after_key, &after)) {
    return MakeFieldError("page_token", Reason::kPageTokenInvalid);
  }
  Page<AttendanceEntry> page;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(page.feed_position, unit.FeedPosition());
    ASSIGN_OR_RETURN(page.items, unit.EntriesAfter(caller.scope, half_day,
                                                   after, request.size + 1));
    return absl::OkStatus();
  }));
  const auto size = static_cast<std::size_t>(request.size);
  if (page.items.size() > size) {
    page.items.resize(size);
    page.next_key = Cat(page.items.back().sequence);
  }
  return page;
}

absl::StatusOr<AttendanceEntry> SignAttendance(SchedulingStore& store,
                                               const rules::RuleBook& rules,
                                               const access::Caller& signing,
                                               const HalfDayName& half_day,
                                               const Signature& signature) {
  if (signature.signer.body() != half_day.body()) {
    return MakeFieldError("attendance_entry.signer", Reason::kUnknownReference);
  }
  ASSIGN_OR_RETURN(const access::Caller caller,
                   MaySign(store, signing, half_day, signature));
  return AddEntry(
      store, caller, half_day,
      [&](const Session& session) -> absl::StatusOr<AttendanceEntry> {
        ASSIGN_OR_RETURN(const SigningWindow window,
                         WindowOf(rules, session.half_day, session.time_zone));
        return Sign(session, window, signature, caller.now);
      });
}

absl::StatusOr<AttendanceEntry> CorrectAttendance(SchedulingStore& store,
                                                  const access::Caller& caller,
                                                  const EntryName& name,
                                                  const AttendanceClaim& claim,
                                                  const std::string& reason) {
  return AddEntryOn(store, caller, name, [&](const Session& session) {
    return Correct(session, name, claim, reason);
  });
}

absl::StatusOr<AttendanceEntry> AttestAttendance(SchedulingStore& store,
                                                 const rules::RuleBook& rules,
                                                 const access::Caller& caller,
                                                 const EntryName& name,
                                                 const PersonName& trainer) {
  RETURN_IF_ERROR(CheckSelf(caller, trainer.text()));
  return AddEntryOn(
      store, caller, name,
      [&](const Session& session) -> absl::StatusOr<AttendanceEntry> {
        ASSIGN_OR_RETURN(const SigningWindow window,
                         WindowOf(rules, session.half_day, session.time_zone));
        return Attest(session, window, name, trainer, caller.now);
      });
}

absl::StatusOr<AttendanceEntry> ReconcileAttendance(
    SchedulingStore& store, const access::Caller& caller, const EntryName& name,
    bool accepted, const EnrolmentName& enrolment, const std::string& reason) {
  return AddEntryOn(store, caller, name, [&](const Session& session) {
    return Reconcile(session, name, accepted, enrolment, reason);
  });
}

absl::StatusOr<SheetView> CloseSheet(SchedulingStore& store,
                                     const rules::RuleBook& rules,
                                     const access::Caller& caller,
                                     const SheetName& name,
                                     const Closing& closing) {
  const absl::StatusOr<ChangeOutcome> outcome = store.Change(
      caller, [&](SchedulingUnit& unit) -> absl::StatusOr<std::string> {
        const HalfDayName half_day = name.Under<HalfDayName>();
        ASSIGN_OR_RETURN(
            const CalendarVersion published,
            ReadPublished(unit, caller, half_day.Under<CohortName>()));
        ASSIGN_OR_RETURN(AttendanceSheet sheet,
                         unit.sheets().Lock(caller.scope, name));
        RETURN_IF_ERROR(CheckEtag(closing.etag, name.text(), sheet.version));
        if (sheet.state == SheetState::kClosed) {
          return MakeError(Reason::kSheetClosed);
        }
        ASSIGN_OR_RETURN(Session session, ReadSession(unit, caller, half_day));
        RETURN_IF_ERROR(RecordSettled(unit, caller, sheet, session));
        if (closing.mark_missing_absent) {
          for (AttendanceEntry& entry : MarkAbsent(session)) {
            RETURN_IF_ERROR(RecordEntry(unit, caller, sheet, entry, session));
          }
        }
        RETURN_IF_ERROR(Close(rules, session, closing.reason,
                              caller.principal.subject, caller.now, sheet));
        unit.sheets().Update(sheet);
        return name.text();
      });
  if (!outcome.ok()) return outcome.status();
  return GetSheet(store, caller, name);
}

absl::StatusOr<Page<Receipt>> ListReceipts(SchedulingStore& store,
                                           const access::Caller& caller,
                                           const SheetName& name,
                                           const PageRequest& request) {
  std::size_t from = 0;
  if (!request.after_key.empty() &&
      !absl::SimpleAtoi(request.after_key, &from)) {
    return MakeFieldError("page_token", Reason::kPageTokenInvalid);
  }
  Page<Receipt> page;
  std::vector<Receipt> receipts;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(page.feed_position, unit.FeedPosition());
    ASSIGN_OR_RETURN(const std::vector<AttendanceEntry> entries,
                     unit.EntriesOf(caller.scope, name.Under<HalfDayName>()));
    // Learners have their own receipts of a sheet that is not theirs.
    ASSIGN_OR_RETURN(
        const AttendanceSheet sheet,
        unit.sheets().Get(entries.empty() ? caller.scope : caller.scope.Whole(),
                          name));
    ASSIGN_OR_RETURN(receipts, ReceiptsOf(sheet, entries));
    return absl::OkStatus();
  }));
  // A closed sheet never changes: places in it are stable.
  const std::size_t end =
      std::min(receipts.size(), from + static_cast<std::size_t>(request.size));
  for (; from < end; ++from) page.items.push_back(std::move(receipts[from]));
  if (end < receipts.size()) page.next_key = Cat(end);
  return page;
}

absl::StatusOr<Verification> VerifySheet(
    SchedulingStore& store, const access::Caller& caller, const SheetName& name,
    const std::optional<Receipt>& receipt) {
  Verification verification;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(const AttendanceSheet sheet,
                     unit.sheets().Get(caller.scope, name));
    ASSIGN_OR_RETURN(const std::vector<AttendanceEntry> entries,
                     unit.EntriesOf(caller.scope, sheet.half_day()));
    verification = Verify(sheet, entries, receipt);
    return absl::OkStatus();
  }));
  return verification;
}

}  // namespace parcours::scheduling
