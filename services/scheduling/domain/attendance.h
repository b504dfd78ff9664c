#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_ATTENDANCE_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_ATTENDANCE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rules/rule_book.h"
#include "common/status/error.h"
#include "common/types/enum_names.h"
#include "services/scheduling/domain/calendar.h"
#include "services/scheduling/domain/names.h"
#include "services/scheduling/domain/roster.h"

namespace parcours::scheduling {

// Rules that attendance looks up, as of the day of the half-day.
inline constexpr std::string_view kSigningOpensBefore =
    "attendance.signing_opens_before";
inline constexpr std::string_view kSigningClosesAfter =
    "attendance.signing_closes_after";
inline constexpr std::string_view kLateSignature = "attendance.late_signature";
inline constexpr std::string_view kClosingByCoordinator =
    "attendance.sheet_closing_by_coordinator";

// What an entry does.
enum class EntryAct { kSignature, kCorrection, kAttestation, kReconciliation };

// As what the signer signs.
enum class SignerRole { kLearner, kTrainer };

// What an entry says. Why somebody was absent is not kept.
enum class AttendanceStatus {
  kPresent,
  kLate,
  kLeftEarly,
  kAbsent,
  kJustified,
};

// How a signature was given.
enum class SigningMeans {
  kPersonalLink,
  kRotatingCode,
  kTrainerDevice,
  kAssisted,
  kCoordinatorEntry,
  kAutomatic,
};

// What somebody says about a person at a half-day. Instants are set for who
// came late or left early.
struct AttendanceClaim {
  AttendanceStatus status = AttendanceStatus::kPresent;
  std::optional<absl::Time> arrival;
  std::optional<absl::Time> departure;
};

// A line of a sheet. Only ever added.
struct AttendanceEntry {
  EntryName name;
  // Place in the chain, from 1 on.
  int64_t sequence = 0;
  EntryAct act = EntryAct::kSignature;
  PersonName signer;
  SignerRole role = SignerRole::kLearner;
  EnrolmentName enrolment;
  // Whose the free texts are: the learner whom the entry is about; of a
  // trainer's own, the trainer. Not part of the chain.
  PersonName person;
  AttendanceClaim claim;
  int64_t attended_minutes = 0;
  SigningMeans means = SigningMeans::kPersonalLink;
  // Free texts, which may speak of a person. The chain holds a commitment to
  // them only: erased together with `salt`, they leave it valid.
  std::string witness;
  std::string statement;
  std::string reason;
  std::string salt;
  std::string commitment;
  bool late = false;
  bool to_reconcile = false;
  EntryName about;
  bool accepted = false;
  // Subject of who added the entry; stable and without meaning outside.
  std::string author;
  std::string previous_hash;
  std::string hash;
  int64_t version = 0;
  // When the entry was recorded, in business time.
  absl::Time create_time;
  absl::Time update_time;

  HalfDayName half_day() const { return name.Under<HalfDayName>(); }
};

enum class SheetState { kOpen, kClosed };

// The head of the chain of one half-day, and the row that every entry locks.
struct AttendanceSheet {
  SheetName name;
  SheetState state = SheetState::kOpen;
  int64_t entry_count = 0;
  std::string chain_head;
  std::string root;
  std::optional<absl::Time> close_time;
  std::string close_reason;
  std::string closed_by;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;

  HalfDayName half_day() const { return name.Under<HalfDayName>(); }
};

// What the entries together say about one signer.
struct SignerRecord {
  PersonName signer;
  SignerRole role = SignerRole::kLearner;
  EnrolmentName enrolment;
  AttendanceClaim claim;
  int64_t attended_minutes = 0;
  // The signature and the latest entry that says something about the signer.
  EntryName signature;
  EntryName latest;
  bool to_reconcile = false;
  bool to_attest = false;

  // Whether the record decides anything.
  bool counts() const { return !to_reconcile && !to_attest; }
};

// When a half-day can be signed. Half-open: from `opens` until before
// `closes`; a late statement or attestation until before `late_until`.
struct SigningWindow {
  absl::Time opens;
  absl::Time closes;
  absl::Time late_until;
};

// What a signer hands in.
struct Signature {
  PersonName signer;
  SignerRole role = SignerRole::kLearner;
  AttendanceClaim claim;
  SigningMeans means = SigningMeans::kPersonalLink;
  std::string witness;
  std::string statement;
};

// A published half-day with what has been recorded on it.
struct Session {
  HalfDay half_day;
  std::string time_zone;
  std::vector<AttendanceEntry> entries;
  std::vector<RosterEntry> roster;
};

// A receipt: with it, a signer can show that a sheet was rewritten.
struct Receipt {
  SheetName sheet;
  EntryName entry;
  std::string entry_hash;
  PersonName signer;
  std::string root;
  absl::Time close_time;
};

enum class ChainProblemKind {
  kAltered,
  kBrokenLink,
  kTruncated,
  kRootMismatch,
  kReceiptMismatch,
};

struct ChainProblem {
  ChainProblemKind kind = ChainProblemKind::kAltered;
  // Place in the chain; 0 means the sheet.
  int64_t sequence = 0;

