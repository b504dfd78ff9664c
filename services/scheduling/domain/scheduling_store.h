#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_SCHEDULING_STORE_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_SCHEDULING_STORE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/access/scope.h"
#include "common/types/record.h"
#include "common/types/repository.h"
#include "services/scheduling/domain/attendance.h"
#include "services/scheduling/domain/calendar.h"
#include "services/scheduling/domain/completion.h"
#include "services/scheduling/domain/legal_holds.h"
#include "services/scheduling/domain/names.h"
#include "services/scheduling/domain/roster.h"
#include "services/scheduling/domain/venue.h"

namespace parcours::scheduling {

// A resource that a half-day has for itself from `start` until before `end`:
// a room, a whole venue, a person, a cohort.
struct Booking {
  std::string resource;
  HalfDayName half_day;
};

// The record within one transaction. Everything read is from one moment;
// everything written is committed together, or not at all.
class SchedulingUnit {
 public:
  virtual ~SchedulingUnit() = default;

  virtual Repository<Venue>& venues() = 0;
  virtual Repository<Room>& rooms() = 0;
  virtual Repository<Trainer>& trainers() = 0;
  virtual Repository<Calendar>& calendars() = 0;
  virtual Repository<HalfDay>& half_days() = 0;
  virtual Repository<CalendarVersion>& calendar_versions() = 0;
  virtual Repository<RosterEntry>& roster() = 0;
  virtual Repository<AttendanceSheet>& sheets() = 0;
  virtual Repository<AttendanceEntry>& entries() = 0;
  virtual Repository<CompletionRecord>& completion_records() = 0;

  virtual void Delete(const Room& room) = 0;
  virtual void Delete(const HalfDay& half_day) = 0;

  // Venues of the body that have rooms.
  virtual absl::StatusOr<std::set<VenueName>> VenuesWithRooms(
      const std::string& body) = 0;

  // A planned half-day at the venue, or in the room.
  virtual absl::StatusOr<std::optional<HalfDayName>> HalfDayAt(
      const VenueName& venue) = 0;
  virtual absl::StatusOr<std::optional<HalfDayName>> HalfDayIn(
      const RoomName& room) = 0;

  // The first booking of one of `resources` that overlaps [start, end), but of
  // `except` itself. REQUIRES: the rows of the resources are locked when the
  // answer decides on a booking.
  virtual absl::StatusOr<std::optional<Booking>> FindBooking(
      const std::vector<std::string>& resources, absl::Time start,
      absl::Time end, const HalfDayName& except) = 0;

  // Gives `half_day` these resources, and no others, for its time.
  virtual void Book(const HalfDay& half_day,
                    const std::vector<std::string>& resources) = 0;

  // All planned half-days of the cohort, by start.
  virtual absl::StatusOr<std::vector<HalfDay>> HalfDaysOf(
      const access::Scope& scope, const CohortName& cohort) = 0;

  // The published versions after number `after`, by number; at most `limit`.
  virtual absl::StatusOr<std::vector<CalendarVersion>> VersionsOf(
      const access::Scope& scope, const CohortName& cohort, int64_t after,
      int limit) = 0;

  // The roster of the cohort, those who left included, by name.
  virtual absl::StatusOr<std::vector<RosterEntry>> RosterOf(
      const access::Scope& scope, const CohortName& cohort) = 0;

  // The cohorts with a calendar whose programme this is.
  virtual absl::StatusOr<std::vector<CohortName>> CohortsOf(
      const ProgrammeName& programme) = 0;

  // The roster entries of a person, in any cohort.
  virtual absl::StatusOr<std::vector<RosterEntry>> RosterEntriesOf(
      const PersonName& person) = 0;

  // The entries of a sheet in the order of the chain.
  virtual absl::StatusOr<std::vector<AttendanceEntry>> EntriesOf(
      const access::Scope& scope, const HalfDayName& half_day) = 0;

  // The same after place `after`; at most `limit`.
  virtual absl::StatusOr<std::vector<AttendanceEntry>> EntriesAfter(
      const access::Scope& scope, const HalfDayName& half_day, int64_t after,
      int limit) = 0;

  // The entries of all sheets of the cohort, by half-day, then in the order of
  // their chain.
  virtual absl::StatusOr<std::vector<AttendanceEntry>> EntriesOfCohort(
      const access::Scope& scope, const CohortName& cohort) = 0;

  // All sheets of the cohort.
  virtual absl::StatusOr<std::vector<AttendanceSheet>> SheetsOf(
      const access::Scope& scope, const CohortName& cohort) = 0;

  // Half-days of the cohort whose sheet is open and holds an entry that was to
  // be reconciled when it was recorded.
  virtual absl::StatusOr<std::vector<HalfDayName>> HalfDaysToReconcile(
      const CohortName& cohort) = 0;

  // Entries of the cohort with a witness, a statement or a reason, by name; in
  // a change, locked.
  virtual absl::StatusOr<std::vector<AttendanceEntry>> EntriesWithTexts(
      const CohortName& cohort) = 0;
  // The cohorts of the body that have such entries.
  virtual absl::StatusOr<std::vector<CohortName>> CohortsWithTexts(
      const BodyName& body) = 0;

  // `version` has been published: its trainers are found by their person.
  virtual void KeepTrainers(const CalendarVersion& version) = 0;

  // Everything on `person`; in a change, locked, together with the calendars of
  // their cohorts.
  virtual absl::StatusOr<PersonRecord> RecordOf(const PersonName& person) = 0;

  // Whether Forget was called of `person`.
  virtual absl::StatusOr<bool> IsErased(const PersonName& person) = 0;

  // Takes away what opens the sealed texts of `person`, for ever, and what they
  // owned. To be called last.
  virtual void Forget(const PersonName& person) = 0;

  // Position of the change feed at which this unit reads.
  virtual absl::StatusOr<int64_t> FeedPosition() = 0;

  // How far enrolment's feed is applied; empty before the first time. Locked
  // until the end of a transaction that writes.
  virtual absl::StatusOr<std::string> EnrolmentPosition() = 0;
  virtual void SetEnrolmentPosition(const std::string& token) = 0;
};

// The record of scheduling, on whichever engine. Thread-safe.
using SchedulingStore = Record<SchedulingUnit>;

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_SCHEDULING_STORE_H_
