#include "services/scheduling/domain/completion.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/text/view.h"

namespace parcours::scheduling {
namespace {

constexpr int64_t kMinutesPerHour = 60;

std::string PrintDay(absl::CivilDay day) {
  return absl::StrFormat("%02d/%02d/%04d", day.day(), day.month(), day.year());
}

// "90 h", "84 h 30".
std::string PrintMinutes(int64_t minutes) {
  const int64_t rest = minutes % kMinutesPerHour;
  return rest == 0
             ? absl::StrFormat("%d h", minutes / kMinutesPerHour)
             : absl::StrFormat("%d h %02d", minutes / kMinutesPerHour, rest);
}

const AttendanceSheet* FindSheet(const CohortAttendance& attendance,
                                 const HalfDayName& half_day) {
  const SheetName name = SheetOf(half_day);
  auto found = std::find_if(
      attendance.sheets.begin(), attendance.sheets.end(),
      [&](const AttendanceSheet& sheet) { return sheet.name == name; });
  return found == attendance.sheets.end() ? nullptr : &*found;
}

bool IsClosed(const AttendanceSheet* sheet) {
  return sheet != nullptr && sheet->state == SheetState::kClosed;
}

// What the sheet of `half_day` says of `enrolment`, if it decides anything.
std::optional<SignerRecord> RecordOf(const CohortAttendance& attendance,
                                     const HalfDayName& half_day,
                                     const EnrolmentName& enrolment) {
  std::vector<AttendanceEntry> entries;
  for (const AttendanceEntry& entry : attendance.entries) {
    if (entry.half_day() == half_day) entries.push_back(entry);
  }
  for (SignerRecord& record : Records(entries)) {
    if (record.role == SignerRole::kLearner && record.counts() &&
        record.enrolment == enrolment) {
      return std::move(record);
    }
  }
  return std::nullopt;
}

std::vector<const HalfDay*> DueFrom(const CalendarVersion& calendar,
                                    const RosterEntry& learner) {
  std::vector<const HalfDay*> due;
  for (const HalfDay& half_day : calendar.half_days) {
    if (TakesPartAt(learner, half_day.start)) due.push_back(&half_day);
  }
  return due;
}

std::vector<std::string> TextOf(const CompletionRecord& record,
                                absl::CivilDay issued) {
  const std::string employer =
      record.organisation_display_name.empty()
          ? ""
          : Cat(" (", record.organisation_display_name, ")");
  std::vector<std::string> text = {
      "Certificat de réalisation",
      Cat(record.body_display_name, " atteste que ",
          record.learner_display_name, employer,
          " a suivi l’action de formation « ", record.action_title, " »."),
      Cat("Du ", PrintDay(record.start_date), " au ", PrintDay(record.end_date),
          "."),
      Cat("Durée de l’action : ", PrintMinutes(record.scheduled_minutes),
          ". Durée suivie : ", PrintMinutes(record.attended_minutes),
          ", d’après ", record.evidence.size(),
          " feuilles d’émargement closes."),
  };
  if (record.partial) {
    text.emplace_back(
        "Réalisation partielle : la formation a été quittée avant son terme.");
  }
  text.push_back(Cat("Établi le ", PrintDay(issued),
                     ". Ce document constate le suivi de la formation et "
                     "aucun résultat."));
  return text;
}

}  // namespace

AttendanceSummary Summarise(const CohortAttendance& attendance,
                            const RosterEntry& learner, absl::Time now) {
  AttendanceSummary summary;
  summary.enrolment = learner.enrolment;
  summary.person = learner.person;
  summary.display_name = learner.display_name;
  for (const HalfDay* half_day : DueFrom(attendance.calendar, learner)) {
    const int64_t scheduled = half_day->scheduled_minutes();
    ++summary.half_days;
    summary.due_minutes += scheduled;
    const std::optional<SignerRecord> record =
        RecordOf(attendance, half_day->name, learner.enrolment);
    int64_t accounted = 0;
    if (record.has_value()) {
      summary.attended_minutes += record->attended_minutes;
      accounted = record->attended_minutes;
      if (record->claim.status == AttendanceStatus::kJustified) {
        summary.justified_minutes += scheduled;
        accounted = scheduled;
      }
    }
    if (half_day->end > now) continue;
    summary.absent_minutes += scheduled - accounted;
    if (!IsClosed(FindSheet(attendance, half_day->name))) {
      summary.open_half_days.push_back(half_day->name);
    }
  }
  return summary;
}

CompletionRecordName CompletionRecordOf(const EnrolmentName& enrolment) {
  return ChildName<CompletionRecordName>(enrolment.Under<CohortName>(),
                                         "completionRecords", enrolment.id());
}

absl::StatusOr<CompletionRecord> IssueRecord(const CohortAttendance& attendance,
                                             const RosterEntry& learner,
                                             const ActionFacts& action,
                                             absl::Time now) {
  const CalendarVersion& calendar = attendance.calendar;
  const absl::TimeZone zone = ZoneOf(calendar.time_zone);
  const std::vector<const HalfDay*> due = DueFrom(calendar, learner);
  const auto never_attended = [&] {
    return MakeError(Reason::kIllegalTransition,
                     {{"resource", learner.enrolment.text()},
                      {"state", std::string(NameOf(learner.state))},
                      {"action", "CreateCompletionRecord"}});
  };
  if (due.empty()) return never_attended();
  if (due.back()->end > now) {
    return MakeError(
        Reason::kTooEarly,
        {{"action", "CreateCompletionRecord"},
         {"from", absl::FormatTime(absl::RFC3339_sec, due.back()->end, zone)},
         {"article", "C. trav. R6332-26"}});
  }
  const AttendanceSummary summary = Summarise(attendance, learner, now);
  if (!summary.open_half_days.empty()) {
    std::vector<std::string> ids;
    for (const HalfDayName& half_day : summary.open_half_days) {
      ids.emplace_back(half_day.id());
    }
    return MakeError(Reason::kSheetOpen,
                     {{"half_days", absl::StrJoin(ids, ", ")}});
  }
  if (summary.attended_minutes == 0) return never_attended();

  CompletionRecord record;
  record.name = CompletionRecordOf(learner.enrolment);
  record.enrolment = learner.enrolment;
  record.person = learner.person;
  record.learner_display_name = learner.display_name;
  record.organisation_display_name = action.organisation_display_name;
  record.body_display_name = action.body_display_name;
  record.action_title = action.title;
  record.start_date = due.front()->date;
  record.end_date = due.back()->date;
  record.scheduled_minutes = Sum(calendar.half_days).minutes;
  record.due_minutes = summary.due_minutes;
  record.attended_minutes = summary.attended_minutes;
  record.justified_minutes = summary.justified_minutes;
  record.partial = HasLeft(learner.state);
  for (const HalfDay* half_day : due) {
    const AttendanceSheet* sheet = FindSheet(attendance, half_day->name);
    record.evidence.push_back({sheet->name, sheet->root});
  }
  record.text = TextOf(record, absl::ToCivilDay(now, zone));
  return record;
}

}  // namespace parcours::scheduling