  friend bool operator==(const ChainProblem&, const ChainProblem&) = default;
};

struct Verification {
  std::vector<ChainProblem> problems;
  std::string computed_root;
};

// Window of the half-day after the rules of its day.
absl::StatusOr<SigningWindow> WindowOf(const rules::RuleBook& rules,
                                       const HalfDay& half_day,
                                       std::string_view time_zone);

// Whole minutes of the half-day that `claim` attends; parts of a minute do not
// count.
int64_t AttendedMinutes(const HalfDay& half_day, const AttendanceClaim& claim);

// FIELD_REQUIRED for an arrival or departure that the status needs,
// FIELD_MALFORMED for one that it does not know, FIELD_OUT_OF_RANGE outside the
// half-day, DATES_OUT_OF_ORDER.
void Validate(const HalfDay& half_day, const AttendanceClaim& claim,
              std::string_view prefix, FieldViolations& violations);

// What the entries, in order, say about each signer, by signature. What was
// set aside by a reconciliation is left out.
std::vector<SignerRecord> Records(const std::vector<AttendanceEntry>& entries);

// Whether `person` teaches the half-day as it was published.
bool Teaches(const HalfDay& half_day, const PersonName& person);

// The entry of a signature at `now`. Somebody whom neither the roster nor the
// trainers know is recorded to be reconciled. OUTSIDE_SLOT, ALREADY_SIGNED and
// field errors.
absl::StatusOr<AttendanceEntry> Sign(const Session& session,
                                     const SigningWindow& window,
                                     const Signature& signature,
                                     absl::Time now);

// The entry that corrects `about`, which must be the latest on its signer:
// ILLEGAL_TRANSITION otherwise; REASON_REQUIRED and field errors.
absl::StatusOr<AttendanceEntry> Correct(const Session& session,
                                        const EntryName& about,
                                        const AttendanceClaim& claim,
                                        const std::string& reason);

// The entry by which `trainer` attests the late entry `about`. OUTSIDE_SLOT,
// ILLEGAL_TRANSITION, UNKNOWN_REFERENCE for somebody who does not teach.
absl::StatusOr<AttendanceEntry> Attest(const Session& session,
                                       const SigningWindow& window,
                                       const EntryName& about,
                                       const PersonName& trainer,
                                       absl::Time now);

// The entry that settles `about`. `enrolment` is that of an accepted learner,
// on the roster of the same person: UNKNOWN_REFERENCE otherwise;
// ILLEGAL_TRANSITION, REASON_REQUIRED.
absl::StatusOr<AttendanceEntry> Reconcile(const Session& session,
                                          const EntryName& about, bool accepted,
                                          const EnrolmentName& enrolment,
                                          const std::string& reason);

// The entries that accept what waited and is now known: to the roster, or among
// the trainers.
std::vector<AttendanceEntry> SettleKnown(const Session& session);

// Learners who take part in the half-day and have no record that counts.
std::vector<RosterEntry> MissingLearners(const Session& session);

// The entries that make each of them absent.
std::vector<AttendanceEntry> MarkAbsent(const Session& session);

// Whether a trainer of the half-day has signed.
bool Countersigned(const std::vector<AttendanceEntry>& entries);

// Adds `entry` to the chain of `sheet`: gives it its name, place, salt,
// commitment and hash. SHEET_CLOSED.
absl::Status Append(absl::Time now, const std::string& author,
                    AttendanceSheet& sheet, AttendanceEntry& entry);

// Closes the sheet for ever. SHEET_CLOSED, TOO_EARLY, SHEET_NOT_RECONCILED,
// SHEET_INCOMPLETE, REASON_REQUIRED.
absl::Status Close(const rules::RuleBook& rules, const Session& session,
                   const std::string& reason, const std::string& author,
                   absl::Time now, AttendanceSheet& sheet);

// One for each signature of a closed sheet. SHEET_OPEN.
absl::StatusOr<std::vector<Receipt>> ReceiptsOf(
    const AttendanceSheet& sheet, const std::vector<AttendanceEntry>& entries);

// The hash of `entry` over everything it says and `previous_hash`, as 64 hex
// digits (SHA-256 over fields with their lengths).
std::string HashOf(const AttendanceEntry& entry);

// Computes the chain again and compares.
Verification Verify(const AttendanceSheet& sheet,
                    const std::vector<AttendanceEntry>& entries,
                    const std::optional<Receipt>& receipt);

}  // namespace parcours::scheduling

namespace parcours {

template <>
struct EnumNames<scheduling::EntryAct> {
  static constexpr std::string_view values[] = {
      "SIGNATURE", "CORRECTION", "ATTESTATION", "RECONCILIATION"};
};
template <>
struct EnumNames<scheduling::SignerRole> {
  static constexpr std::string_view values[] = {"LEARNER", "TRAINER"};
};
template <>
struct EnumNames<scheduling::AttendanceStatus> {
  static constexpr std::string_view values[] = {"PRESENT", "LATE", "LEFT_EARLY",
                                                "ABSENT", "JUSTIFIED"};
};
template <>
struct EnumNames<scheduling::SigningMeans> {
  static constexpr std::string_view values[] = {
      "PERSONAL_LINK", "ROTATING_CODE",     "TRAINER_DEVICE",
      "ASSISTED",      "COORDINATOR_ENTRY", "AUTOMATIC"};
};
template <>
struct EnumNames<scheduling::ChainProblemKind> {
  static constexpr std::string_view values[] = {"ALTERED", "BROKEN_LINK",
                                                "TRUNCATED", "ROOT_MISMATCH",
                                                "RECEIPT_MISMATCH"};
};
template <>
struct EnumNames<scheduling::SheetState> {
  static constexpr std::string_view values[] = {"OPEN", "CLOSED"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_ATTENDANCE_H_
