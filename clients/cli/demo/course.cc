#include "clients/cli/demo/course.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "clients/cli/dates.h"
#include "clients/cli/demo/evaluation.h"
#include "common/status/error.h"
#include "common/status/macros.h"

namespace parcours::cli::demo {
namespace {

using enrolment::v1::Application;
using enrolment::v1::Enrolment;
using enrolment::v1::EnrolmentService;
using scheduling::v1::AttendanceEntry;
using scheduling::v1::AttendanceService;
using scheduling::v1::AttendanceSheet;
using scheduling::v1::CalendarService;
using scheduling::v1::CompletionService;
using scheduling::v1::HalfDay;

constexpr int kSigningThreads = 8;
constexpr int kAbsencePercent = 4;
constexpr absl::Duration kSignAfterStart = absl::Minutes(5);
constexpr absl::Duration kLateBy = absl::Minutes(25);
constexpr absl::Duration kLeftEarlyBy = absl::Minutes(30);
constexpr absl::Duration kCloseAfterEnd = absl::Minutes(5);
// Longest time after the course until every sheet can be closed.
constexpr int kMostDaysUntilClosed = 60;

// What a learner does on a half-day.
enum class Presence { kThere, kLate, kJustified, kAbsent, kCorrected };

// One half-day for those who follow the course.
struct Session {
  HalfDay half_day;
  std::vector<Enrolment> learners;
  std::vector<Presence> presences;

