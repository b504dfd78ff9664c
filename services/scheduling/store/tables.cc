#include "services/scheduling/store/tables.h"

#include "common/storage/json.h"

namespace parcours::scheduling {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainerAssignment, person, kind,
                                   display_name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(HalfDay, name, date, half, local_start,
                                   local_end, day_kind, module_ids, venue, room,
                                   trainers, start, end, version, create_time,
                                   update_time)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MissingItem, half_day, what)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Recipient, person, display_name, role)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Amendment, enrolment, person, half_days)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Evidence, sheet, root)

const storage::Table<Venue>& VenueTable() {
  static const auto& table = *new storage::Table<Venue>(
      storage::Table<Venue>("venue")
          .Within(storage::Reach::SharedWithinBody())
          .Column("display_name", &Venue::display_name)
          .Column("address_lines", &Venue::address_lines)
          .Column("kind", &Venue::kind)
          .Column("capacity", &Venue::capacity)
          .Column("access_text", &Venue::access_text));
  return table;
}

const storage::Table<Room>& RoomTable() {
  static const auto& table =
      *new storage::Table<Room>(storage::Table<Room>("room")
                                    .Within(storage::Reach::SharedWithinBody())
                                    .Column("display_name", &Room::display_name)
                                    .Column("capacity", &Room::capacity));
  return table;
}

const storage::Table<Trainer>& TrainerTable() {
  static const auto& table = *new storage::Table<Trainer>(
      storage::Table<Trainer>("trainer")
          .Within(storage::Reach::SharedWithinBody())
          .Column("display_name", &Trainer::display_name));
  return table;
}

const storage::Table<Calendar>& CalendarTable() {
  static const auto& table = *new storage::Table<Calendar>(
      storage::Table<Calendar>("calendar")
          .Within(storage::Reach::SharedWithinBody())
          .Column("cohort_display_name", &Calendar::cohort_display_name)
          .Column("time_zone", &Calendar::time_zone)
          .Column("programme", &Calendar::programme)
          .Column("module_ids", &Calendar::module_ids)
          .Column("programme_minutes", &Calendar::programme_minutes)
          .Column("published_version", &Calendar::published_version));
  return table;
}

const storage::Table<HalfDay>& HalfDayTable() {
  static const auto& table = *new storage::Table<HalfDay>(
      storage::Table<HalfDay>("half_day")
          .Column("local_date", &HalfDay::date)
          .Column("half", &HalfDay::half)
          .Column("local_start", &HalfDay::local_start)
          .Column("local_end", &HalfDay::local_end)
          .Column("day_kind", &HalfDay::day_kind)
          .Column("module_ids", &HalfDay::module_ids)
          .Column("venue", &HalfDay::venue)
          .Column("room", &HalfDay::room)
          .Json("trainers", &HalfDay::trainers)
          .Column("start_time", &HalfDay::start)
          .Column("end_time", &HalfDay::end));
  return table;
}

const storage::Table<CalendarVersion>& CalendarVersionTable() {
  static const auto& table = *new storage::Table<CalendarVersion>(
      storage::Table<CalendarVersion>("calendar_version")
          .Within(storage::Reach::SharedWithinBody())
          .Column("number", &CalendarVersion::number)
          .Column("reason", &CalendarVersion::reason)
          .Column("time_zone", &CalendarVersion::time_zone)
          .Json("half_days", &CalendarVersion::half_days)
          .Json("missing_items", &CalendarVersion::missing_items)
          .Json("recipients", &CalendarVersion::recipients)
          .Json("amendments_needed", &CalendarVersion::amendments_needed));
  return table;
}

const storage::Table<RosterEntry>& RosterEntryTable() {
  static const auto& table = *new storage::Table<RosterEntry>(
      storage::Table<RosterEntry>("roster_entry")
          .Within(storage::Reach::Through({"name", "enrolment"}))
          .Column("enrolment", &RosterEntry::enrolment)
          .Column("person", &RosterEntry::person)
          .Column("display_name", &RosterEntry::display_name)
          .Column("payer_kind", &RosterEntry::payer_kind)
          .Column("organisation", &RosterEntry::organisation)
          .Column("funder_id", &RosterEntry::funder_id)
          .Column("has_measures", &RosterEntry::has_measures)
          .Column("state", &RosterEntry::state)
          .Column("since_time", &RosterEntry::since)
          .Column("until_time", &RosterEntry::until));
  return table;
}

