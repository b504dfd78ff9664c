#include "services/scheduling/store/sql_scheduling_store.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/access/own_key.h"
#include "common/status/macros.h"
#include "common/storage/feed.h"
#include "common/storage/recording_repository.h"
#include "common/text/view.h"
#include "services/scheduling/store/tables.h"

namespace parcours::scheduling {
namespace {

using access::OwnKey;
using storage::RecordingRepository;
using storage::Row;
using storage::Rows;
using storage::ScopePredicate;
using storage::SelectInto;
using storage::SqlRepository;
using storage::Transaction;
using storage::Values;

// No booking is longer: it stays inside one local day, which has up to 25
// hours.
constexpr absl::Duration kLongestBooking = absl::Hours(25);

// As the index attendance_entry_with_texts has it.
constexpr char kHasTexts[] =
    "(witness <> '' OR statement <> '' OR reason <> '')";

// Whatever names the person $1 below a cohort, or the cohort itself.
constexpr char kPlacesOfPerson[] =
    "SELECT name FROM roster_entry WHERE person = $1"
    " UNION SELECT name FROM completion_record WHERE person = $1"
    " UNION SELECT name FROM attendance_entry WHERE person = $1"
    " UNION SELECT name FROM attendance_entry WHERE signer = $1"
    " UNION SELECT half_day FROM booking WHERE resource = $1"
    " UNION SELECT cohort FROM calendar_trainer WHERE person = $1";

// In whose scope a resource lies, for the change feed.
template <typename Resource>
std::vector<std::string> ScopesOfBody(const Resource& resource) {
  return {resource.name.body()};
}

template <typename Resource>
std::vector<std::string> ScopesOfCohort(const Resource& resource) {
  return {resource.name.body(),
          resource.name.template Under<CohortName>().text()};
}

template <typename Resource>
std::vector<std::string> ScopesOfPerson(const Resource& resource) {
  return {resource.name.body(),
          resource.name.template Under<CohortName>().text(),
          resource.person.text()};
}

// The same with the participation through which its owners reach it.
template <typename Resource>
std::vector<std::string> ScopesOfParticipation(const Resource& resource) {
  std::vector<std::string> scopes = ScopesOfPerson(resource);
  if (!resource.enrolment.empty()) {
    scopes.push_back(resource.enrolment.text());
  }
  return scopes;
}

// Within a cohort, with the participation through which its owners reach it.
template <typename Resource>
std::vector<std::string> ScopesOfAttendance(const Resource& resource) {
  std::vector<std::string> scopes = ScopesOfCohort(resource);
  if (!resource.enrolment.empty()) {
    scopes.push_back(resource.enrolment.text());
  }
  return scopes;
}

// The learner, their employer and their funder own what the roster of a cohort
// says of the participation, and what is written of it here. Somebody without a
// name has been erased, and owns nothing.
std::vector<access::Ownership> OwnersOfRosterEntry(const RosterEntry& entry) {
  const std::string& enrolment = entry.enrolment.text();
  std::vector<access::Ownership> owners;
  if (!entry.display_name.empty()) {
    owners.push_back({enrolment, OwnKey("learner", entry.person.text())});
  }
  if (!entry.organisation.empty()) {
    owners.push_back(
        {enrolment, OwnKey("employer_contact", entry.organisation.text())});
  }
  if (!entry.funder_id.empty()) {
    owners.push_back({enrolment, OwnKey("funder", entry.funder_id)});
  }
  return owners;
}

// A trainer owns the half-day with its sheet, and sees who is expected; not one
// who has been erased.
std::vector<access::Ownership> OwnersOfHalfDay(const HalfDay& half_day) {
  std::vector<access::Ownership> owners;
  for (const TrainerAssignment& trainer : half_day.trainers) {
    if (trainer.display_name.empty()) continue;
    const std::string key = OwnKey("trainer", trainer.person.text());
    owners.push_back({half_day.name.text(), key});
    owners.push_back(
        {half_day.name.Under<CohortName>().text() + "/rosterEntries", key});
  }
  return owners;
}

// Names below `parent`, as a range: the next character after / is 0.
std::string NamesUnder(const std::string& parent, Values& values) {
  values.emplace_back(parent + "/");
  values.emplace_back(parent + "0");
  return Cat("name >= $", values.size() - 1, " AND name < $", values.size());
}

class SqlSchedulingUnit final : public SchedulingUnit {
 public:
  explicit SqlSchedulingUnit(Transaction& transaction)
      : transaction_(transaction),
        venues_(transaction, VenueTable(), "venue", ScopesOfBody<Venue>),
        rooms_(transaction, RoomTable(), "room", ScopesOfBody<Room>),
        trainers_(transaction, TrainerTable()),
        calendars_(transaction, CalendarTable(), "calendar",
                   ScopesOfCohort<Calendar>),
        half_days_(transaction, HalfDayTable(), "halfDay",
                   ScopesOfCohort<HalfDay>, OwnersOfHalfDay),
        calendar_versions_(transaction, CalendarVersionTable(),
                           "calendarVersion", ScopesOfCohort<CalendarVersion>),
        roster_(transaction, RosterEntryTable(), "rosterEntry",
                ScopesOfPerson<RosterEntry>, OwnersOfRosterEntry),
        sheets_(transaction, SheetTable(), "attendanceSheet",
                ScopesOfCohort<AttendanceSheet>),
        entries_(transaction, EntryTable(), "attendanceEntry",
                 ScopesOfAttendance<AttendanceEntry>),
        completion_records_(transaction, CompletionRecordTable(),
                            "completionRecord",
                            ScopesOfParticipation<CompletionRecord>) {}

