#include "clients/cli/demo/report.h"

#include <algorithm>
#include <cstddef>
#include <iomanip>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "clients/cli/dates.h"
#include "clients/cli/demo/narrator.h"
#include "common/status/macros.h"
#include "nlohmann/json.hpp"

namespace parcours::cli::demo {
namespace {

using enrolment::v1::Application;
using enrolment::v1::ApplicationService;
using enrolment::v1::Cohort;
using enrolment::v1::Enrolment;
using enrolment::v1::EnrolmentService;
using enrolment::v1::PlaceEvent;
using enrolment::v1::PlaceState;
using enrolment::v1::ProgrammeService;
using evaluation::v1::CertificateService;
using evaluation::v1::Result;
using evaluation::v1::ResultService;
using evaluation::v1::ValidationNoteService;
using scheduling::v1::AttendanceEntry;
using scheduling::v1::AttendanceService;
using scheduling::v1::CalendarService;
using scheduling::v1::CompletionService;

// The job by which a place is decided on when its time has come.
constexpr char kPlaceDeadline[] = "PlaceDeadline";

std::string BodyOf(const std::string& cohort) {
  return cohort.substr(0, cohort.find("/cohorts/"));
}

template <typename Story, typename Visit>
void ForEachStep(const Story& stories, Visit visit) {
  for (const auto& story : stories) {
    PlaceState before = enrolment::v1::PLACE_STATE_NONE;
    for (const PlaceEvent& event : story.events()) {
      visit(before, event);
      before = event.place_state();
    }
  }
}

// Where the place stood after everything that happened until `time`.
PlaceState StateAt(const enrolment::v1::ExplainPlaceResponse& story,
                   absl::Time time) {
  PlaceState state = enrolment::v1::PLACE_STATE_NONE;
  for (const PlaceEvent& event : story.events()) {
    if (TimeOf(event.event_time()) > time) break;
    state = event.place_state();
  }
  return state;
}

int CountAt(const PlaceStories& stories, absl::Time time, PlaceState state) {
  return static_cast<int>(std::count_if(
      stories.begin(), stories.end(),
      [&](const auto& story) { return StateAt(story, time) == state; }));
}

absl::Status ReadApplications(const EnrolmentServices& services,
                              const Cohort& cohort, Report& report) {
  enrolment::v1::ListApplicationsRequest list;
  list.set_parent(cohort.name());
  ASSIGN_OR_RETURN(
      const std::vector<Application> applications,
      ListAll(
          services.applications,
          &ApplicationService::StubInterface::ListApplications, list,
          [](enrolment::v1::ListApplicationsResponse & page) -> auto& {
            return *page.mutable_applications();
          }));
  report.applications = static_cast<int>(applications.size());
  PlaceStories stories;
  for (const Application& application : applications) {
    switch (application.review_state()) {
      case enrolment::v1::REVIEW_STATE_AWAITING_PIECES:
        ++report.awaiting_pieces;
        break;
      case enrolment::v1::REVIEW_STATE_ADMITTED:
        ++report.admitted;
        break;
      case enrolment::v1::REVIEW_STATE_REFUSED:
        ++report.refused;
        break;
      case enrolment::v1::REVIEW_STATE_WITHDRAWN:
        ++report.withdrawn;
        break;
      default:
        break;
    }
    if (application.decision().derogation()) ++report.derogations;
    enrolment::v1::ExplainPlaceRequest explain;
    explain.set_name(application.name());
    ASSIGN_OR_RETURN(
        enrolment::v1::ExplainPlaceResponse story,
        services.applications.Call(
            &ApplicationService::StubInterface::ExplainPlace, explain));
    stories.push_back(std::move(story));
  }
  report.waitlisted_peak = WaitlistedPeak(stories);
  report.offers_accepted =
      CountOfferEnds(stories, enrolment::v1::PLACE_STATE_HELD);
  report.offers_expired = CountOfferEnds(
      stories, enrolment::v1::PLACE_STATE_RELEASED, kPlaceDeadline);
  report.offers_declined =
      CountOfferEnds(stories, enrolment::v1::PLACE_STATE_RELEASED,
                     "DeclineOffer") +
      CountOfferEnds(stories, enrolment::v1::PLACE_STATE_WAITLISTED,
                     "DeclineOffer");
  ForEachStep(stories, [&](PlaceState before, const PlaceEvent& event) {
    if (event.place_state() == enrolment::v1::PLACE_STATE_OFFERED &&
        before != enrolment::v1::PLACE_STATE_OFFERED) {
      ++report.offers_made;
    }
    if (event.cause() == "WithdrawFromAgreement") ++report.legal_withdrawals;
  });
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(cohort.time_zone(), &zone)) {
    return absl::InternalError(
        absl::StrCat("unknown time zone ", cohort.time_zone()));
  }
  report.confirmed = ConfirmedAt(
      stories, absl::FromCivil(DayOf(cohort.start_date()) + 1, zone));
  return absl::OkStatus();
}

// Whether the learner was there on the first day.
bool HasStarted(const Enrolment& enrolment) {
  switch (enrolment.state()) {
    case Enrolment::STATE_STARTED:
    case Enrolment::STATE_COMPLETED:
    case Enrolment::STATE_DROPPED_OUT:
    case Enrolment::STATE_EXCLUDED:
      return true;
    default:
      return false;
  }
}

absl::Status ReadEnrolments(const EnrolmentServices& services,
                            const std::string& cohort, Report& report) {
  enrolment::v1::ListEnrolmentsRequest list;
  list.set_parent(cohort);
  ASSIGN_OR_RETURN(
      const std::vector<Enrolment> enrolments,
      ListAll(
          services.enrolments, &EnrolmentService::StubInterface::ListEnrolments,
          list, [](enrolment::v1::ListEnrolmentsResponse & page) -> auto& {
            return *page.mutable_enrolments();
          }));
  for (const Enrolment& enrolment : enrolments) {
    if (enrolment.state() == Enrolment::STATE_COMPLETED) ++report.completed;
    if (enrolment.state() == Enrolment::STATE_DROPPED_OUT) ++report.dropped_out;
    if (HasStarted(enrolment)) {
      std::string payer = type::v1::PayerKind_Name(enrolment.payer_kind());
      ++report.confirmed_by_payer[std::string(
          absl::StripPrefix(payer, "PAYER_KIND_"))];
    }
  }
  return absl::OkStatus();
}

absl::Status ReadAttendance(const SchedulingServices& services,
                            const scheduling::v1::HalfDay& half_day,
                            Report& report) {
  scheduling::v1::ListAttendanceEntriesRequest list;
  list.set_parent(half_day.name());
  ASSIGN_OR_RETURN(
      const std::vector<AttendanceEntry> entries,
      ListAll(
          services.attendance,
          &AttendanceService::StubInterface::ListAttendanceEntries, list,
          [](scheduling::v1::ListAttendanceEntriesResponse & page) -> auto& {
            return *page.mutable_attendance_entries();
          }));
  report.attendance_entries += static_cast<int>(entries.size());
  for (const AttendanceEntry& entry : entries) {
    if (entry.act() == AttendanceEntry::ACT_CORRECTION) {
      ++report.attendance_corrections;
    }
    if (entry.act() == AttendanceEntry::ACT_SIGNATURE &&
        entry.status() == scheduling::v1::ATTENDANCE_STATUS_LATE) {
      ++report.late_arrivals;
    }
  }
  scheduling::v1::GetAttendanceSheetRequest get;
  get.set_name(absl::StrCat(half_day.name(), "/sheet"));
  ASSIGN_OR_RETURN(
      const scheduling::v1::AttendanceSheet sheet,
      services.attendance.Call(
          &AttendanceService::StubInterface::GetAttendanceSheet, get));
  if (sheet.state() == scheduling::v1::AttendanceSheet::STATE_CLOSED) {
    ++report.closed_sheets;
  }
  return absl::OkStatus();
}

absl::Status ReadScheduling(const SchedulingServices& services,
                            const std::string& cohort, Report& report) {
  scheduling::v1::GetCalendarRequest get;
  get.set_name(absl::StrCat(cohort, "/calendar"));
  ASSIGN_OR_RETURN(const scheduling::v1::Calendar calendar,
                   services.calendars.Call(
                       &CalendarService::StubInterface::GetCalendar, get));
  if (calendar.published_version() == 0) return absl::OkStatus();
  scheduling::v1::GetCalendarVersionRequest get_version;
  get_version.set_name(
      absl::StrCat(cohort, "/calendarVersions/", calendar.published_version()));
  ASSIGN_OR_RETURN(
      const scheduling::v1::CalendarVersion version,
      services.calendars.Call(
          &CalendarService::StubInterface::GetCalendarVersion, get_version));
  report.days = version.day_count();
  report.half_days = version.half_day_count();
  report.scheduled_minutes = version.scheduled_minutes();
  for (const scheduling::v1::HalfDay& half_day : version.half_days()) {
    RETURN_IF_ERROR(ReadAttendance(services, half_day, report));
  }
  scheduling::v1::ListAttendanceSummariesRequest summaries_request;
  summaries_request.set_parent(cohort);
  ASSIGN_OR_RETURN(
      const std::vector<scheduling::v1::AttendanceSummary> summaries,
      ListAll(
          services.attendance,
          &AttendanceService::StubInterface::ListAttendanceSummaries,
          summaries_request,
          [](scheduling::v1::ListAttendanceSummariesResponse & page) -> auto& {
            return *page.mutable_attendance_summaries();
          }));
  for (const auto& summary : summaries) {
    report.due_minutes += summary.due_minutes();
    report.attended_minutes += summary.attended_minutes();
    report.justified_minutes += summary.justified_minutes();
    report.absent_minutes += summary.absent_minutes();
  }
  scheduling::v1::ListCompletionRecordsRequest records_request;
  records_request.set_parent(cohort);
  ASSIGN_OR_RETURN(
      const std::vector<scheduling::v1::CompletionRecord> records,
      ListAll(
          services.completion,
          &CompletionService::StubInterface::ListCompletionRecords,
          records_request,
          [](scheduling::v1::ListCompletionRecordsResponse & page) -> auto& {
            return *page.mutable_completion_records();
          }));
  report.completion_records = static_cast<int>(records.size());
  return absl::OkStatus();
}

absl::Status ReadNotes(const EvaluationServices& services,
                       const std::string& cohort, Report& report) {
  evaluation::v1::ListValidationNotesRequest list;
  list.set_parent(cohort);
  ASSIGN_OR_RETURN(
      const std::vector<evaluation::v1::ValidationNote> notes,
      ListAll(
          services.notes,
          &ValidationNoteService::StubInterface::ListValidationNotes, list,
          [](evaluation::v1::ListValidationNotesResponse & page) -> auto& {
            return *page.mutable_validation_notes();
          }));
  for (const auto& note : notes) {
    if (!note.has_final_version()) continue;
    ++report.notes;
    if (note.final_version().out_of_range()) ++report.notes_out_of_range;
    if (note.final_version().late()) ++report.notes_late;
  }
  return absl::OkStatus();
}

absl::Status ReadResults(const EvaluationServices& services,
                         const std::string& cohort, Report& report) {
  evaluation::v1::ListResultsRequest list;
  list.set_parent(cohort);
  ASSIGN_OR_RETURN(
      const std::vector<Result> results,
      ListAll(
          services.results, &ResultService::StubInterface::ListResults, list,
          [](evaluation::v1::ListResultsResponse & page) -> auto& {
            return *page.mutable_results();
          }));
  for (const Result& result : results) {
    switch (result.outcome()) {
      case Result::OUTCOME_AWARDED:
        ++report.awarded;
        break;
      case Result::OUTCOME_DEFERRED:
        ++report.deferred;
        break;
      case Result::OUTCOME_REFUSED:
        ++report.refused_by_jury;
        break;
      case Result::OUTCOME_COMPLETED:
        ++report.completed_without_jury;
        break;
      default:
        break;
    }
  }
  return absl::OkStatus();
}

absl::Status ReadCertificates(const EvaluationServices& services,
                              const std::string& cohort, Report& report) {
  evaluation::v1::ListCertificatesRequest list;
  list.set_parent(BodyOf(cohort));
  list.set_cohort(cohort);
  ASSIGN_OR_RETURN(
      const std::vector<evaluation::v1::Certificate> certificates,
      ListAll(
          services.certificates,
          &CertificateService::StubInterface::ListCertificates, list,
          [](evaluation::v1::ListCertificatesResponse & page) -> auto& {
            return *page.mutable_certificates();
          }));
  for (const auto& certificate : certificates) {
    CertificateLine line{.name = certificate.name(),
                         .number = certificate.number(),
                         .code = certificate.code(),
                         .holder = certificate.holder_display_name(),
                         .award_date = Print(certificate.award_date())};
    if (!certificate.number().empty() && !certificate.code().empty()) {
      evaluation::v1::VerifyCertificateRequest verify;
      verify.set_number(certificate.number());
      verify.set_code(certificate.code());
      const auto answer = services.certificates.Call(
          &CertificateService::StubInterface::VerifyCertificate, verify);
      line.verified =
          answer.ok() &&
          answer->state() == evaluation::v1::Certificate::STATE_ISSUED &&
          answer->holder_display_name() == certificate.holder_display_name();
    }
    report.certificates.push_back(std::move(line));
  }
  return absl::OkStatus();
}

void PrintLine(std::ostream& out, std::string_view label,
               const std::string& value) {
  constexpr std::size_t kLabelWidth = 34;
  std::size_t width = 0;
  for (const char c : label) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++width;
  }
  out << "  " << label
      << std::string(kLabelWidth - std::min(width, kLabelWidth), ' ') << value
      << '\n';
}

}  // namespace