const storage::Table<AttendanceSheet>& SheetTable() {
  static const auto& table = *new storage::Table<AttendanceSheet>(
      storage::Table<AttendanceSheet>("attendance_sheet")
          .Column("state", &AttendanceSheet::state)
          .Column("entry_count", &AttendanceSheet::entry_count)
          .Column("chain_head", &AttendanceSheet::chain_head)
          .Column("root", &AttendanceSheet::root)
          .Column("close_time", &AttendanceSheet::close_time)
          .Column("close_reason", &AttendanceSheet::close_reason)
          .Column("closed_by", &AttendanceSheet::closed_by));
  return table;
}

const storage::Table<AttendanceEntry>& EntryTable() {
  static const auto& table = *new storage::Table<AttendanceEntry>(
      storage::Table<AttendanceEntry>("attendance_entry")
          .Within(storage::Reach::Through({"name", "enrolment"}))
          .Column("sequence", &AttendanceEntry::sequence)
          .Column("act", &AttendanceEntry::act)
          .Column("signer", &AttendanceEntry::signer)
          .Column("signer_role", &AttendanceEntry::role)
          .Column("enrolment", &AttendanceEntry::enrolment)
          .SealedFor("person", &AttendanceEntry::person)
          .Column("person", &AttendanceEntry::person)
          .Column(
              "status", [](auto& r) -> auto& { return r.claim.status; })
          .Column(
              "arrival_time", [](auto& r) -> auto& { return r.claim.arrival; })
          .Column(
              "departure_time",
              [](auto& r) -> auto& { return r.claim.departure; })
          .Column("attended_minutes", &AttendanceEntry::attended_minutes)
          .Column("means", &AttendanceEntry::means)
          .Column("witness", &AttendanceEntry::witness)
          .Sealed("statement", &AttendanceEntry::statement)
          .Sealed("reason", &AttendanceEntry::reason)
          .Column("salt", &AttendanceEntry::salt)
          .Column("content_commitment", &AttendanceEntry::commitment)
          .Column("late", &AttendanceEntry::late)
          .Column("to_reconcile", &AttendanceEntry::to_reconcile)
          .Column("about", &AttendanceEntry::about)
          .Column("accepted", &AttendanceEntry::accepted)
          .Column("author", &AttendanceEntry::author)
          .Column("previous_hash", &AttendanceEntry::previous_hash)
          .Column("hash", &AttendanceEntry::hash));
  return table;
}

const storage::Table<CompletionRecord>& CompletionRecordTable() {
  static const auto& table = *new storage::Table<CompletionRecord>(
      storage::Table<CompletionRecord>("completion_record")
          .Within(storage::Reach::Through({"enrolment"}))
          .Column("enrolment", &CompletionRecord::enrolment)
          .Column("person", &CompletionRecord::person)
          .Column("learner_display_name",
                  &CompletionRecord::learner_display_name)
          .Column("organisation_display_name",
                  &CompletionRecord::organisation_display_name)
          .Column("body_display_name", &CompletionRecord::body_display_name)
          .Column("action_title", &CompletionRecord::action_title)
          .Column("start_date", &CompletionRecord::start_date)
          .Column("end_date", &CompletionRecord::end_date)
          .Column("scheduled_minutes", &CompletionRecord::scheduled_minutes)
          .Column("due_minutes", &CompletionRecord::due_minutes)
          .Column("attended_minutes", &CompletionRecord::attended_minutes)
          .Column("justified_minutes", &CompletionRecord::justified_minutes)
          .Column("partial", &CompletionRecord::partial)
          .Column("printed_text", &CompletionRecord::text)
          .Json("evidence", &CompletionRecord::evidence));
  return table;
}

std::vector<storage::SealingOfBefore::Part> PartsOfBefore() {
  return {storage::SealingOfBefore::PartOf(EntryTable())};
}

}  // namespace parcours::scheduling
