#include "services/scheduling/domain/attendance.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "common/crypto/digest.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::scheduling {
namespace {

// Bytes of the salt of a commitment.
constexpr std::size_t kSaltBytes = 16;

// Most names in an error: metadata travel in headers.
constexpr std::size_t kMaximumNames = 8;

bool IsBlank(const std::string& text) {
  return absl::StripAsciiWhitespace(text).empty();
}

std::string Print(absl::Time time, std::string_view time_zone) {
  return absl::FormatTime(absl::RFC3339_sec, time, ZoneOf(time_zone));
}

template <typename Names>
std::string JoinIds(const Names& names) {
  std::vector<std::string> ids;
  for (const auto& name : names) {
    if (ids.size() == kMaximumNames) {
      ids.emplace_back("…");
      break;
    }
    ids.emplace_back(name.id());
  }
  return absl::StrJoin(ids, ", ");
}

absl::Status OutsideSlot(const Session& session, absl::Time closes) {
  return MakeError(
      Reason::kOutsideSlot,
      {{"starts", Print(session.half_day.start, session.time_zone)},
       {"ends", Print(session.half_day.end, session.time_zone)},
       {"closes", Print(closes, session.time_zone)}});
}

absl::Status IllegalAct(const EntryName& about, std::string_view state,
                        std::string_view action) {
  return MakeError(Reason::kIllegalTransition,
                   {{"resource", about.text()},
                    {"state", std::string(state)},
                    {"action", std::string(action)}});
}

bool NeedsArrival(AttendanceStatus status) {
  return status == AttendanceStatus::kLate;
}
bool KnowsArrival(AttendanceStatus status) {
  return status == AttendanceStatus::kLate ||
         status == AttendanceStatus::kLeftEarly;
}
bool KnowsDeparture(AttendanceStatus status) {
  return status == AttendanceStatus::kLeftEarly;
}

bool IsAbsence(AttendanceStatus status) {
  return status == AttendanceStatus::kAbsent ||
         status == AttendanceStatus::kJustified;
}

// Nobody signs an absence for themselves; only the coordination accepts an
// excuse.
bool MaySay(SigningMeans means, AttendanceStatus status) {
  if (!IsAbsence(status) || means == SigningMeans::kCoordinatorEntry) {
    return true;
  }
  return status == AttendanceStatus::kAbsent &&
         means == SigningMeans::kTrainerDevice;
}

const SignerRecord* FindRecord(const std::vector<SignerRecord>& records,
                               const PersonName& signer, SignerRole role) {
  auto found = std::find_if(
      records.begin(), records.end(), [&](const SignerRecord& record) {
        return record.signer == signer && record.role == role;
      });
  return found == records.end() ? nullptr : &*found;
}

// The record whose latest entry is `entry`.
const SignerRecord* FindByLatest(const std::vector<SignerRecord>& records,
                                 const EntryName& entry) {
  auto found = std::find_if(
      records.begin(), records.end(),
      [&](const SignerRecord& record) { return record.latest == entry; });
  return found == records.end() ? nullptr : &*found;
}

const SignerRecord* FindBySignature(const std::vector<SignerRecord>& records,
                                    const EntryName& entry) {
  auto found = std::find_if(
      records.begin(), records.end(),
      [&](const SignerRecord& record) { return record.signature == entry; });
  return found == records.end() ? nullptr : &*found;
}

// An entry that says something further about the signer of `record`.
AttendanceEntry EntryOn(const SignerRecord& record, EntryAct act,
                        const EntryName& about, SigningMeans means) {
  AttendanceEntry entry;
  entry.act = act;
  entry.signer = record.signer;
  entry.role = record.role;
  entry.enrolment = record.enrolment;
  entry.person = record.signer;
  entry.claim = record.claim;
  entry.attended_minutes = record.attended_minutes;
  entry.means = means;
  entry.about = about;
  return entry;
}

// Unambiguous: each field goes in with its length.
class Content {
 public:
  Content& Add(std::string_view field) {
    CatTo(bytes_, field.size(), ":", field, ";");
    return *this;
  }
  Content& Add(int64_t number) { return Add(std::string_view(Cat(number))); }
  Content& Add(const std::optional<absl::Time>& time) {
    return time.has_value() ? Add(absl::ToUnixMicros(*time)) : Add("-");
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::string TextsOf(const AttendanceEntry& entry) {
  return Content()
      .Add(entry.witness)
      .Add(entry.statement)
      .Add(entry.reason)
      .bytes();
}

// The instant at which the local day of `half_day` plus `days` ends.
absl::Time EndOfDayAfter(const HalfDay& half_day, int64_t days,
                         std::string_view time_zone) {
  return absl::FromCivil(half_day.date + days + 1, ZoneOf(time_zone));
}

}  // namespace

absl::StatusOr<SigningWindow> WindowOf(const rules::RuleBook& rules,
                                       const HalfDay& half_day,
                                       std::string_view time_zone) {
  ASSIGN_OR_RETURN(const rules::DatedRule before,
                   rules.AsOf(kSigningOpensBefore, half_day.date));
  ASSIGN_OR_RETURN(const rules::DatedRule after,
                   rules.AsOf(kSigningClosesAfter, half_day.date));
  ASSIGN_OR_RETURN(const rules::DatedRule late,
                   rules.AsOf(kLateSignature, half_day.date));
  SigningWindow window;
  window.opens = half_day.start - absl::Minutes(before.value);
  window.closes = half_day.end + absl::Minutes(after.value);
  window.late_until =
      std::max(window.closes, EndOfDayAfter(half_day, late.value, time_zone));
  return window;
}

int64_t AttendedMinutes(const HalfDay& half_day, const AttendanceClaim& claim) {
  if (IsAbsence(claim.status)) return 0;
  const absl::Time from = claim.arrival.value_or(half_day.start);
  const absl::Time to = claim.departure.value_or(half_day.end);
  return std::max<int64_t>(0, absl::ToInt64Minutes(to - from));
}

void Validate(const HalfDay& half_day, const AttendanceClaim& claim,
              std::string_view prefix, FieldViolations& violations) {
  const auto check = [&](std::string_view field,
                         const std::optional<absl::Time>& time, bool needed,
                         bool known) {
    const std::string path = Cat(prefix, field);
    if (!time.has_value()) {
      if (needed) violations.Add(path, Reason::kFieldRequired);
      return;
    }
    if (!known) {
      violations.Add(path, Reason::kFieldMalformed,
                     {{"expected", Cat("absent for ", NameOf(claim.status))}});
      return;
    }
    if (*time < half_day.start || *time > half_day.end) {
      violations.Add(
          path, Reason::kFieldOutOfRange,
          {{"minimum", absl::FormatTime(half_day.start, absl::UTCTimeZone())},
           {"maximum", absl::FormatTime(half_day.end, absl::UTCTimeZone())}});
    }
  };
  check("arrival_time", claim.arrival, NeedsArrival(claim.status),
        KnowsArrival(claim.status));
  check("departure_time", claim.departure, KnowsDeparture(claim.status),
        KnowsDeparture(claim.status));
  if (claim.arrival.has_value() && claim.departure.has_value() &&
      *claim.departure < *claim.arrival) {
    violations.Add(Cat(prefix, "departure_time"), Reason::kDatesOutOfOrder,
                   {{"earlier", Cat(prefix, "arrival_time")}});
  }
}

std::vector<SignerRecord> Records(const std::vector<AttendanceEntry>& entries) {
  std::vector<SignerRecord> records;
  const auto find = [&](const EntryName& about) {
    return std::find_if(
        records.begin(), records.end(), [&](const SignerRecord& record) {
          return record.latest == about || record.signature == about;
        });
  };
  for (const AttendanceEntry& entry : entries) {
    if (entry.act == EntryAct::kSignature) {
      const bool to_attest = entry.late && entry.role == SignerRole::kLearner &&
                             entry.means != SigningMeans::kCoordinatorEntry;
      records.push_back({entry.signer, entry.role, entry.enrolment, entry.claim,
                         entry.attended_minutes, entry.name, entry.name,
                         entry.to_reconcile, to_attest});
      continue;
    }
    auto record = find(entry.about);
    if (record == records.end()) continue;
    switch (entry.act) {
      case EntryAct::kSignature:
        break;
      case EntryAct::kCorrection:
        record->claim = entry.claim;
        record->attended_minutes = entry.attended_minutes;
        record->latest = entry.name;
        record->to_attest = false;
        break;
      case EntryAct::kAttestation:
        record->to_attest = false;
        break;
      case EntryAct::kReconciliation:
        if (entry.accepted) {
          record->enrolment = entry.enrolment;
          record->to_reconcile = false;
        } else {
          records.erase(record);
        }
        break;
    }
  }
  return records;
}

bool Teaches(const HalfDay& half_day, const PersonName& person) {
  return std::any_of(half_day.trainers.begin(), half_day.trainers.end(),
                     [&](const TrainerAssignment& trainer) {
                       return trainer.person == person;
                     });
}

absl::StatusOr<AttendanceEntry> Sign(const Session& session,
                                     const SigningWindow& window,
                                     const Signature& signature,
                                     absl::Time now) {
  const HalfDay& half_day = session.half_day;
  FieldViolations violations;
  Validate(half_day, signature.claim, "attendance_entry.", violations);
  if (signature.means == SigningMeans::kAutomatic ||
      !MaySay(signature.means, signature.claim.status)) {
    violations.Add("attendance_entry.means", Reason::kFieldMalformed,
                   {{"expected", "a means that may say so"}});
  }
  if (signature.means == SigningMeans::kAssisted &&
      IsBlank(signature.witness)) {
    violations.Add("attendance_entry.witness", Reason::kFieldRequired);
  }
  const bool late = now >= window.closes;
  const bool by_coordinator =
      signature.means == SigningMeans::kCoordinatorEntry;
  if (late && by_coordinator && IsBlank(signature.statement)) {
    violations.Add("attendance_entry.statement", Reason::kReasonRequired);
  }
  RETURN_IF_ERROR(violations.ToStatus());
  if (now < window.opens) return OutsideSlot(session, window.closes);
  if (late && !by_coordinator &&
      (IsBlank(signature.statement) || now >= window.late_until)) {
    return OutsideSlot(session, window.closes);
  }
  if (FindRecord(Records(session.entries), signature.signer, signature.role) !=
      nullptr) {
    return MakeError(Reason::kAlreadySigned);
  }

  AttendanceEntry entry;
  entry.act = EntryAct::kSignature;
  entry.signer = signature.signer;
  entry.role = signature.role;
  entry.claim = signature.claim;
  entry.attended_minutes = AttendedMinutes(half_day, signature.claim);
  entry.means = signature.means;
  entry.witness = signature.witness;
  entry.statement = signature.statement;
  entry.late = late;
  if (signature.role == SignerRole::kTrainer) {
    entry.to_reconcile = !Teaches(half_day, signature.signer);
  } else if (const RosterEntry* learner = FindParticipant(
                 session.roster, signature.signer, half_day.start)) {
    entry.enrolment = learner->enrolment;
  } else {
    entry.to_reconcile = true;
  }
  return entry;
}

absl::StatusOr<AttendanceEntry> Correct(const Session& session,
                                        const EntryName& about,
                                        const AttendanceClaim& claim,
                                        const std::string& reason) {
  const std::vector<SignerRecord> records = Records(session.entries);
  const SignerRecord* record = FindByLatest(records, about);
  if (record == nullptr) {
    return IllegalAct(about, "SUPERSEDED", "CorrectAttendanceEntry");
  }
  FieldViolations violations;
  Validate(session.half_day, claim, "", violations);
  if (IsBlank(reason)) violations.Add("reason", Reason::kReasonRequired);
  RETURN_IF_ERROR(violations.ToStatus());
  AttendanceEntry entry = EntryOn(*record, EntryAct::kCorrection, about,
                                  SigningMeans::kCoordinatorEntry);
  entry.claim = claim;
  entry.attended_minutes = AttendedMinutes(session.half_day, claim);
  entry.reason = reason;
  return entry;
}

absl::StatusOr<AttendanceEntry> Attest(const Session& session,
                                       const SigningWindow& window,
                                       const EntryName& about,
                                       const PersonName& trainer,
                                       absl::Time now) {
  if (!Teaches(session.half_day, trainer)) {
    return MakeFieldError("trainer", Reason::kUnknownReference);
  }
  const std::vector<SignerRecord> records = Records(session.entries);
  const SignerRecord* record = FindByLatest(records, about);
  if (record == nullptr || !record->to_attest) {
    return IllegalAct(about, "NOT_TO_ATTEST", "AttestAttendanceEntry");
  }
  if (now >= window.late_until) return OutsideSlot(session, window.late_until);
  AttendanceEntry entry = EntryOn(*record, EntryAct::kAttestation, about,
                                  SigningMeans::kPersonalLink);
  entry.signer = trainer;
  entry.role = SignerRole::kTrainer;
  entry.late = true;
  return entry;
}

absl::StatusOr<AttendanceEntry> Reconcile(const Session& session,
                                          const EntryName& about, bool accepted,
                                          const EnrolmentName& enrolment,
                                          const std::string& reason) {
  const std::vector<SignerRecord> records = Records(session.entries);
  const SignerRecord* record = FindBySignature(records, about);
  if (record == nullptr || !record->to_reconcile) {
    return IllegalAct(about, "NOT_TO_RECONCILE", "ReconcileAttendanceEntry");
  }
  FieldViolations violations;
  if (IsBlank(reason)) violations.Add("reason", Reason::kReasonRequired);
  const bool learner = record->role == SignerRole::kLearner;
  if (accepted && learner) {
    const bool known = std::any_of(session.roster.begin(), session.roster.end(),
                                   [&](const RosterEntry& entry) {
                                     return entry.enrolment == enrolment &&
                                            entry.person == record->signer;
                                   });
    if (!known) violations.Add("enrolment", Reason::kUnknownReference);
  }
  RETURN_IF_ERROR(violations.ToStatus());
  AttendanceEntry entry = EntryOn(*record, EntryAct::kReconciliation, about,
                                  SigningMeans::kCoordinatorEntry);
  entry.accepted = accepted;
  if (accepted && learner) entry.enrolment = enrolment;
  entry.reason = reason;
  return entry;
}

std::vector<AttendanceEntry> SettleKnown(const Session& session) {
  std::vector<AttendanceEntry> settled;
  for (const SignerRecord& record : Records(session.entries)) {
    if (!record.to_reconcile) continue;
    AttendanceEntry entry = EntryOn(record, EntryAct::kReconciliation,
                                    record.signature, SigningMeans::kAutomatic);
    entry.accepted = true;
    if (record.role == SignerRole::kTrainer) {
      if (!Teaches(session.half_day, record.signer)) continue;
    } else {
      const RosterEntry* learner = FindParticipant(
          session.roster, record.signer, session.half_day.start);
      if (learner == nullptr) continue;
      entry.enrolment = learner->enrolment;
    }
    settled.push_back(std::move(entry));
  }
  return settled;
}

std::vector<RosterEntry> MissingLearners(const Session& session) {
  const std::vector<SignerRecord> records = Records(session.entries);
  std::vector<RosterEntry> missing;
  for (const RosterEntry& learner : session.roster) {
    if (!TakesPartAt(learner, session.half_day.start)) continue;
    const bool recorded = std::any_of(
        records.begin(), records.end(), [&](const SignerRecord& record) {
          return record.enrolment == learner.enrolment && record.counts();
        });
    if (!recorded) missing.push_back(learner);
  }
  return missing;
}

std::vector<AttendanceEntry> MarkAbsent(const Session& session) {
  const std::vector<SignerRecord> records = Records(session.entries);
  std::vector<AttendanceEntry> absent;
  for (const RosterEntry& learner : MissingLearners(session)) {
    AttendanceEntry entry{.signer = learner.person,
                          .enrolment = learner.enrolment,
                          .claim = {.status = AttendanceStatus::kAbsent},
                          .means = SigningMeans::kCoordinatorEntry};
    const SignerRecord* record =
        FindRecord(records, learner.person, SignerRole::kLearner);
    if (record != nullptr) {
      // A late statement that no trainer has attested.
      entry.act = EntryAct::kCorrection;
      entry.about = record->latest;
    }
    absent.push_back(std::move(entry));
  }
  return absent;
}

bool Countersigned(const std::vector<AttendanceEntry>& entries) {
  const std::vector<SignerRecord> records = Records(entries);
  return std::any_of(
      records.begin(), records.end(), [](const SignerRecord& record) {
        return record.role == SignerRole::kTrainer && record.counts() &&
               !IsAbsence(record.claim.status);
      });
}

absl::Status Append(absl::Time now, const std::string& author,
                    AttendanceSheet& sheet, AttendanceEntry& entry) {
  if (sheet.state == SheetState::kClosed) {
    return MakeError(Reason::kSheetClosed);
  }
  entry.name = ChildName<EntryName>(sheet.half_day(), "attendanceEntries",
                                    NewUuidV7(now));
  entry.sequence = sheet.entry_count + 1;
  entry.author = author;
  if (entry.person.empty()) entry.person = entry.signer;
  entry.create_time = now;
  entry.salt = crypto::RandomHex(kSaltBytes);
  entry.commitment = crypto::Commitment(entry.salt, TextsOf(entry));
  entry.previous_hash = sheet.chain_head;
  entry.hash = HashOf(entry);
  sheet.entry_count = entry.sequence;
  sheet.chain_head = entry.hash;
  return absl::OkStatus();
}

absl::Status Close(const rules::RuleBook& rules, const Session& session,
                   const std::string& reason, const std::string& author,
                   absl::Time now, AttendanceSheet& sheet) {
  if (sheet.state == SheetState::kClosed) {
    return MakeError(Reason::kSheetClosed);
  }
  const HalfDay& half_day = session.half_day;
  const auto too_early = [&](absl::Time from, std::string_view article) {
    return MakeError(Reason::kTooEarly,
                     {{"action", "CloseAttendanceSheet"},
                      {"from", Print(from, session.time_zone)},
                      {"article", std::string(article)}});
  };
  if (now < half_day.end) return too_early(half_day.end, "fin de la séance");
  std::vector<EntryName> unsettled;
  for (const SignerRecord& record : Records(session.entries)) {
    if (record.to_reconcile) unsettled.push_back(record.signature);
  }
  if (!unsettled.empty()) {
    return MakeError(Reason::kSheetNotReconciled,
                     {{"entries", JoinIds(unsettled)}});
  }
  std::vector<EnrolmentName> missing;
  for (const RosterEntry& learner : MissingLearners(session)) {
    missing.push_back(learner.enrolment);
  }
  if (!missing.empty()) {
    return MakeError(Reason::kSheetIncomplete, {{"missing", JoinIds(missing)}});
  }
  if (!Countersigned(session.entries)) {
    ASSIGN_OR_RETURN(const rules::DatedRule rule,
                     rules.AsOf(kClosingByCoordinator, half_day.date));
    const absl::Time from =
        EndOfDayAfter(half_day, rule.value, session.time_zone);
    if (now < from) return too_early(from, rule.article);
    if (IsBlank(reason)) {
      return MakeFieldError("reason", Reason::kReasonRequired);
    }
  }
  sheet.state = SheetState::kClosed;
  sheet.root = sheet.chain_head;
  // As precise as the record keeps it, so that receipts compare equal.
  sheet.close_time = absl::FromUnixMicros(absl::ToUnixMicros(now));
  sheet.close_reason = reason;
  sheet.closed_by = author;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Receipt>> ReceiptsOf(
    const AttendanceSheet& sheet, const std::vector<AttendanceEntry>& entries) {
  if (sheet.state != SheetState::kClosed) {
    return MakeError(Reason::kSheetOpen,
                     {{"half_days", std::string(sheet.half_day().id())}});
  }
  std::vector<Receipt> receipts;
  for (const AttendanceEntry& entry : entries) {
    if (entry.act != EntryAct::kSignature) continue;
    receipts.push_back({sheet.name, entry.name, entry.hash, entry.signer,
                        sheet.root, sheet.close_time.value_or(absl::Time())});
  }
  return receipts;
}

std::string HashOf(const AttendanceEntry& entry) {
  return crypto::Sha256Hex(Content()
                               .Add("parcours.attendance.1")
                               .Add(entry.previous_hash)
                               .Add(entry.name.text())
                               .Add(entry.sequence)
                               .Add(NameOf(entry.act))
                               .Add(entry.signer.text())
                               .Add(NameOf(entry.role))
                               .Add(entry.enrolment.text())
                               .Add(NameOf(entry.claim.status))
                               .Add(entry.claim.arrival)
                               .Add(entry.claim.departure)
                               .Add(entry.attended_minutes)
                               .Add(NameOf(entry.means))
                               .Add(absl::ToUnixMicros(entry.create_time))
                               .Add(static_cast<int64_t>(entry.late))
                               .Add(static_cast<int64_t>(entry.to_reconcile))
                               .Add(entry.about.text())
                               .Add(static_cast<int64_t>(entry.accepted))
                               .Add(entry.author)
                               .Add(entry.commitment)
                               .bytes());
}

Verification Verify(const AttendanceSheet& sheet,
                    const std::vector<AttendanceEntry>& entries,
                    const std::optional<Receipt>& receipt) {
  Verification verification;
  const auto add = [&](ChainProblemKind kind, int64_t sequence) {
    verification.problems.push_back({kind, sequence});
  };
  int64_t expected_sequence = 0;
  const AttendanceEntry* receipted = nullptr;
  for (const AttendanceEntry& entry : entries) {
    ++expected_sequence;
    if (entry.sequence != expected_sequence ||
        entry.previous_hash != verification.computed_root) {
      add(ChainProblemKind::kBrokenLink, entry.sequence);
    }
    const bool texts_erased = entry.salt.empty();
    if (HashOf(entry) != entry.hash ||
        (!texts_erased &&
         crypto::Commitment(entry.salt, TextsOf(entry)) != entry.commitment)) {
      add(ChainProblemKind::kAltered, entry.sequence);
    }
    // Goes on from what is recorded, so that each fault is named once.
    verification.computed_root = entry.hash;
    expected_sequence = entry.sequence;
    if (receipt.has_value() && entry.name == receipt->entry) {
      receipted = &entry;
    }
  }
  if (expected_sequence < sheet.entry_count) {
    add(ChainProblemKind::kTruncated, 0);
  }
  const std::string& recorded_root =
      sheet.state == SheetState::kClosed ? sheet.root : sheet.chain_head;
  if (verification.computed_root != recorded_root) {
    add(ChainProblemKind::kRootMismatch, 0);
  }
  if (receipt.has_value()) {
    const bool fits = receipt->sheet == sheet.name && receipted != nullptr &&
                      receipted->hash == receipt->entry_hash &&
                      receipted->signer == receipt->signer &&
                      sheet.state == SheetState::kClosed &&
                      verification.computed_root == receipt->root &&
                      sheet.close_time == receipt->close_time;
    if (!fits) {
      add(ChainProblemKind::kReceiptMismatch,
          receipted == nullptr ? 0 : receipted->sequence);
    }
  }
  return verification;
}

}  // namespace parcours::scheduling
