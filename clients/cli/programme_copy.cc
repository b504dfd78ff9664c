#include "clients/cli/programme_copy.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"
#include "clients/cli/dates.h"
#include "common/time/french_calendar.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"

namespace parcours::cli {
namespace {

using enrolment::v1::Cohort;
using enrolment::v1::ProgrammeFile;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kDaysOfWeek = 7;

// How dates move.
struct Shift {
  std::int64_t days = 0;
  int years = 0;
};

Shift ShiftTo(absl::CivilDay start, int to_year) {
  const absl::CivilDay same_date(to_year, start.month(), start.day());
  const std::int64_t apart = same_date - start;
  // Rounded to the nearest whole number of weeks.
  const std::int64_t weeks = (apart + kDaysOfWeek / 2) / kDaysOfWeek;
  return {.days = weeks * kDaysOfWeek,
          .years = to_year - static_cast<int>(start.year())};
}

void Move(const Shift& shift, google::type::Date& date) {
  if (date.day() == 0) {
    date.set_year(date.year() + shift.years);
  } else {
    date = DateOf(DayOf(date) + shift.days);
  }
}

// The year in a name or title, or the new year behind it.
std::string Renamed(const std::string& text, int from_year, int to_year,
                    std::string_view separator) {
  const std::string old_year = absl::StrCat(from_year);
  if (absl::StrContains(text, old_year)) {
    return absl::StrReplaceAll(text, {{old_year, absl::StrCat(to_year)}});
  }
  return absl::StrCat(text, std::string(separator), to_year);
}

// `text` without `number` and the brackets around it.
std::string Without(std::string text, const std::string& number) {
  for (const std::string& form :
       {absl::StrCat(" (", number, ")"), absl::StrCat("(", number, ")"),
        absl::StrCat(" ", number), number}) {
    text = absl::StrReplaceAll(text, {{form, ""}});
  }
  return text;
}

// The paths of the texts that mention `word`.
void FindMentions(const Message& message, const std::string& path,
                  const std::string& word, std::vector<std::string>& found) {
  std::vector<const FieldDescriptor*> present;
  message.GetReflection()->ListFields(message, &present);
  const auto& reflection = *message.GetReflection();
  for (const FieldDescriptor* field : present) {
    const std::string at =
        path.empty() ? field->name() : absl::StrCat(path, ".", field->name());
    const int count =
        field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const std::string element =
          field->is_repeated() ? absl::StrCat(at, "[", i, "]") : at;
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        const std::string text =
            field->is_repeated()
                ? reflection.GetRepeatedString(message, field, i)
                : reflection.GetString(message, field);
        if (absl::StrContains(text, word)) found.push_back(element);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        FindMentions(field->is_repeated()
                         ? reflection.GetRepeatedMessage(message, field, i)
                         : reflection.GetMessage(message, field),
                     element, word, found);
      }
    }
  }
}

void MoveCohort(const Shift& shift, Cohort& cohort) {
  Move(shift, *cohort.mutable_application_open_date());
  Move(shift, *cohort.mutable_application_close_date());
  Move(shift, *cohort.mutable_start_date());
  Move(shift, *cohort.mutable_end_date());
  Move(shift, *cohort.mutable_entry_cutoff_date());
  if (!cohort.has_assessment_calendar()) return;
  auto& calendar = *cohort.mutable_assessment_calendar();
  if (calendar.has_writing_start_date()) {
    Move(shift, *calendar.mutable_writing_start_date());
  }
  if (calendar.has_writing_end_date()) {
    Move(shift, *calendar.mutable_writing_end_date());
  }
  if (calendar.has_jury_date()) Move(shift, *calendar.mutable_jury_date());
}

void ClearSessionNumbers(ProgrammeCopy& copy) {
  Cohort& cohort = *copy.file.mutable_cohort();
  for (auto& funder : *cohort.mutable_funders()) {
    if (funder.session_number().empty()) continue;
    copy.to_review.push_back(
        absl::StrCat("numéro de session chez ", funder.display_name(),
                     " : à demander (l’ancien, ", funder.session_number(),
                     ", ne vaut que pour l’ancienne promotion)"));
    for (auto& price : *cohort.mutable_prices()) {
      price.set_note(Without(price.note(), funder.session_number()));
    }
    funder.clear_session_number();
  }
}

void ReviewHolidays(ProgrammeCopy& copy) {
  for (const auto& day : copy.file.days()) {
    const absl::CivilDay date = DayOf(day.date());
    if (IsPublicHoliday(date)) {
      copy.to_review.push_back(
          absl::StrCat(PrintFrench(date), " est un jour férié"));
    }
  }
}

void ReviewMandate(ProgrammeCopy& copy) {
  const auto& programme = copy.file.programme();
  const auto& mandate = programme.certification_mandate();
  if (programme.has_certification_mandate() && mandate.has_effective_until() &&
      DayOf(mandate.effective_until()) < DayOf(copy.file.cohort().end_date())) {
    copy.to_review.push_back(
        "le mandat du certificateur prend fin avant la fin de la formation");
  }
}

}  // namespace

absl::StatusOr<ProgrammeCopy> CopyProgramme(const ProgrammeFile& file,
                                            int to_year) {
  const absl::CivilDay start = DayOf(file.cohort().start_date());
  const int from_year = static_cast<int>(start.year());
  if (to_year <= from_year) {
    return absl::InvalidArgumentError(
        absl::StrCat("--to_year must be after ", from_year));
  }
  ProgrammeCopy copy{.file = file, .to_review = {}};
  const Shift shift = ShiftTo(start, to_year);
  copy.file.set_source(absl::StrCat("Copie de la promotion ", from_year,
                                    " pour ", to_year, ", à revoir"));
  Cohort& cohort = *copy.file.mutable_cohort();
  cohort.set_name(Renamed(cohort.name(), from_year, to_year, "-"));
  cohort.set_display_name(
      Renamed(cohort.display_name(), from_year, to_year, " "));
  MoveCohort(shift, cohort);
  for (auto& day : *copy.file.mutable_days()) {
    Move(shift, *day.mutable_date());
  }
  copy.to_review.push_back(absl::StrCat(
      "toutes les dates : décalées de ", shift.days,
      " jours, mêmes jours de la semaine ; mois d’évaluation gardés"));
  ClearSessionNumbers(copy);
  ReviewHolidays(copy);
  ReviewMandate(copy);
  if (copy.file.trainers_size() > 0) {
    copy.to_review.push_back(
        "intervenantes et lieux : repris tels quels, disponibilités inconnues");
  }
  std::vector<std::string> mentions;
  FindMentions(copy.file.programme(), "programme", absl::StrCat(from_year),
               mentions);
  FindMentions(cohort, "cohort", absl::StrCat(from_year), mentions);
  for (const std::string& mention : mentions) {
    copy.to_review.push_back(absl::StrCat(mention, " mentionne ", from_year));
  }
  return copy;
}

std::string PrintCopy(const ProgrammeCopy& copy) {
  std::string text =
      "# proto-file: proto/parcours/enrolment/v1/programme.proto\n"
      "# proto-message: parcours.enrolment.v1.ProgrammeFile\n"
      "#\n"
      "# À REVOIR avant d’appliquer :\n";
  for (const std::string& point : copy.to_review) {
    absl::StrAppend(&text, "# - ", point, "\n");
  }
  absl::StrAppend(&text, "\n");
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  std::string fields;
  printer.PrintToString(copy.file, &fields);
  return absl::StrCat(text, fields);
}

}  // namespace parcours::cli