int WaitlistedPeak(const PlaceStories& stories) {
  // Simulated time stands still between its moves: many steps share an instant,
  // and only what is true after it was ever seen.
  std::set<absl::Time> instants;
  for (const auto& story : stories) {
    for (const PlaceEvent& event : story.events()) {
      instants.insert(TimeOf(event.event_time()));
    }
  }
  int peak = 0;
  for (const absl::Time instant : instants) {
    peak = std::max(
        peak, CountAt(stories, instant, enrolment::v1::PLACE_STATE_WAITLISTED));
  }
  return peak;
}

int CountOfferEnds(const PlaceStories& stories, PlaceState place_state,
                   const std::string& cause) {
  int count = 0;
  ForEachStep(stories, [&](PlaceState before, const PlaceEvent& event) {
    const bool ends = before == enrolment::v1::PLACE_STATE_OFFERED &&
                      event.place_state() == place_state;
    if (ends && (cause.empty() || event.cause() == cause)) ++count;
  });
  return count;
}

int ConfirmedAt(const PlaceStories& stories, absl::Time time) {
  return CountAt(stories, time, enrolment::v1::PLACE_STATE_CONFIRMED);
}

absl::StatusOr<Report> ReadReport(const Services& services,
                                  const std::string& cohort_name,
                                  std::uint64_t seed) {
  enrolment::v1::GetCohortRequest get;
  get.set_name(cohort_name);
  ASSIGN_OR_RETURN(const Cohort cohort,
                   services.enrolment.programmes.Call(
                       &ProgrammeService::StubInterface::GetCohort, get));
  ASSIGN_OR_RETURN(const platform::v1::GetTimeResponse time,
                   services.enrolment.clock.Call(
                       &platform::v1::ClockService::StubInterface::GetTime,
                       platform::v1::GetTimeRequest()));
  Report report;
  report.programme = cohort.programme();
  report.cohort = cohort.name();
  report.seed = seed;
  report.business_time = absl::FormatTime(
      absl::RFC3339_sec, TimeOf(time.business_time()), absl::UTCTimeZone());
  report.capacity = cohort.capacity();
  RETURN_IF_ERROR(ReadApplications(services.enrolment, cohort, report));
  RETURN_IF_ERROR(ReadEnrolments(services.enrolment, cohort.name(), report));
  if (services.scheduling.has_value()) {
    RETURN_IF_ERROR(
        ReadScheduling(*services.scheduling, cohort.name(), report));
  }
  if (services.evaluation.has_value()) {
    RETURN_IF_ERROR(ReadNotes(*services.evaluation, cohort.name(), report));
    RETURN_IF_ERROR(ReadResults(*services.evaluation, cohort.name(), report));
    RETURN_IF_ERROR(
        ReadCertificates(*services.evaluation, cohort.name(), report));
  }
  return report;
}