  Repository<Venue>& venues() override { return venues_; }
  Repository<Room>& rooms() override { return rooms_; }
  Repository<Trainer>& trainers() override { return trainers_; }
  Repository<Calendar>& calendars() override { return calendars_; }
  Repository<HalfDay>& half_days() override { return half_days_; }
  Repository<CalendarVersion>& calendar_versions() override {
    return calendar_versions_;
  }
  Repository<RosterEntry>& roster() override { return roster_; }
  Repository<AttendanceSheet>& sheets() override { return sheets_; }
  Repository<AttendanceEntry>& entries() override { return entries_; }
  Repository<CompletionRecord>& completion_records() override {
    return completion_records_;
  }

  void Delete(const Room& room) override {
    Remove("room", "room", room.name.text(), room.version, ScopesOfBody(room));
  }
  void Delete(const HalfDay& half_day) override {
    Remove("half_day", "halfDay", half_day.name.text(), half_day.version,
           ScopesOfCohort(half_day));
  }

  absl::StatusOr<std::set<VenueName>> VenuesWithRooms(
      const std::string& body) override {
    Values values;
    const std::string sql = Cat("SELECT name FROM room WHERE ",
                                NamesUnder(Cat(body, "/venues"), values));
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query({.sql = sql, .values = std::move(values)}));
    std::set<VenueName> venues;
    for (const Row& row : rows) {
      venues.insert(RoomName::FromRecord(row.Text(0)).Under<VenueName>());
    }
    return venues;
  }

  absl::StatusOr<std::optional<HalfDayName>> HalfDayAt(
      const VenueName& venue) override {
    return FirstHalfDay("SELECT name FROM half_day WHERE venue = $1 LIMIT 1",
                        venue.text());
  }
  absl::StatusOr<std::optional<HalfDayName>> HalfDayIn(
      const RoomName& room) override {
    return FirstHalfDay("SELECT name FROM half_day WHERE room = $1 LIMIT 1",
                        room.text());
  }

  absl::StatusOr<std::optional<Booking>> FindBooking(
      const std::vector<std::string>& resources, absl::Time start,
      absl::Time end, const HalfDayName& except) override {
    Values values{storage::ToMicros(start), storage::ToMicros(end),
                  storage::ToMicros(start - kLongestBooking), except.text()};
    std::string places;
    for (const std::string& resource : resources) {
      values.emplace_back(resource);
      CatTo(places, places.empty() ? "$" : ", $", values.size());
    }
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query(
            {.sql = Cat("SELECT resource, half_day FROM booking"
                        " WHERE start_time < $2 AND end_time > $1"
                        " AND start_time > $3 AND half_day <> $4"
                        " AND resource IN (",
                        places, ") ORDER BY start_time, resource LIMIT 1"),
             .values = std::move(values)}));
    if (rows.empty()) return std::optional<Booking>();
    return std::optional<Booking>(
        {.resource = rows.front().Text(0),
         .half_day = HalfDayName::FromRecord(rows.front().Text(1))});
  }

  void Book(const HalfDay& half_day,
            const std::vector<std::string>& resources) override {
    transaction_.Write({.sql = "DELETE FROM booking WHERE half_day = $1",
                        .values = {half_day.name.text()}});
    for (const std::string& resource : resources) {
      transaction_.Write(
          {.sql = "INSERT INTO booking (resource, half_day, start_time,"
                  " end_time) VALUES ($1, $2, $3, $4)",
           .values = {resource, half_day.name.text(),
                      storage::ToMicros(half_day.start),
                      storage::ToMicros(half_day.end)}});
    }
  }

