#include "services/scheduling/rpc/convert.h"

#include <optional>
#include <string>

#include "common/rpc/convert.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/types/etag.h"

namespace parcours::scheduling {
namespace {

using rpc::CivilDayOf;
using rpc::CivilMinuteOf;
using rpc::DateOf;
using rpc::EnumFromProto;
using rpc::EnumToProto;
using rpc::TimeOf;
using rpc::TimeOfDayOf;
using rpc::TimestampOf;

// What every resource has.
template <typename Resource, typename Message>
void WriteCommon(const Resource& resource, Message& message) {
  message.set_name(resource.name.text());
  message.set_etag(EtagOf(resource.version));
  *message.mutable_create_time() = TimestampOf(resource.create_time);
  *message.mutable_update_time() = TimestampOf(resource.update_time);
}

template <typename Message>
std::optional<int64_t> CapacityOf(const Message& message) {
  if (!message.has_capacity()) return std::nullopt;
  return message.capacity();
}

// REQUIRES: a count, or minutes of one cohort.
int32_t Int32(int64_t number) { return static_cast<int32_t>(number); }

google::type::TimeOfDay LocalTimeOf(absl::CivilDay day, int64_t minute) {
  return TimeOfDayOf(absl::CivilMinute(day) + minute);
}

int64_t MinuteOf(const google::type::TimeOfDay& time) {
  const absl::CivilDay day;
  return CivilMinuteOf(day, time) - absl::CivilMinute(day);
}

void WriteMissing(const std::vector<MissingItem>& items,
                  google::protobuf::RepeatedPtrField<pb::MissingItem>& added) {
  for (const MissingItem& item : items) {
    pb::MissingItem& message = *added.Add();
    message.set_half_day(item.half_day.text());
    message.set_what(EnumToProto<pb::MissingItem::What>(item.what));
  }
}

template <typename Message>
AttendanceClaim ClaimOf(const Message& message) {
  AttendanceClaim claim;
  claim.status = EnumFromProto<AttendanceStatus>(message.status());
  if (message.has_arrival_time()) {
    claim.arrival = TimeOf(message.arrival_time());
  }
  if (message.has_departure_time()) {
    claim.departure = TimeOf(message.departure_time());
  }
  return claim;
}

}  // namespace

pb::Venue ToProto(const Venue& venue) {
  pb::Venue message;
  WriteCommon(venue, message);
  message.set_display_name(venue.display_name);
  message.mutable_address_lines()->Assign(venue.address_lines.begin(),
                                          venue.address_lines.end());
  message.set_kind(EnumToProto<type::v1::VenueKind>(venue.kind));
  if (venue.capacity.has_value()) {
    message.set_capacity(Int32(*venue.capacity));
  }
  message.set_access_text(venue.access_text);
  return message;
}

absl::Status Read(const pb::Venue& message, Venue& venue) {
  if (message.kind() == type::v1::VENUE_KIND_UNSPECIFIED) {
    return MakeFieldError("venue.kind", Reason::kFieldRequired);
  }
  venue.display_name = message.display_name();
  venue.address_lines.assign(message.address_lines().begin(),
                             message.address_lines().end());
  venue.kind = EnumFromProto<VenueKind>(message.kind());
  venue.capacity = CapacityOf(message);
  venue.access_text = message.access_text();
  return absl::OkStatus();
}

pb::Room ToProto(const Room& room) {
  pb::Room message;
  WriteCommon(room, message);
  message.set_display_name(room.display_name);
  if (room.capacity.has_value()) message.set_capacity(Int32(*room.capacity));
  return message;
}

absl::Status Read(const pb::Room& message, Room& room) {
  room.display_name = message.display_name();
  room.capacity = CapacityOf(message);
  return absl::OkStatus();
}

pb::HalfDay ToProto(const HalfDay& half_day) {
  pb::HalfDay message;
  WriteCommon(half_day, message);
  *message.mutable_date() = DateOf(half_day.date);
  message.set_half(EnumToProto<type::v1::HalfDayKind>(half_day.half));
  *message.mutable_local_start() =
      LocalTimeOf(half_day.date, half_day.local_start);
  *message.mutable_local_end() = LocalTimeOf(half_day.date, half_day.local_end);
  message.set_day_kind(EnumToProto<type::v1::DayKind>(half_day.day_kind));
  message.mutable_module_ids()->Assign(half_day.module_ids.begin(),
                                       half_day.module_ids.end());
  message.set_venue(half_day.venue.text());
  message.set_room(half_day.room.text());
  for (const TrainerAssignment& trainer : half_day.trainers) {
    pb::TrainerAssignment& added = *message.add_trainers();
    added.set_person(trainer.person.text());
    added.set_kind(EnumToProto<type::v1::TrainerKind>(trainer.kind));
    added.set_display_name(trainer.display_name);
  }
  *message.mutable_start_time() = TimestampOf(half_day.start);
  *message.mutable_end_time() = TimestampOf(half_day.end);
  message.set_scheduled_minutes(Int32(half_day.scheduled_minutes()));
  return message;
}

absl::Status Read(const pb::HalfDay& message, HalfDay& half_day) {
  FieldViolations violations;
  const auto require = [&](bool given, const std::string& field) {
    if (!given) violations.Add("half_day." + field, Reason::kFieldRequired);
  };
  const auto check_minutes = [&](bool given, const std::string& field,
                                 const google::type::TimeOfDay& time) {
    require(given, field);
    if (time.seconds() != 0 || time.nanos() != 0) {
      violations.Add("half_day." + field, Reason::kFieldMalformed,
                     {{"expected", "a time in whole minutes"}});
    }
  };
  require(message.has_date(), "date");
  require(message.half() != type::v1::HALF_DAY_KIND_UNSPECIFIED, "half");
  check_minutes(message.has_local_start(), "local_start",
                message.local_start());
  check_minutes(message.has_local_end(), "local_end", message.local_end());
  require(message.day_kind() != type::v1::DAY_KIND_UNSPECIFIED, "day_kind");
  RETURN_IF_ERROR(violations.ToStatus());
  half_day.date = CivilDayOf(message.date());
  half_day.half = EnumFromProto<Half>(message.half());
  half_day.local_start = MinuteOf(message.local_start());
  half_day.local_end = MinuteOf(message.local_end());
  half_day.day_kind = EnumFromProto<DayKind>(message.day_kind());
  half_day.module_ids.assign(message.module_ids().begin(),
                             message.module_ids().end());
  half_day.venue = VenueName::FromRecord(message.venue());
  half_day.room = RoomName::FromRecord(message.room());
  half_day.trainers.clear();
  for (const pb::TrainerAssignment& trainer : message.trainers()) {
    half_day.trainers.push_back(
        {.person = PersonName::FromRecord(trainer.person()),
         .kind = EnumFromProto<TrainerKind>(trainer.kind())});
  }
  return absl::OkStatus();
}

pb::Calendar ToProto(const CalendarView& view) {
  pb::Calendar message;
  WriteCommon(view.calendar, message);
  message.set_cohort_display_name(view.calendar.cohort_display_name);
  message.set_time_zone(view.calendar.time_zone);
  message.set_published_version(Int32(view.calendar.published_version));
  message.set_has_unpublished_changes(view.has_unpublished_changes);
  message.set_day_count(Int32(view.totals.days));
  message.set_half_day_count(Int32(view.totals.half_days));
  message.set_scheduled_minutes(Int32(view.totals.minutes));
  message.set_programme_minutes(Int32(view.calendar.programme_minutes));
  WriteMissing(view.missing_items, *message.mutable_missing_items());
  return message;
}

pb::CalendarChange ToProto(const CalendarChange& change) {
  pb::CalendarChange message;
  message.set_kind(EnumToProto<pb::CalendarChange::Kind>(change.kind));
  message.set_half_day(change.half_day.text());
  if (change.before.has_value()) {
    *message.mutable_before() = ToProto(*change.before);
  }
  if (change.after.has_value()) {
    *message.mutable_after() = ToProto(*change.after);
  }
  return message;
}

pb::CalendarVersion ToProto(const CalendarVersion& version) {
  pb::CalendarVersion message;
  message.set_name(version.name.text());
  message.set_version(Int32(version.number));
  *message.mutable_publish_time() = TimestampOf(version.create_time);
  message.set_reason(version.reason);
  WriteMissing(version.missing_items, *message.mutable_missing_items());
  for (const Recipient& recipient : version.recipients) {
    pb::CalendarVersion::Recipient& added = *message.add_recipients();
    added.set_person(recipient.person.text());
    added.set_display_name(recipient.display_name);
    added.set_role(
        EnumToProto<pb::CalendarVersion::Recipient::Role>(recipient.role));
  }
  for (const Amendment& amendment : version.amendments_needed) {
    pb::CalendarVersion::Amendment& added = *message.add_amendments_needed();
    added.set_enrolment(amendment.enrolment.text());
    added.set_person(amendment.person.text());
    for (const HalfDayName& half_day : amendment.half_days) {
      added.add_half_days(half_day.text());
    }
  }
  const CalendarTotals totals = Sum(version.half_days);
  message.set_day_count(Int32(totals.days));
  message.set_half_day_count(Int32(totals.half_days));
  message.set_scheduled_minutes(Int32(totals.minutes));
  return message;
}

pb::CalendarVersion ToProto(const VersionView& view) {
  pb::CalendarVersion message = ToProto(view.version);
  for (const HalfDay& half_day : view.version.half_days) {
    *message.add_half_days() = ToProto(half_day);
  }
  for (const CalendarChange& change : view.changes) {
    *message.add_changes() = ToProto(change);
  }
  return message;
}

pb::AttendanceSheet ToProto(const SheetView& view) {
  const AttendanceSheet& sheet = view.sheet;
  pb::AttendanceSheet message;
  message.set_name(sheet.name.text());
  message.set_state(EnumToProto<pb::AttendanceSheet::State>(sheet.state));
  message.set_entry_count(Int32(sheet.entry_count));
  for (const EnrolmentName& enrolment : view.missing_enrolments) {
    message.add_missing_enrolments(enrolment.text());
  }
  for (const EntryName& entry : view.entries_to_reconcile) {
    message.add_entries_to_reconcile(entry.text());
  }
  for (const EntryName& entry : view.entries_to_attest) {
    message.add_entries_to_attest(entry.text());
  }
  message.set_countersigned(view.countersigned);
  message.set_chain_head(sheet.chain_head);
  message.set_root(sheet.root);
  if (sheet.close_time.has_value()) {
    *message.mutable_close_time() = TimestampOf(*sheet.close_time);
  }
  message.set_close_reason(sheet.close_reason);
  message.set_etag(EtagOf(sheet.version));
  return message;
}

pb::AttendanceEntry ToProto(const AttendanceEntry& entry) {
  pb::AttendanceEntry message;
  message.set_name(entry.name.text());
  message.set_sequence(Int32(entry.sequence));
  message.set_act(EnumToProto<pb::AttendanceEntry::Act>(entry.act));
  message.set_signer(entry.signer.text());
  message.set_signer_role(
      EnumToProto<pb::AttendanceEntry::SignerRole>(entry.role));
  message.set_enrolment(entry.enrolment.text());
  message.set_status(EnumToProto<pb::AttendanceStatus>(entry.claim.status));
  if (entry.claim.arrival.has_value()) {
    *message.mutable_arrival_time() = TimestampOf(*entry.claim.arrival);
  }
  if (entry.claim.departure.has_value()) {
    *message.mutable_departure_time() = TimestampOf(*entry.claim.departure);
  }
  message.set_attended_minutes(Int32(entry.attended_minutes));
  message.set_means(EnumToProto<pb::AttendanceEntry::Means>(entry.means));
  message.set_witness(entry.witness);
  message.set_statement(entry.statement);
  *message.mutable_sign_time() = TimestampOf(entry.create_time);
  message.set_late(entry.late);
  message.set_to_reconcile(entry.to_reconcile);
  message.set_about(entry.about.text());
  message.set_accepted(entry.accepted);
  message.set_reason(entry.reason);
  message.set_previous_hash(entry.previous_hash);
  message.set_hash(entry.hash);
  return message;
}

Signature SignatureFrom(const pb::AttendanceEntry& message) {
  return {.signer = PersonName::FromRecord(message.signer()),
          .role = EnumFromProto<SignerRole>(message.signer_role()),
          .claim = ClaimOf(message),
          .means = EnumFromProto<SigningMeans>(message.means()),
          .witness = message.witness(),
          .statement = message.statement()};
}

AttendanceClaim ClaimFrom(const pb::CorrectAttendanceEntryRequest& message) {
  return ClaimOf(message);
}

pb::Receipt ToProto(const Receipt& receipt) {
  pb::Receipt message;
  message.set_sheet(receipt.sheet.text());
  message.set_entry(receipt.entry.text());
  message.set_entry_hash(receipt.entry_hash);
  message.set_signer(receipt.signer.text());
  message.set_root(receipt.root);
  *message.mutable_close_time() = TimestampOf(receipt.close_time);
  return message;
}

Receipt FromProto(const pb::Receipt& message) {
  return {.sheet = SheetName::FromRecord(message.sheet()),
          .entry = EntryName::FromRecord(message.entry()),
          .entry_hash = message.entry_hash(),
          .signer = PersonName::FromRecord(message.signer()),
          .root = message.root(),
          .close_time = TimeOf(message.close_time())};
}

pb::VerifyAttendanceSheetResponse ToProto(const Verification& verification) {
  pb::VerifyAttendanceSheetResponse message;
  message.set_valid(verification.problems.empty());
  for (const ChainProblem& problem : verification.problems) {
    pb::ChainProblem& added = *message.add_problems();
    added.set_kind(EnumToProto<pb::ChainProblem::Kind>(problem.kind));
    added.set_sequence(Int32(problem.sequence));
  }
  message.set_computed_root(verification.computed_root);
  return message;
}

pb::AttendanceSummary ToProto(const AttendanceSummary& summary) {
  pb::AttendanceSummary message;
  message.set_name(summary.enrolment.text() + "/attendanceSummary");
  message.set_enrolment(summary.enrolment.text());
  message.set_person(summary.person.text());
  message.set_display_name(summary.display_name);
  message.set_due_minutes(Int32(summary.due_minutes));
  message.set_attended_minutes(Int32(summary.attended_minutes));
  message.set_justified_minutes(Int32(summary.justified_minutes));
  message.set_absent_minutes(Int32(summary.absent_minutes));
  message.set_half_day_count(Int32(summary.half_days));
  message.set_open_sheet_count(
      static_cast<int32_t>(summary.open_half_days.size()));
  return message;
}

pb::RosterEntry ToProto(const RosterEntry& entry) {
  pb::RosterEntry message;
  message.set_name(entry.name.text());
  message.set_enrolment(entry.enrolment.text());
  message.set_person(entry.person.text());
  message.set_display_name(entry.display_name);
  type::v1::PayerKind payer_kind = type::v1::PAYER_KIND_UNSPECIFIED;
  if (type::v1::PayerKind_Parse("PAYER_KIND_" + entry.payer_kind,
                                &payer_kind)) {
    message.set_payer_kind(payer_kind);
  }
  message.set_funder_id(entry.funder_id);
  message.set_has_measures(entry.has_measures);
  message.set_state(std::string(NameOf(entry.state)));
  *message.mutable_since_time() = TimestampOf(entry.since);
  if (entry.until.has_value()) {
    *message.mutable_until_time() = TimestampOf(*entry.until);
  }
  *message.mutable_update_time() = TimestampOf(entry.update_time);
  return message;
}

pb::CompletionRecord ToProto(const CompletionRecord& record) {
  pb::CompletionRecord message;
  message.set_name(record.name.text());
  message.set_enrolment(record.enrolment.text());
  message.set_person(record.person.text());
  message.set_learner_display_name(record.learner_display_name);
  message.set_organisation_display_name(record.organisation_display_name);
  message.set_body_display_name(record.body_display_name);
  message.set_action_title(record.action_title);
  *message.mutable_start_date() = DateOf(record.start_date);
  *message.mutable_end_date() = DateOf(record.end_date);
  message.set_scheduled_minutes(Int32(record.scheduled_minutes));
  message.set_due_minutes(Int32(record.due_minutes));
  message.set_attended_minutes(Int32(record.attended_minutes));
  message.set_justified_minutes(Int32(record.justified_minutes));
  message.set_partial(record.partial);
  message.mutable_text()->Assign(record.text.begin(), record.text.end());
  for (const Evidence& evidence : record.evidence) {
    pb::CompletionRecord::Evidence& added = *message.add_evidence();
    added.set_sheet(evidence.sheet.text());
    added.set_root(evidence.root);
  }
  *message.mutable_issue_time() = TimestampOf(record.create_time);
  return message;
}

}  // namespace parcours::scheduling