std::string ToJson(const Report& report) {
  nlohmann::ordered_json json;
  json["programme"] = report.programme;
  json["cohort"] = report.cohort;
  json["seed"] = report.seed;
  json["business_time"] = report.business_time;
  json["capacity"] = report.capacity;
  json["applications"] = report.applications;
  json["awaiting_pieces"] = report.awaiting_pieces;
  json["admitted"] = report.admitted;
  json["derogations"] = report.derogations;
  json["refused"] = report.refused;
  json["withdrawn"] = report.withdrawn;
  json["waitlisted_peak"] = report.waitlisted_peak;
  json["offers_made"] = report.offers_made;
  json["offers_accepted"] = report.offers_accepted;
  json["offers_declined"] = report.offers_declined;
  json["offers_expired"] = report.offers_expired;
  json["legal_withdrawals"] = report.legal_withdrawals;
  json["confirmed"] = report.confirmed;
  json["confirmed_by_payer"] = nlohmann::ordered_json::object();
  for (const auto& [payer, count] : report.confirmed_by_payer) {
    json["confirmed_by_payer"][payer] = count;
  }
  json["completed"] = report.completed;
  json["dropped_out"] = report.dropped_out;
  json["days"] = report.days;
  json["half_days"] = report.half_days;
  json["scheduled_minutes"] = report.scheduled_minutes;
  json["attendance_entries"] = report.attendance_entries;
  json["attendance_corrections"] = report.attendance_corrections;
  json["late_arrivals"] = report.late_arrivals;
  json["due_minutes"] = report.due_minutes;
  json["attended_minutes"] = report.attended_minutes;
  json["justified_minutes"] = report.justified_minutes;
  json["absent_minutes"] = report.absent_minutes;
  json["closed_sheets"] = report.closed_sheets;
  json["completion_records"] = report.completion_records;
  json["notes"] = report.notes;
  json["notes_out_of_range"] = report.notes_out_of_range;
  json["notes_late"] = report.notes_late;
  json["awarded"] = report.awarded;
  json["deferred"] = report.deferred;
  json["refused_by_jury"] = report.refused_by_jury;
  json["completed_without_jury"] = report.completed_without_jury;
  json["certificates"] = nlohmann::ordered_json::array();
  for (const CertificateLine& line : report.certificates) {
    json["certificates"].push_back({{"name", line.name},
                                    {"number", line.number},
                                    {"code", line.code},
                                    {"holder", line.holder},
                                    {"award_date", line.award_date},
                                    {"verified", line.verified}});
  }
  return json.dump(2) + "\n";
}