  absl::Time start() const { return TimeOf(half_day.start_time()); }
  absl::Time end() const { return TimeOf(half_day.end_time()); }
};

absl::StatusOr<std::vector<HalfDay>> PublishedHalfDays(const Stage& stage) {
  const auto& calendars = stage.services.scheduling->calendars;
  scheduling::v1::GetCalendarRequest get;
  get.set_name(absl::StrCat(stage.cohort.name(), "/calendar"));
  ASSIGN_OR_RETURN(
      const scheduling::v1::Calendar calendar,
      calendars.Call(&CalendarService::StubInterface::GetCalendar, get));
  scheduling::v1::GetCalendarVersionRequest version;
  version.set_name(absl::StrCat(stage.cohort.name(), "/calendarVersions/",
                                calendar.published_version()));
  ASSIGN_OR_RETURN(
      scheduling::v1::CalendarVersion published,
      calendars.Call(&CalendarService::StubInterface::GetCalendarVersion,
                     version));
  std::vector<HalfDay> half_days(published.half_days().begin(),
                                 published.half_days().end());
  std::sort(half_days.begin(), half_days.end(),
            [](const HalfDay& a, const HalfDay& b) {
              return TimeOf(a.start_time()) < TimeOf(b.start_time());
            });
  return half_days;
}

absl::StatusOr<AttendanceEntry> Sign(const Stage& stage,
                                     const HalfDay& half_day,
                                     const AttendanceEntry& entry) {
  scheduling::v1::CreateAttendanceEntryRequest request;
  request.set_parent(half_day.name());
  *request.mutable_attendance_entry() = entry;
  return stage.services.scheduling->attendance.Call(
      &AttendanceService::StubInterface::CreateAttendanceEntry, request);
}

AttendanceEntry EntryOf(const std::string& person,
                        scheduling::v1::AttendanceStatus status,
                        AttendanceEntry::Means means) {
  AttendanceEntry entry;
  entry.set_signer(person);
  entry.set_signer_role(AttendanceEntry::SIGNER_ROLE_LEARNER);
  entry.set_status(status);
  entry.set_means(means);
  return entry;
}

// Chance draws a session before any thread runs, so that its figures do not
// depend on who signs first.
Session DrawSession(Stage& stage, const HalfDay& half_day,
                    std::vector<Enrolment> learners, bool with_late,
                    bool with_correction) {
  Session session{
      .half_day = half_day, .learners = std::move(learners), .presences = {}};
  session.presences.assign(session.learners.size(), Presence::kThere);
  for (Presence& presence : session.presences) {
    if (!stage.random.Chance(kAbsencePercent)) continue;
    presence =
        stage.random.Chance(50) ? Presence::kJustified : Presence::kAbsent;
  }
  std::vector<std::size_t> order(session.learners.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  stage.random.Shuffle(order);
  std::size_t chosen = 0;
  if (with_late && chosen < order.size()) {
    session.presences[order[chosen++]] = Presence::kLate;
    // And somebody who certainly is not there.
    if (chosen < order.size()) {
      session.presences[order[chosen++]] = Presence::kAbsent;
    }
  }
  if (with_correction && chosen < order.size()) {
    session.presences[order[chosen++]] = Presence::kCorrected;
  }
  return session;
}

absl::Status SignIn(const Stage& stage, const Session& session,
                    Presence presence) {
  return InParallel(static_cast<int>(session.learners.size()), kSigningThreads,
                    [&](int i) -> absl::Status {
                      const auto index = static_cast<std::size_t>(i);
                      const bool signs_now =
                          session.presences[index] == presence ||
                          (presence == Presence::kThere &&
                           session.presences[index] == Presence::kCorrected);
                      if (!signs_now) return absl::OkStatus();
                      const bool late = presence == Presence::kLate;
                      AttendanceEntry entry = EntryOf(
                          session.learners[index].person(),
                          late ? scheduling::v1::ATTENDANCE_STATUS_LATE
                               : scheduling::v1::ATTENDANCE_STATUS_PRESENT,
                          i % 2 == 0 ? AttendanceEntry::MEANS_ROTATING_CODE
                                     : AttendanceEntry::MEANS_PERSONAL_LINK);
                      if (late) {
                        *entry.mutable_arrival_time() =
                            TimestampOf(session.start() + kLateBy);
                      }
                      return Sign(stage, session.half_day, entry).status();
                    });
}

// The coordinator records the absences whose reason was accepted, and corrects
// what was signed wrongly.
absl::Status RecordExceptions(const Stage& stage, const Session& session) {
  for (std::size_t i = 0; i < session.learners.size(); ++i) {
    if (session.presences[i] == Presence::kJustified) {
      RETURN_IF_ERROR(Sign(stage, session.half_day,
                           EntryOf(session.learners[i].person(),
                                   scheduling::v1::ATTENDANCE_STATUS_JUSTIFIED,
                                   AttendanceEntry::MEANS_COORDINATOR_ENTRY))
                          .status());
    }
  }
  if (std::find(session.presences.begin(), session.presences.end(),
                Presence::kCorrected) == session.presences.end()) {
    return absl::OkStatus();
  }
  scheduling::v1::ListAttendanceEntriesRequest list;
  list.set_parent(session.half_day.name());
  ASSIGN_OR_RETURN(
      const std::vector<AttendanceEntry> entries,
      ListAll(
          stage.services.scheduling->attendance,
          &AttendanceService::StubInterface::ListAttendanceEntries, list,
          [](scheduling::v1::ListAttendanceEntriesResponse & page) -> auto& {
            return *page.mutable_attendance_entries();
          }));
  for (std::size_t i = 0; i < session.learners.size(); ++i) {
    if (session.presences[i] != Presence::kCorrected) continue;
    const Enrolment& learner = session.learners[i];
    const auto signed_entry = std::find_if(
        entries.begin(), entries.end(), [&](const AttendanceEntry& entry) {
          return entry.signer() == learner.person();
        });
    if (signed_entry == entries.end()) continue;
    scheduling::v1::CorrectAttendanceEntryRequest correct;
    correct.set_name(signed_entry->name());
    correct.set_status(scheduling::v1::ATTENDANCE_STATUS_LEFT_EARLY);
    *correct.mutable_departure_time() =
        TimestampOf(session.end() - kLeftEarlyBy);
    correct.set_reason("Départ avant la fin, signalé par l’intervenante.");
    ASSIGN_OR_RETURN(
        const AttendanceEntry correction,
        stage.services.scheduling->attendance.Call(
            &AttendanceService::StubInterface::CorrectAttendanceEntry,
            correct));
    stage.narrator.Tell(
        absl::StrCat(learner.person_display_name(), " : émargement corrigé, ",
                     correction.attended_minutes(),
                     " minutes suivies ; l’ancienne ligne reste."));
  }
  return absl::OkStatus();
}

absl::Status SignAsTrainers(const Stage& stage, const HalfDay& half_day) {
  for (const auto& trainer : half_day.trainers()) {
    AttendanceEntry entry =
        EntryOf(trainer.person(), scheduling::v1::ATTENDANCE_STATUS_PRESENT,
                AttendanceEntry::MEANS_TRAINER_DEVICE);
    entry.set_signer_role(AttendanceEntry::SIGNER_ROLE_TRAINER);
    RETURN_IF_ERROR(Sign(stage, half_day, entry).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<AttendanceSheet> CloseSheet(const Stage& stage,
                                           const HalfDay& half_day) {
  scheduling::v1::CloseAttendanceSheetRequest request;
  request.set_name(absl::StrCat(half_day.name(), "/sheet"));
  request.set_mark_missing_absent(true);
  if (half_day.trainers().empty()) {
    request.set_reason("Aucune intervenante n’est désignée au calendrier.");
  }
  return stage.services.scheduling->attendance.Call(
      &AttendanceService::StubInterface::CloseAttendanceSheet, request);
}

absl::Status HoldSession(const Stage& stage, const Session& session) {
  RETURN_IF_ERROR(MoveTo(stage, session.start() + kSignAfterStart));
  RETURN_IF_ERROR(SignIn(stage, session, Presence::kThere));
  const auto late = std::find(session.presences.begin(),
                              session.presences.end(), Presence::kLate);
  if (late != session.presences.end()) {
    RETURN_IF_ERROR(MoveTo(stage, session.start() + kLateBy + kSignAfterStart));
    RETURN_IF_ERROR(SignIn(stage, session, Presence::kLate));
    const auto index =
        static_cast<std::size_t>(late - session.presences.begin());
    stage.narrator.Tell(
        absl::StrCat(session.learners[index].person_display_name(),
                     " : arrive avec retard et signe l’heure de son arrivée."));
  }
  RETURN_IF_ERROR(MoveTo(stage, session.end() + kCloseAfterEnd));
  RETURN_IF_ERROR(RecordExceptions(stage, session));
  RETURN_IF_ERROR(SignAsTrainers(stage, session.half_day));
  // Without a trainer the sheet is closed later, with a reason.
  if (session.half_day.trainers().empty()) return absl::OkStatus();
  return CloseSheet(stage, session.half_day).status();
}

// Sheets without a trainer can be closed some days after their half-day.
absl::Status CloseRemainingSheets(const Stage& stage,
                                  const std::vector<HalfDay>& half_days) {
  for (const HalfDay& half_day : half_days) {
    if (!half_day.trainers().empty()) continue;
    absl::Status status = CloseSheet(stage, half_day).status();
    for (int days = 0;
         ReasonOf(status) == Reason::kTooEarly && days < kMostDaysUntilClosed;
         ++days) {
      ASSIGN_OR_RETURN(const absl::Time now, Now(stage));
      RETURN_IF_ERROR(MoveTo(stage, now + absl::Hours(24)));
      status = CloseSheet(stage, half_day).status();
    }
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

// The learner leaves; the service says what becomes of the place.
absl::Status DropOut(Stage& stage) {
  ASSIGN_OR_RETURN(const std::vector<Enrolment> started,
                   Enrolments(stage, Enrolment::STATE_STARTED));
  if (started.size() < 2) return absl::OkStatus();
  const Enrolment& leaving = started[stage.random.Index(started.size())];
  enrolment::v1::EndEnrolmentRequest request;
  request.set_name(leaving.name());
  request.set_state(Enrolment::STATE_DROPPED_OUT);
  request.set_reason("Reprise d’emploi incompatible avec la formation.");
  RETURN_IF_ERROR(
      stage.services.enrolment.enrolments
          .Call(&EnrolmentService::StubInterface::EndEnrolment, request)
          .status());
  ASSIGN_OR_RETURN(const std::vector<Application> offered,
                   Applications(stage, enrolment::v1::PLACE_STATE_OFFERED));
  if (!offered.empty()) {
    return absl::InternalError(
        "une place a été proposée après la date limite d’entrée");
  }
  RETURN_IF_ERROR(RefreshCohort(stage));
  stage.narrator.Tell(absl::StrCat(
      leaving.person_display_name(), " : abandonne. Personne n’est appelé (",
      stage.cohort.waitlisted_count(),
      " en attente) : l’entrée est close depuis le ",
      PrintFrench(DayOf(stage.cohort.entry_cutoff_date())), "."));
  return absl::OkStatus();
}

// Half-days by local day, in order.
std::vector<std::vector<HalfDay>> DaysOf(
    const std::vector<HalfDay>& half_days) {
  std::map<absl::CivilDay, std::vector<HalfDay>> by_day;
  for (const HalfDay& half_day : half_days) {
    by_day[DayOf(half_day.date())].push_back(half_day);
  }
  std::vector<std::vector<HalfDay>> days;
  days.reserve(by_day.size());
  for (auto& [day, halves] : by_day) days.push_back(std::move(halves));
  return days;
}

// A quarter of the way, but never the first day nor before the cut-off.
std::size_t DropOutDay(const Stage& stage,
                       const std::vector<std::vector<HalfDay>>& days) {
  std::size_t index = std::max<std::size_t>(1, days.size() / 5);
  const absl::CivilDay cutoff = DayOf(stage.cohort.entry_cutoff_date());
  while (index < days.size() && DayOf(days[index][0].date()) <= cutoff) ++index;
  return index;
}

absl::Status TellDay(const Stage& stage, const std::vector<HalfDay>& halves) {
  int entries = 0;
  int closed = 0;
  for (const HalfDay& half_day : halves) {
    scheduling::v1::GetAttendanceSheetRequest request;
    request.set_name(absl::StrCat(half_day.name(), "/sheet"));
    ASSIGN_OR_RETURN(
        const AttendanceSheet sheet,
        stage.services.scheduling->attendance.Call(
            &AttendanceService::StubInterface::GetAttendanceSheet, request));
    entries += sheet.entry_count();
    closed += sheet.state() == AttendanceSheet::STATE_CLOSED ? 1 : 0;
  }
  stage.narrator.Tell(absl::StrCat(PrintFrench(DayOf(halves[0].date())), " : ",
                                   halves.size(), " demi-journées, ", entries,
                                   " lignes d’émargement, ", closed,
                                   " feuilles closes."));
  return absl::OkStatus();
}

// Somebody checks a receipt against the sheet, as years later.
absl::Status VerifyReceipt(const Stage& stage, const HalfDay& half_day) {
  scheduling::v1::ListReceiptsRequest list;
  list.set_parent(absl::StrCat(half_day.name(), "/sheet"));
  ASSIGN_OR_RETURN(const std::vector<scheduling::v1::Receipt> receipts,
                   ListAll(
                       stage.services.scheduling->attendance,
                       &AttendanceService::StubInterface::ListReceipts, list,
                       [](scheduling::v1::ListReceiptsResponse &
                          page) -> auto& { return *page.mutable_receipts(); }));
  if (receipts.empty()) return absl::OkStatus();
  scheduling::v1::VerifyAttendanceSheetRequest verify;
  verify.set_name(list.parent());
  *verify.mutable_receipt() = receipts.front();
  ASSIGN_OR_RETURN(
      const scheduling::v1::VerifyAttendanceSheetResponse answer,
      stage.services.scheduling->attendance.Call(
          &AttendanceService::StubInterface::VerifyAttendanceSheet, verify));
  if (!answer.valid()) {
    return absl::InternalError("une feuille d’émargement ne se vérifie pas");
  }
  stage.narrator.Tell(
      "Un reçu vérifié : la feuille close n’a pas été réécrite.");
  return absl::OkStatus();
}

absl::Status EndCourse(Stage& stage, const std::vector<HalfDay>& half_days) {
  ASSIGN_OR_RETURN(const std::vector<Enrolment> started,
                   Enrolments(stage, Enrolment::STATE_STARTED));
  for (const Enrolment& enrolment : started) {
    enrolment::v1::CompleteEnrolmentRequest request;
    request.set_name(enrolment.name());
    RETURN_IF_ERROR(
        stage.services.enrolment.enrolments
            .Call(&EnrolmentService::StubInterface::CompleteEnrolment, request)
            .status());
  }
  RETURN_IF_ERROR(CloseRemainingSheets(stage, half_days));
  RETURN_IF_ERROR(
      stage.services.scheduling->roster
          .Call(
              &scheduling::v1::RosterService::StubInterface::SynchroniseRoster,
              scheduling::v1::SynchroniseRosterRequest())
          .status());
  ASSIGN_OR_RETURN(const std::vector<Enrolment> all, Enrolments(stage));
  int records = 0;
  for (const Enrolment& enrolment : all) {
    const bool followed = enrolment.state() == Enrolment::STATE_COMPLETED ||
                          enrolment.state() == Enrolment::STATE_DROPPED_OUT;
    if (!followed) continue;
    scheduling::v1::CreateCompletionRecordRequest request;
    request.set_parent(stage.cohort.name());
    request.mutable_completion_record()->set_enrolment(enrolment.name());
    RETURN_IF_ERROR(
        stage.services.scheduling->completion
            .Call(&CompletionService::StubInterface::CreateCompletionRecord,
                  request)
            .status());
    ++records;
  }
  stage.narrator.Tell(absl::StrCat(records, " certificats de réalisation."));
  return VerifyReceipt(stage, half_days.front());
}

}  // namespace

absl::Status StartCourse(Stage& stage) {
  stage.narrator.Chapter("Le premier jour");
  constexpr int kDoorsOpen = 8;
  RETURN_IF_ERROR(AdvanceTo(stage, stage.At(stage.start_day(), kDoorsOpen)));
  RETURN_IF_ERROR(RefreshCohort(stage));
  stage.narrator.Tell(absl::StrCat(stage.cohort.confirmed_count(),
                                   " places confirmées sur ",
                                   stage.cohort.capacity(), "."));
  if (stage.cohort.confirmed_count() != stage.cohort.capacity()) {
    return absl::FailedPreconditionError(
        "toutes les places ne sont pas confirmées le premier jour");
  }
  ASSIGN_OR_RETURN(const std::vector<Enrolment> enrolled,
                   Enrolments(stage, Enrolment::STATE_ENROLLED));
  for (const Enrolment& enrolment : enrolled) {
    enrolment::v1::StartEnrolmentRequest request;
    request.set_name(enrolment.name());
    RETURN_IF_ERROR(
        stage.services.enrolment.enrolments
            .Call(&EnrolmentService::StubInterface::StartEnrolment, request)
            .status());
  }
  return absl::OkStatus();
}

absl::Status FollowCourse(Stage& stage) {
  ASSIGN_OR_RETURN(const std::vector<HalfDay> half_days,
                   PublishedHalfDays(stage));
  const std::vector<std::vector<HalfDay>> days = DaysOf(half_days);
  stage.narrator.Chapter(absl::StrCat("La formation : ", days.size(),
                                      " jours, ", half_days.size(),
                                      " demi-journées"));
  const std::size_t drop_out_day = DropOutDay(stage, days);
  const std::size_t late_at = stage.random.Index(half_days.size());
  const std::size_t corrected_at = stage.random.Index(half_days.size());
  std::size_t held = 0;
  bool subjects_proposed = false;
  for (std::size_t day = 0; day < days.size(); ++day) {
    if (!subjects_proposed &&
        WritingHasBegun(stage, DayOf(days[day][0].date()))) {
      RETURN_IF_ERROR(
          MoveTo(stage, TimeOf(days[day][0].start_time()) - absl::Hours(1)));
      RETURN_IF_ERROR(ProposeSubjects(stage));
      subjects_proposed = true;
    }
    for (const HalfDay& half_day : days[day]) {
      ASSIGN_OR_RETURN(std::vector<Enrolment> learners,
                       Enrolments(stage, Enrolment::STATE_STARTED));
      const Session session =
          DrawSession(stage, half_day, std::move(learners), held == late_at,
                      held == corrected_at);
      RETURN_IF_ERROR(HoldSession(stage, session));
      ++held;
      stage.narrator.Progress("demi-journées", static_cast<int>(held),
                              static_cast<int>(half_days.size()));
    }
    RETURN_IF_ERROR(TellDay(stage, days[day]));
    if (day == drop_out_day) RETURN_IF_ERROR(DropOut(stage));
  }
  stage.narrator.Chapter("La fin de la formation");
  ASSIGN_OR_RETURN(const absl::Time now, Now(stage));
  RETURN_IF_ERROR(AdvanceTo(stage, now + absl::Hours(1)));
  return EndCourse(stage, half_days);
}

}  // namespace parcours::cli::demo