  absl::StatusOr<std::vector<HalfDay>> HalfDaysOf(
      const access::Scope& scope, const CohortName& cohort) override {
    return AllUnder(HalfDayTable(), scope, cohort.text() + "/halfDays",
                    "ORDER BY start_time, name");
  }

  absl::StatusOr<std::vector<CalendarVersion>> VersionsOf(
      const access::Scope& scope, const CohortName& cohort, int64_t after,
      int limit) override {
    Values values{after, int64_t{limit}};
    const std::string where =
        Cat("number > $1 AND ",
            NamesUnder(cohort.text() + "/calendarVersions", values));
    const std::string scoped = Cat(
        where, ScopePredicate(scope, CalendarVersionTable().reach(), values));
    return SelectInto(transaction_, CalendarVersionTable(), scoped,
                      std::move(values), "ORDER BY number LIMIT $2");
  }

  absl::StatusOr<std::vector<RosterEntry>> RosterOf(
      const access::Scope& scope, const CohortName& cohort) override {
    return AllUnder(RosterEntryTable(), scope, cohort.text() + "/rosterEntries",
                    "ORDER BY name");
  }

  absl::StatusOr<std::vector<CohortName>> CohortsOf(
      const ProgrammeName& programme) override {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query(
            {.sql = "SELECT name FROM calendar WHERE programme = $1",
             .values = {programme.text()}}));
    std::vector<CohortName> cohorts;
    cohorts.reserve(rows.size());
    for (const Row& row : rows) {
      cohorts.push_back(
          CalendarName::FromRecord(row.Text(0)).Under<CohortName>());
    }
    return cohorts;
  }

  absl::StatusOr<std::vector<RosterEntry>> RosterEntriesOf(
      const PersonName& person) override {
    return AllWhere(roster_, RosterEntryTable(), "person = $1", {person.text()},
                    "ORDER BY name");
  }

  absl::StatusOr<std::vector<AttendanceEntry>> EntriesOf(
      const access::Scope& scope, const HalfDayName& half_day) override {
    return AllUnder(EntryTable(), scope, half_day.text() + "/attendanceEntries",
                    "ORDER BY sequence");
  }

  absl::StatusOr<std::vector<AttendanceEntry>> EntriesAfter(
      const access::Scope& scope, const HalfDayName& half_day, int64_t after,
      int limit) override {
    Values values{after, int64_t{limit}};
    const std::string where =
        Cat("sequence > $1 AND ",
            NamesUnder(half_day.text() + "/attendanceEntries", values));
    const std::string scoped =
        Cat(where, ScopePredicate(scope, EntryTable().reach(), values));
    return SelectInto(transaction_, EntryTable(), scoped, std::move(values),
                      "ORDER BY sequence LIMIT $2");
  }

  absl::StatusOr<std::vector<AttendanceEntry>> EntriesOfCohort(
      const access::Scope& scope, const CohortName& cohort) override {
    // The sequence alone orders: each chain is taken out of the list by itself.
    return AllUnder(EntryTable(), scope, cohort.text() + "/halfDays",
                    "ORDER BY sequence, name");
  }

  absl::StatusOr<std::vector<AttendanceSheet>> SheetsOf(
      const access::Scope& scope, const CohortName& cohort) override {
    return AllUnder(SheetTable(), scope, cohort.text() + "/halfDays",
                    "ORDER BY name");
  }

  absl::StatusOr<std::vector<HalfDayName>> HalfDaysToReconcile(
      const CohortName& cohort) override {
    Values values;
    const std::string where = NamesUnder(cohort.text() + "/halfDays", values);
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query({.sql = Cat("SELECT name FROM attendance_entry"
                                       " WHERE to_reconcile = 1 AND ",
                                       where, " ORDER BY name"),
                            .values = std::move(values)}));
    std::set<HalfDayName> half_days;
    for (const Row& row : rows) {
      half_days.insert(EntryName::FromRecord(row.Text(0)).Under<HalfDayName>());
    }
    std::vector<HalfDayName> open;
    for (const HalfDayName& half_day : half_days) {
      ASSIGN_OR_RETURN(
          const std::vector<AttendanceSheet> sheets,
          SelectInto(transaction_, SheetTable(), "name = $1 AND state = $2",
                     {SheetOf(half_day).text(),
                      std::string(NameOf(SheetState::kOpen))}));
      if (!sheets.empty()) open.push_back(half_day);
    }
    return open;
  }

  absl::StatusOr<std::vector<AttendanceEntry>> EntriesWithTexts(
      const CohortName& cohort) override {
    Values values;
    const std::string where = NamesUnder(cohort.text() + "/halfDays", values);
    return AllWhere(entries_, EntryTable(), Cat(kHasTexts, " AND ", where),
                    std::move(values), "ORDER BY name");
  }

  absl::StatusOr<std::vector<CohortName>> CohortsWithTexts(
      const BodyName& body) override {
    Values values;
    const std::string where = NamesUnder(body.text() + "/cohorts", values);
    ASSIGN_OR_RETURN(const Rows rows,
                     transaction_.Query(
                         {.sql = Cat("SELECT name FROM attendance_entry WHERE ",
                                     kHasTexts, " AND ", where),
                          .values = std::move(values)}));
    std::set<CohortName> cohorts;
    for (const Row& row : rows) cohorts.insert(CohortOf(row.Text(0)));
    return std::vector<CohortName>(cohorts.begin(), cohorts.end());
  }

  void KeepTrainers(const CalendarVersion& version) override {
    std::set<PersonName> persons;
    for (const HalfDay& half_day : version.half_days) {
      for (const TrainerAssignment& trainer : half_day.trainers) {
        persons.insert(trainer.person);
      }
    }
    for (const PersonName& person : persons) {
      transaction_.Write(
          {.sql = "INSERT INTO calendar_trainer (person, cohort)"
                  " VALUES ($1, $2) ON CONFLICT DO NOTHING",
           .values = {person.text(), version.name.Under<CohortName>().text()}});
    }
  }

  absl::StatusOr<PersonRecord> RecordOf(const PersonName& person) override {
    const access::Scope whole = access::Scope::Installation();
    PersonRecord record;
    record.person = person;
    ASSIGN_OR_RETURN(record.cohorts, CohortsOf(person));
    if (transaction_.writable()) {
      RETURN_IF_ERROR(LockCalendars(record.cohorts));
    }
    ASSIGN_OR_RETURN(record.trainer, trainers_.Find(whole, person));
    if (record.trainer.has_value() && transaction_.writable()) {
      ASSIGN_OR_RETURN(record.trainer, trainers_.Lock(whole, person));
    }
    if (transaction_.writable()) {
      // Planned or signed meanwhile elsewhere: with the calendars there.
      ASSIGN_OR_RETURN(const std::set<CohortName> now, CohortsOf(person));
      if (now != record.cohorts) return absl::AbortedError("cohorts changed");
    }
    ASSIGN_OR_RETURN(record.roster, RosterEntriesOf(person));
    ASSIGN_OR_RETURN(
        record.entries,
        AllWhere(entries_, EntryTable(), "(person = $1 OR signer = $1)",
                 {person.text()}, "ORDER BY name"));
    ASSIGN_OR_RETURN(record.completion_records,
                     AllWhere(completion_records_, CompletionRecordTable(),
                              "person = $1", {person.text()}, "ORDER BY name"));
    ASSIGN_OR_RETURN(
        record.half_days,
        AllWhere(half_days_, HalfDayTable(),
                 "name IN (SELECT half_day FROM booking WHERE resource = $1)",
                 {person.text()}, "ORDER BY name"));
    for (const CohortName& cohort : record.cohorts) {
      Values values;
      const std::string where =
          NamesUnder(cohort.text() + "/calendarVersions", values);
      ASSIGN_OR_RETURN(std::vector<CalendarVersion> versions,
                       AllWhere(calendar_versions_, CalendarVersionTable(),
                                where, std::move(values), "ORDER BY number"));
      for (CalendarVersion& version : versions) {
        record.versions.push_back(std::move(version));
      }
    }
    return record;
  }

  absl::StatusOr<bool> IsErased(const PersonName& person) override {
    return transaction_.person_keys().IsErased(person.text());
  }

  void Forget(const PersonName& person) override {
    for (const char* role : {"learner", "trainer"}) {
      transaction_.Write({.sql = "DELETE FROM ownership WHERE owner_key = $1",
                          .values = {OwnKey(role, person.text())}});
    }
    transaction_.person_keys().Erase(person.text());
  }

  absl::StatusOr<int64_t> FeedPosition() override {
    return storage::FeedHead(transaction_);
  }

  absl::StatusOr<std::string> EnrolmentPosition() override {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query(
            {.sql = Cat("SELECT token FROM enrolment_position WHERE id = 1",
                        transaction_.writable() ? " {for_update}" : ""),
             .values = {}}));
    return rows.front().Text(0);
  }

  void SetEnrolmentPosition(const std::string& token) override {
    transaction_.Write(
        {.sql = "UPDATE enrolment_position SET token = $1 WHERE id = 1",
         .values = {token}});
  }

 private:
  template <typename Resource>
  absl::StatusOr<std::vector<Resource>> AllUnder(
      const storage::Table<Resource>& table, const access::Scope& scope,
      const std::string& parent, std::string_view order) {
    Values values;
    const std::string where = NamesUnder(parent, values);
    const std::string scoped =
        Cat(where, ScopePredicate(scope, table.reach(), values));
    return SelectInto(transaction_, table, scoped, std::move(values), order);
  }

  // All rows for which `where` holds; in a change, locked for `repository`.
  template <typename Resource>
  absl::StatusOr<std::vector<Resource>> AllWhere(
      RecordingRepository<Resource>& repository,
      const storage::Table<Resource>& table, std::string_view where,
      Values values, std::string_view order) {
    const bool locks = transaction_.writable();
    ASSIGN_OR_RETURN(
        std::vector<Resource> found,
        SelectInto(transaction_, table, where, std::move(values),
                   locks ? Cat(order, " {for_update}") : std::string(order)));
    if (locks) {
      for (const Resource& resource : found) repository.NoteLocked(resource);
    }
    return found;
  }

  static CohortName CohortOf(const std::string& name) {
    return HalfDayName::FromRecord(name).Under<CohortName>();
  }

  absl::StatusOr<std::set<CohortName>> CohortsOf(const PersonName& person) {
    ASSIGN_OR_RETURN(const Rows rows,
                     transaction_.Query(
                         {.sql = kPlacesOfPerson, .values = {person.text()}}));
    std::set<CohortName> cohorts;
    for (const Row& row : rows) cohorts.insert(CohortOf(row.Text(0)));
    return cohorts;
  }

  // Nothing is planned or published in `cohorts` until the end.
  absl::Status LockCalendars(const std::set<CohortName>& cohorts) {
    for (const CohortName& cohort : cohorts) {
      RETURN_IF_ERROR(
          transaction_
              .Query({.sql = "SELECT name FROM calendar WHERE name = $1"
                             " {for_update}",
                      .values = {CalendarOf(cohort).text()}})
              .status());
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<HalfDayName>> FirstHalfDay(
      const std::string& sql, const std::string& place) {
    ASSIGN_OR_RETURN(const Rows rows,
                     transaction_.Query({.sql = sql, .values = {place}}));
    if (rows.empty()) return std::optional<HalfDayName>();
    return std::optional<HalfDayName>(
        HalfDayName::FromRecord(rows.front().Text(0)));
  }

  void Remove(const std::string& table, const std::string& kind,
              const std::string& name, int64_t version,
              std::vector<std::string> scopes) {
    transaction_.Write({.sql = Cat("DELETE FROM ", table, " WHERE name = $1"),
                        .values = {name}});
    storage::Disown(transaction_, name);
    transaction_.Record({.kind = kind,
                         .name = name,
                         .version = version + 1,
                         .cause = storage::CauseOf(transaction_.caller()),
                         .scopes_before = std::move(scopes),
                         .scopes_after = {}});
  }

  Transaction& transaction_;
  RecordingRepository<Venue> venues_;
  RecordingRepository<Room> rooms_;
  SqlRepository<Trainer> trainers_;
  RecordingRepository<Calendar> calendars_;
  RecordingRepository<HalfDay> half_days_;
  RecordingRepository<CalendarVersion> calendar_versions_;
  RecordingRepository<RosterEntry> roster_;
  RecordingRepository<AttendanceSheet> sheets_;
  RecordingRepository<AttendanceEntry> entries_;
  RecordingRepository<CompletionRecord> completion_records_;
};

}  // namespace

absl::Status SqlSchedulingStore::View(
    const access::Caller& caller,
    absl::FunctionRef<absl::Status(SchedulingUnit&)> body) {
  return database_.View(caller, [&](Transaction& transaction) {
    SqlSchedulingUnit unit(transaction);
    return body(unit);
  });
}

absl::StatusOr<ChangeOutcome> SqlSchedulingStore::Change(
    const access::Caller& caller,
    absl::FunctionRef<absl::StatusOr<std::string>(SchedulingUnit&)> body) {
  ASSIGN_OR_RETURN(
      const storage::Outcome outcome,
      database_.Transact(
          caller,
          [&](Transaction& transaction) -> absl::StatusOr<storage::Outcome> {
            SqlSchedulingUnit unit(transaction);
            ASSIGN_OR_RETURN(std::string name, body(unit));
            return storage::Outcome{.name = std::move(name)};
          }));
  return ChangeOutcome{.name = outcome.name, .replayed = outcome.replayed};
}

}  // namespace parcours::scheduling