void PrintSummary(std::ostream& out, const Report& report) {
  out << '\n' << report.cohort << '\n';
  PrintLine(out, "Candidatures", absl::StrCat(report.applications));
  PrintLine(out, "Refusées, par une personne", absl::StrCat(report.refused));
  PrintLine(out, "Admises par dérogation", absl::StrCat(report.derogations));
  PrintLine(out, "Liste d’attente, au plus",
            absl::StrCat(report.waitlisted_peak));
  PrintLine(
      out, "Places proposées",
      absl::StrCat(report.offers_made, " (acceptées ", report.offers_accepted,
                   ", déclinées ", report.offers_declined, ", expirées ",
                   report.offers_expired, ")"));
  PrintLine(out, "Rétractations légales",
            absl::StrCat(report.legal_withdrawals));
  PrintLine(out, "Confirmées le premier jour",
            absl::StrCat(report.confirmed, " sur ", report.capacity));
  PrintLine(out, "Abandons", absl::StrCat(report.dropped_out));
  if (report.half_days > 0) {
    PrintLine(out, "Formation",
              absl::StrCat(report.days, " jours, ", report.half_days,
                           " demi-journées, ", report.scheduled_minutes / 60,
                           " heures"));
    PrintLine(out, "Lignes d’émargement",
              absl::StrCat(report.attendance_entries, " sur ",
                           report.closed_sheets, " feuilles closes"));
    PrintLine(out, "Certificats de réalisation",
              absl::StrCat(report.completion_records));
  }
  if (report.notes > 0) {
    PrintLine(
        out, "Notes de validation",
        absl::StrCat(report.notes, " (hors bornes ", report.notes_out_of_range,
                     ", en retard ", report.notes_late, ")"));
  }
  const int decided = report.awarded + report.deferred + report.refused_by_jury;
  if (decided > 0) {
    PrintLine(
        out, "Jury",
        absl::StrCat(report.awarded, " certificats, ",
                     Counted(report.deferred, "ajournement", "ajournements"),
                     ", ", report.refused_by_jury, " refus"));
    const auto verified = std::count_if(
        report.certificates.begin(), report.certificates.end(),
        [](const CertificateLine& line) { return line.verified; });
    const bool numbered = std::any_of(
        report.certificates.begin(), report.certificates.end(),
        [](const CertificateLine& line) { return !line.number.empty(); });
    if (numbered) {
      PrintLine(out, "Certificats vérifiés",
                absl::StrCat(verified, " sur ", report.certificates.size()));
    } else {
      PrintLine(out, "À numéroter par le certificateur",
                absl::StrCat(report.certificates.size()));
    }
  }
  if (report.completed_without_jury > 0) {
    PrintLine(out, "Parcours accomplis, sans jury",
              absl::StrCat(report.completed_without_jury));
  }
}

}  // namespace parcours::cli::demo
