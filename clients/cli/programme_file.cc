#include "clients/cli/programme_file.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/status/macros.h"
#include "common/textproto/text_proto.h"
#include "google/api/field_behavior.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/message_differencer.h"
#include "google/type/date.pb.h"
#include "google/type/timeofday.pb.h"
#include "parcours/enrolment/v1/programme.pb.h"
#include "parcours/type/v1/assessment.pb.h"
#include "parcours/type/v1/calendar.pb.h"
#include "parcours/type/v1/payer.pb.h"
#include "parcours/type/v1/piece.pb.h"

namespace parcours::cli {
namespace {

using enrolment::v1::CertificationMandate;
using enrolment::v1::Cohort;
using enrolment::v1::Party;
using enrolment::v1::PlannedDay;
using enrolment::v1::PlannedHalfDay;
using enrolment::v1::Programme;
using enrolment::v1::ProgrammeFile;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::MessageDifferencer;

std::string Field(absl::string_view parent, absl::string_view field) {
  return parent.empty() ? std::string(field) : absl::StrCat(parent, ".", field);
}

std::string Element(absl::string_view parent, absl::string_view field,
                    int index) {
  return absl::StrCat(Field(parent, field), "[", index, "]");
}

// Whether an enum value says that nothing is decided.
bool IsUndecided(const google::protobuf::EnumValueDescriptor& value) {
  return value.number() == 0 || absl::EndsWith(value.name(), "_TBD");
}

std::string DateKey(const google::type::Date& date) {
  return absl::StrCat(date.year(), "-", date.month(), "-", date.day());
}

// What tells the elements of a list apart; nothing for a list without keys.
std::optional<std::string> KeyOf(const Message& element) {
  const Descriptor* type = element.GetDescriptor();
  if (type == PlannedDay::descriptor()) {
    return DateKey(static_cast<const PlannedDay&>(element).date());
  }
  if (type == PlannedHalfDay::descriptor()) {
    return absl::StrCat(static_cast<const PlannedHalfDay&>(element).kind());
  }
  if (type == enrolment::v1::PlannedVenue::descriptor()) {
    return static_cast<const enrolment::v1::PlannedVenue&>(element).id();
  }
  if (type == enrolment::v1::PlannedTrainer::descriptor()) {
    return static_cast<const enrolment::v1::PlannedTrainer&>(element).id();
  }
  return std::nullopt;
}

// Completes one message with another of the same type.
class Completer {
 public:
  void Complete(const Message& from, const std::string& path, Message& to) {
    const Reflection& reflection = *from.GetReflection();
    std::vector<const FieldDescriptor*> present;
    reflection.ListFields(from, &present);
    for (const FieldDescriptor* field : present) {
      const std::string at = Field(path, field->name());
      if (field->is_repeated()) {
        CompleteList(from, *field, at, to);
      } else if (IsAbsent(to, *field)) {
        CopyField(from, *field, to);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                 field->message_type() != google::type::Date::descriptor()) {
        Complete(reflection.GetMessage(from, field), at,
                 *to.GetReflection()->MutableMessage(&to, field));
      } else if (!SameField(from, to, *field)) {
        contradictions_.push_back(at);
      }
    }
  }

  absl::Status status() const {
    if (contradictions_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("the two files contradict each other on ",
                     absl::StrJoin(contradictions_, ", ")));
  }

 private:
  static bool IsAbsent(const Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    if (!reflection.HasField(message, &field)) return true;
    return field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM &&
           IsUndecided(*reflection.GetEnum(message, &field));
  }

  static void CopyField(const Message& from, const FieldDescriptor& field,
                        Message& to) {
    const Message* source = &from;
    // Only `field` survives in the copy, so merging it touches nothing else.
    std::unique_ptr<Message> only(from.New());
    only->CopyFrom(*source);
    std::vector<const FieldDescriptor*> present;
    only->GetReflection()->ListFields(*only, &present);
    for (const FieldDescriptor* other : present) {
      if (other != &field) only->GetReflection()->ClearField(only.get(), other);
    }
    to.MergeFrom(*only);
  }

  static bool SameField(const Message& a, const Message& b,
                        const FieldDescriptor& field) {
    MessageDifferencer differencer;
    return differencer.CompareWithFields(a, b, {&field}, {&field});
  }

  void CompleteList(const Message& from, const FieldDescriptor& field,
                    const std::string& at, Message& to) {
    const Reflection& reflection = *to.GetReflection();
    if (reflection.FieldSize(to, &field) == 0) {
      CopyField(from, field, to);
      return;
    }
    const bool keyed =
        field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
        KeyOf(reflection.GetRepeatedMessage(to, &field, 0)).has_value();
    if (!keyed) {
      if (!SameField(from, to, field)) contradictions_.push_back(at);
      return;
    }
    absl::flat_hash_map<std::string, int> known;
    for (int i = 0; i < reflection.FieldSize(to, &field); ++i) {
      known.try_emplace(*KeyOf(reflection.GetRepeatedMessage(to, &field, i)),
                        i);
    }
    for (int i = 0; i < reflection.FieldSize(from, &field); ++i) {
      const Message& element = reflection.GetRepeatedMessage(from, &field, i);
      const auto found = known.find(*KeyOf(element));
      if (found == known.end()) {
        reflection.AddMessage(&to, &field)->CopyFrom(element);
      } else {
        Complete(
            element, absl::StrCat(at, "[", i, "]"),
            *reflection.MutableRepeatedMessage(&to, &field, found->second));
      }
    }
  }

  std::vector<std::string> contradictions_;
};

// The day of a date, unless it is none.
std::optional<absl::CivilDay> DayOf(const google::type::Date& date) {
  const absl::CivilDay day(date.year(), date.month(), date.day());
  if (date.year() < 1 || day.year() != date.year() ||
      day.month() != date.month() || day.day() != date.day()) {
    return std::nullopt;
  }
  return day;
}

// The first and the last day of a date whose day may be zero for a month.
struct DayRange {
  absl::CivilDay first;
  absl::CivilDay last;
};

std::optional<DayRange> RangeOf(const google::type::Date& date) {
  if (date.day() != 0) {
    const std::optional<absl::CivilDay> day = DayOf(date);
    if (!day.has_value()) return std::nullopt;
    return DayRange{*day, *day};
  }
  if (date.year() < 1 || date.month() < 1 || date.month() > 12) {
    return std::nullopt;
  }
  const absl::CivilMonth month(date.year(), date.month());
  return DayRange{absl::CivilDay(month), absl::CivilDay(month + 1) - 1};
}

std::optional<int> MinuteOf(const google::type::TimeOfDay& time) {
  if (time.hours() < 0 || time.hours() > 23 || time.minutes() < 0 ||
      time.minutes() > 59 || time.seconds() != 0 || time.nanos() != 0) {
    return std::nullopt;
  }
  return time.hours() * 60 + time.minutes();
}

bool IsSlug(absl::string_view text) {
  if (text.empty() || text.size() > 63 ||
      !absl::ascii_islower(static_cast<unsigned char>(text.front())) ||
      text.back() == '-') {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return absl::ascii_islower(u) || absl::ascii_isdigit(u) || c == '-';
  });
}

bool IsDigits(absl::string_view text, std::size_t count) {
  return text.size() == count &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c));
         });
}

class Checker {
 public:
  explicit Checker(const ProgrammeFile& file) : file_(file) {}

  std::vector<ProgrammeProblem> Check() {
    CheckOutputOnly(file_, "");
    CheckBody();
    CheckProgramme();
    CheckCohort();
    CheckVenuesAndTrainers();
    CheckSlots();
    CheckDays();
    return std::move(problems_);
  }

 private:
  void Report(std::string field, std::string description) {
    problems_.push_back({std::move(field), std::move(description)});
  }

  void RequireText(const std::string& field, absl::string_view text) {
    if (absl::StripAsciiWhitespace(text).empty()) {
      Report(field, "must not be empty");
    }
  }

  // Reports unless `value` is a declared value that is not the unspecified one.
  template <typename Enum>
  bool RequireEnum(const std::string& field, Enum value) {
    const google::protobuf::EnumDescriptor* type =
        google::protobuf::GetEnumDescriptor<Enum>();
    const bool known = value != 0 && type->FindValueByNumber(value) != nullptr;
    if (!known) Report(field, "must be one of the declared values");
    return known;
  }

  std::optional<absl::CivilDay> RequireDay(const std::string& field,
                                           const google::type::Date& date) {
    const std::optional<absl::CivilDay> day = DayOf(date);
    if (!day.has_value()) Report(field, "must be a calendar day");
    return day;
  }

  void RequireOrder(const std::string& field,
                    const std::optional<absl::CivilDay>& earlier,
                    const std::optional<absl::CivilDay>& later,
                    absl::string_view description) {
    if (earlier.has_value() && later.has_value() && *later < *earlier) {
      Report(field, std::string(description));
    }
  }

  // Reports unless `name` is "<parent>/<collection>/<slug>".
  void RequireName(const std::string& field, absl::string_view name,
                   absl::string_view parent, absl::string_view collection) {
    const std::string prefix = parent.empty()
                                   ? absl::StrCat(collection, "/")
                                   : absl::StrCat(parent, "/", collection, "/");
    absl::string_view slug = name;
    if (!absl::ConsumePrefix(&slug, prefix) || !IsSlug(slug)) {
      Report(field,
             absl::StrCat("must be ", prefix,
                          "{id}, the id made of lower-case letters, digits "
                          "and hyphens"));
    }
  }

  void CheckNumbers(const std::string& path, absl::string_view siret,
                    absl::string_view activity_number) {
    if (!siret.empty() && !IsDigits(siret, 14)) {
      Report(Field(path, "siret"), "must be 14 digits");
    }
    if (!activity_number.empty() && !IsDigits(activity_number, 11)) {
      Report(Field(path, "activity_number"), "must be 11 digits");
    }
  }

  void CheckTimeZone(const std::string& field, const std::string& name) {
    absl::TimeZone zone;
    if (name.empty() || !absl::LoadTimeZone(name, &zone)) {
      Report(field, "must be the name of a time zone, as in Europe/Paris");
    }
  }

  // The services write these fields; a value in a file would be lost.
  void CheckOutputOnly(const Message& message, const std::string& path) {
    const Reflection& reflection = *message.GetReflection();
    std::vector<const FieldDescriptor*> present;
    reflection.ListFields(message, &present);
    for (const FieldDescriptor* field : present) {
      const std::string at = Field(path, field->name());
      const google::protobuf::FieldOptions& options = field->options();
      for (int i = 0; i < options.ExtensionSize(google::api::field_behavior);
           ++i) {
        if (options.GetExtension(google::api::field_behavior, i) ==
            google::api::OUTPUT_ONLY) {
          Report(at, "is written by the service, not by the file");
        }
      }
      if (!path.empty() ||
          field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
          field->is_repeated()) {
        continue;
      }
      CheckOutputOnly(reflection.GetMessage(message, field), at);
    }
  }

  void CheckBody() {
    const enrolment::v1::Body& body = file_.body();
    RequireName("body.name", body.name(), "", "bodies");
    RequireText("body.display_name", body.display_name());
    CheckNumbers("body", body.siret(), body.activity_number());
    CheckTimeZone("body.time_zone", body.time_zone());
  }

  void CheckProgramme() {
    const Programme& programme = file_.programme();
    RequireName("programme.name", programme.name(), file_.body().name(),
                "programmes");
    RequireText("programme.display_name", programme.display_name());
    CheckAccess(programme);
    CheckAssessment(programme);
    CheckModules(programme);
    CheckParties(programme);
    CheckCertification(programme);
    if (programme.duration_minutes() <= 0) {
      Report("programme.duration_minutes", "must be positive");
    }
    for (const auto& [field, count] :
         {std::pair("duration_months", programme.duration_months()),
          std::pair("thematic_day_count", programme.thematic_day_count()),
          std::pair("visit_day_count", programme.visit_day_count()),
          std::pair("tutoring_day_count", programme.tutoring_day_count())}) {
      if (count < 0) {
        Report(Field("programme", field), "must not be negative");
      }
    }
    if (programme.visit_day_count() > programme.thematic_day_count()) {
      Report("programme.visit_day_count",
             "must not exceed thematic_day_count, which includes the visits");
    }
    RequireEnum("programme.delivery_mode", programme.delivery_mode());
    RequireEnum("programme.rank_event", programme.rank_event());
    absl::flat_hash_set<int> pieces;
    for (int i = 0; i < programme.required_pieces_size(); ++i) {
      const std::string at = Element("programme", "required_pieces", i);
      if (RequireEnum(at, programme.required_pieces(i)) &&
          !pieces.insert(programme.required_pieces(i)).second) {
        Report(at, "is listed already");
      }
    }
  }

  void CheckAccess(const Programme& programme) {
    const enrolment::v1::AccessConditions& access =
        programme.access_conditions();
    if (access.minimum_level_years_after_bac() < 0) {
      Report("programme.access_conditions.minimum_level_years_after_bac",
             "must not be negative");
    }
    if (access.minimum_experience_years() < 0) {
      Report("programme.access_conditions.minimum_experience_years",
             "must not be negative");
    }
  }

  void CheckAssessment(const Programme& programme) {
    const std::string path = "programme.assessment";
    if (!programme.has_assessment()) {
      Report(path, "must be present, empty when nothing is assessed");
      return;
    }
    const type::v1::AssessmentOptions& options = programme.assessment();
    if (options.note_required()) {
      if (options.note_min_pages() < 1) {
        Report(Field(path, "note_min_pages"), "must be at least 1");
      }
      if (options.note_max_pages() < options.note_min_pages()) {
        Report(Field(path, "note_max_pages"),
               "must not be less than note_min_pages");
      }
    } else if (options.note_min_pages() != 0 || options.note_max_pages() != 0) {
      Report(Field(path, "note_min_pages"),
             "must be absent without note_required, and note_max_pages too");
    }
    if (options.jury_required() && options.jury_quorum() < 1) {
      Report(Field(path, "jury_quorum"), "must be at least 1");
    }
    if (!options.jury_required() && options.jury_quorum() != 0) {
      Report(Field(path, "jury_quorum"), "must be absent without a jury");
    }
    if (options.attendance_floor_basis_points() < 0 ||
        options.attendance_floor_basis_points() > 10'000) {
      Report(Field(path, "attendance_floor_basis_points"),
             "must be between 0 and 10000");
    }
    if (options.has_pass_mark_hundredths()) {
      if (!options.marked()) {
        Report(Field(path, "pass_mark_hundredths"),
               "must be absent unless marked");
      } else if (options.pass_mark_hundredths() < 0 ||
                 options.pass_mark_hundredths() > 2'000) {
        Report(Field(path, "pass_mark_hundredths"),
               "must be between 0 and 2000");
      }
    }
    if (options.readers_per_note() < 0) {
      Report(Field(path, "readers_per_note"), "must not be negative");
    }
  }

  void CheckModules(const Programme& programme) {
    if (programme.module_groups().empty()) {
      Report("programme.module_groups", "must not be empty");
    }
    absl::flat_hash_set<std::string> groups;
    for (int i = 0; i < programme.module_groups_size(); ++i) {
      const enrolment::v1::ModuleGroup& group = programme.module_groups(i);
      const std::string at = Element("programme", "module_groups", i);
      CheckId(Field(at, "id"), group.id(), groups);
      RequireText(Field(at, "title"), group.title());
      for (int j = 0; j < group.modules_size(); ++j) {
        const std::string module_at = Element(at, "modules", j);
        CheckId(Field(module_at, "id"), group.modules(j).id(), modules_);
        RequireText(Field(module_at, "title"), group.modules(j).title());
      }
    }
  }

  void CheckId(const std::string& field, const std::string& id,
               absl::flat_hash_set<std::string>& known) {
    if (!IsSlug(id)) {
      Report(field, "must be made of lower-case letters, digits and hyphens");
    } else if (!known.insert(id).second) {
      Report(field, "is used already");
    }
  }

  void CheckPeriod(const std::string& path, bool has_from,
                   const google::type::Date& from, bool has_until,
                   const google::type::Date& until) {
    std::optional<absl::CivilDay> first;
    std::optional<absl::CivilDay> last;
    if (has_from) first = RequireDay(Field(path, "effective_from"), from);
    if (has_until) last = RequireDay(Field(path, "effective_until"), until);
    RequireOrder(Field(path, "effective_until"), first, last,
                 "must not be before effective_from");
  }

  void CheckParties(const Programme& programme) {
    bool has_certifier = false;
    bool has_seller = false;
    for (int i = 0; i < programme.parties_size(); ++i) {
      const Party& party = programme.parties(i);
      const std::string at = Element("programme", "parties", i);
      RequireEnum(Field(at, "role"), party.role());
      RequireText(Field(at, "display_name"), party.display_name());
      CheckNumbers(at, party.siret(), party.activity_number());
      CheckPeriod(at, party.has_effective_from(), party.effective_from(),
                  party.has_effective_until(), party.effective_until());
      has_certifier |= party.role() == Party::ROLE_CERTIFIER;
      has_seller |= party.role() == Party::ROLE_SELLER;
    }
    if (!has_seller) Report("programme.parties", "must name a seller");
    if (!programme.certificate_title().empty() && !has_certifier) {
      Report("programme.parties",
             "must name a certifier, since there is a certificate");
    }
  }

  void CheckCertification(const Programme& programme) {
    const bool decided = programme.certification_mode() !=
                         type::v1::CERTIFICATION_MODE_UNSPECIFIED;
    if (decided &&
        RequireEnum("programme.certification_mode",
                    programme.certification_mode()) &&
        programme.certificate_title().empty()) {
      Report("programme.certification_mode",
             "must be absent without a certificate_title");
    }
    const bool delegated = programme.certification_mode() ==
                           type::v1::CERTIFICATION_MODE_DELEGATED;
    const std::string path = "programme.certification_mandate";
    if (delegated && !programme.has_certification_mandate()) {
      Report(path, "must be present when the certification is delegated");
    }
    if (programme.has_certification_mandate()) {
      const CertificationMandate& mandate = programme.certification_mandate();
      RequireText(Field(path, "reference"), mandate.reference());
      CheckPeriod(path, true, mandate.effective_from(),
                  mandate.has_effective_until(), mandate.effective_until());
    }
    if (programme.certification_fee_cents() < 0) {
      Report("programme.certification_fee_cents", "must not be negative");
    }
  }

  void CheckCohort() {
    const Cohort& cohort = file_.cohort();
    RequireName("cohort.name", cohort.name(), file_.body().name(), "cohorts");
    if (cohort.programme() != file_.programme().name()) {
      Report("cohort.programme", "must be the programme of the file");
    }
    RequireText("cohort.display_name", cohort.display_name());
    if (cohort.capacity() < 1) {
      Report("cohort.capacity", "must be at least 1");
    }
    if (cohort.minimum() < 1) {
      Report("cohort.minimum", "must be at least 1");
    } else if (cohort.minimum() > cohort.capacity()) {
      Report("cohort.minimum", "must not exceed the capacity");
    }
    CheckTimeZone("cohort.time_zone", cohort.time_zone());
    CheckCohortDates(cohort);
    if (cohort.has_commitment_deadline_days() &&
        cohort.commitment_deadline_days() < 1) {
      Report("cohort.commitment_deadline_days", "must be at least 1");
    }
    if (cohort.has_offer_validity_hours() &&
        cohort.offer_validity_hours() < 1) {
      Report("cohort.offer_validity_hours", "must be at least 1");
    }
    CheckPrices(cohort);
    CheckFunders(cohort);
    if (cohort.has_assessment_calendar()) CheckAssessmentCalendar(cohort);
  }

  void CheckCohortDates(const Cohort& cohort) {
    const std::optional<absl::CivilDay> open = RequireDay(
        "cohort.application_open_date", cohort.application_open_date());
    const std::optional<absl::CivilDay> close = RequireDay(
        "cohort.application_close_date", cohort.application_close_date());
    start_ = RequireDay("cohort.start_date", cohort.start_date());
    end_ = RequireDay("cohort.end_date", cohort.end_date());
    const std::optional<absl::CivilDay> cutoff =
        RequireDay("cohort.entry_cutoff_date", cohort.entry_cutoff_date());
    RequireOrder("cohort.application_close_date", open, close,
                 "must not be before application_open_date");
    RequireOrder("cohort.application_close_date", close, start_,
                 "must not be after start_date");
    RequireOrder("cohort.end_date", start_, end_,
                 "must not be before start_date");
    RequireOrder("cohort.entry_cutoff_date", open, cutoff,
                 "must not be before application_open_date");
    RequireOrder("cohort.entry_cutoff_date", cutoff, end_,
                 "must not be after end_date");
  }

  void CheckPrices(const Cohort& cohort) {
    if (cohort.prices().empty()) {
      Report("cohort.prices", "must not be empty");
    }
    absl::flat_hash_set<int> payers;
    for (int i = 0; i < cohort.prices_size(); ++i) {
      const type::v1::PriceLine& price = cohort.prices(i);
      const std::string at = Element("cohort", "prices", i);
      if (RequireEnum(Field(at, "payer_kind"), price.payer_kind()) &&
          !payers.insert(price.payer_kind()).second) {
        Report(Field(at, "payer_kind"), "has a price already");
      }
      if (price.amount_cents() < 0) {
        Report(Field(at, "amount_cents"), "must not be negative");
      }
    }
  }

  void CheckFunders(const Cohort& cohort) {
    absl::flat_hash_set<std::string> ids;
    for (int i = 0; i < cohort.funders_size(); ++i) {
      const type::v1::Funder& funder = cohort.funders(i);
      const std::string at = Element("cohort", "funders", i);
      CheckId(Field(at, "id"), funder.id(), ids);
      RequireText(Field(at, "display_name"), funder.display_name());
      RequireEnum(Field(at, "payer_kind"), funder.payer_kind());
      RequireEnum(Field(at, "requester"), funder.requester());
    }
  }

  void CheckAssessmentCalendar(const Cohort& cohort) {
    const std::string path = "cohort.assessment_calendar";
    const type::v1::AssessmentCalendar& calendar = cohort.assessment_calendar();
    const auto range = [&](bool present, absl::string_view field,
                           const google::type::Date& date) {
      std::optional<DayRange> days;
      if (present) {
        days = RangeOf(date);
        if (!days.has_value()) {
          Report(Field(path, field), "must be a calendar day or a month");
        }
      }
      return days;
    };
    const std::optional<DayRange> start =
        range(calendar.has_writing_start_date(), "writing_start_date",
              calendar.writing_start_date());
    const std::optional<DayRange> end =
        range(calendar.has_writing_end_date(), "writing_end_date",
              calendar.writing_end_date());
    const std::optional<DayRange> jury =
        range(calendar.has_jury_date(), "jury_date", calendar.jury_date());
    if (start.has_value() && end.has_value() && end->last < start->first) {
      Report(Field(path, "writing_end_date"),
             "must not be before writing_start_date");
    }
    if (end.has_value() && jury.has_value() && jury->last < end->last) {
      Report(Field(path, "jury_date"), "must not be before writing_end_date");
    }
  }

  void CheckVenuesAndTrainers() {
    for (int i = 0; i < file_.venues_size(); ++i) {
      const enrolment::v1::PlannedVenue& venue = file_.venues(i);
      const std::string at = Element("", "venues", i);
      CheckId(Field(at, "id"), venue.id(), venues_);
      RequireText(Field(at, "display_name"), venue.display_name());
      RequireEnum(Field(at, "kind"), venue.kind());
      if (venue.has_capacity() && venue.capacity() < 1) {
        Report(Field(at, "capacity"), "must be at least 1");
      }
    }
    for (int i = 0; i < file_.trainers_size(); ++i) {
      const enrolment::v1::PlannedTrainer& trainer = file_.trainers(i);
      const std::string at = Element("", "trainers", i);
      CheckId(Field(at, "id"), trainer.id(), trainers_);
      RequireText(Field(at, "display_name"), trainer.display_name());
      RequireEnum(Field(at, "kind"), trainer.kind());
    }
  }

  void CheckSlots() {
    if (file_.half_day_slots().empty()) {
      Report("half_day_slots", "must not be empty");
    }
    std::optional<int> morning_end;
    std::optional<int> afternoon_start;
    for (int i = 0; i < file_.half_day_slots_size(); ++i) {
      const type::v1::HalfDaySlot& slot = file_.half_day_slots(i);
      const std::string at = Element("", "half_day_slots", i);
      const std::optional<int> start = MinuteOf(slot.start_time());
      const std::optional<int> end = MinuteOf(slot.end_time());
      if (!start.has_value()) {
        Report(Field(at, "start_time"), "must be hours and minutes of a day");
      }
      if (!end.has_value()) {
        Report(Field(at, "end_time"), "must be hours and minutes of a day");
      }
      if (!RequireEnum(Field(at, "kind"), slot.kind()) || !start.has_value() ||
          !end.has_value()) {
        continue;
      }
      if (*end <= *start) {
        Report(Field(at, "end_time"), "must be after start_time");
        continue;
      }
      if (!slot_minutes_.try_emplace(slot.kind(), *end - *start).second) {
        Report(Field(at, "kind"), "has hours already");
      }
      if (slot.kind() == type::v1::HALF_DAY_KIND_MORNING) morning_end = end;
      if (slot.kind() == type::v1::HALF_DAY_KIND_AFTERNOON) {
        afternoon_start = start;
      }
    }
    if (morning_end.has_value() && afternoon_start.has_value() &&
        *afternoon_start < *morning_end) {
      Report("half_day_slots", "the afternoon must not begin in the morning");
    }
  }

  void CheckDays() {
    if (file_.days().empty()) {
      Report("days", "must not be empty");
      return;
    }
    std::int64_t minutes = 0;
    absl::flat_hash_map<int, int> count_by_kind;
    std::optional<absl::CivilDay> previous;
    for (int i = 0; i < file_.days_size(); ++i) {
      const PlannedDay& day = file_.days(i);
      const std::string at = Element("", "days", i);
      const std::optional<absl::CivilDay> date =
          RequireDay(Field(at, "date"), day.date());
      if (date.has_value()) {
        if (previous.has_value() && *date <= *previous) {
          Report(Field(at, "date"), "must be after the day before it");
        }
        previous = date;
      }
      if (RequireEnum(Field(at, "kind"), day.kind())) {
        ++count_by_kind[day.kind()];
      }
      minutes += CheckHalfDays(day, at);
    }
    CheckFirstAndLastDay();
    CheckDayCounts(count_by_kind);
    if (minutes != file_.programme().duration_minutes()) {
      Report("days", absl::StrCat("the half-days add up to ", minutes,
                                  " minutes, programme.duration_minutes says ",
                                  file_.programme().duration_minutes()));
    }
  }

  // Returns the minutes of the day.
  std::int64_t CheckHalfDays(const PlannedDay& day, const std::string& at) {
    std::int64_t minutes = 0;
    if (day.half_days().empty()) {
      for (const auto& [kind, length] : slot_minutes_) minutes += length;
      return minutes;
    }
    absl::flat_hash_set<int> kinds;
    for (int i = 0; i < day.half_days_size(); ++i) {
      const PlannedHalfDay& half = day.half_days(i);
      const std::string half_at = Element(at, "half_days", i);
      if (RequireEnum(Field(half_at, "kind"), half.kind())) {
        const auto slot = slot_minutes_.find(half.kind());
        if (slot == slot_minutes_.end()) {
          Report(Field(half_at, "kind"), "has no hours in half_day_slots");
        } else if (!kinds.insert(half.kind()).second) {
          Report(Field(half_at, "kind"), "is listed already");
        } else {
          minutes += slot->second;
        }
      }
      for (int j = 0; j < half.module_ids_size(); ++j) {
        if (!modules_.contains(half.module_ids(j))) {
          Report(Element(half_at, "module_ids", j), "is no module");
        }
      }
      if (!half.venue_id().empty() && !venues_.contains(half.venue_id())) {
        Report(Field(half_at, "venue_id"), "is no venue of the file");
      }
      absl::flat_hash_set<std::string> trainers;
      for (int j = 0; j < half.trainer_ids_size(); ++j) {
        const std::string trainer_at = Element(half_at, "trainer_ids", j);
        if (!trainers_.contains(half.trainer_ids(j))) {
          Report(trainer_at, "is no trainer of the file");
        } else if (!trainers.insert(half.trainer_ids(j)).second) {
          Report(trainer_at, "is listed already");
        }
      }
    }
    return minutes;
  }

  void CheckFirstAndLastDay() {
    const std::optional<absl::CivilDay> first = DayOf(file_.days(0).date());
    const std::optional<absl::CivilDay> last =
        DayOf(file_.days(file_.days_size() - 1).date());
    if (first.has_value() && start_.has_value() && *first != *start_) {
      Report("cohort.start_date", "must be the first of the days");
    }
    if (last.has_value() && end_.has_value() && *last != *end_) {
      Report("cohort.end_date", "must be the last of the days");
    }
  }

  void CheckDayCounts(const absl::flat_hash_map<int, int>& count_by_kind) {
    const auto count = [&](type::v1::DayKind kind) {
      const auto found = count_by_kind.find(kind);
      return found == count_by_kind.end() ? 0 : found->second;
    };
    const Programme& programme = file_.programme();
    const int visits = count(type::v1::DAY_KIND_VISIT);
    const int thematic = count(type::v1::DAY_KIND_THEMATIC) + visits;
    const int tutoring = count(type::v1::DAY_KIND_TUTORING);
    const bool all_known = count(type::v1::DAY_KIND_TBD) == 0;
    const auto compare = [&](absl::string_view field, absl::string_view what,
                             int found, int expected) {
      if (found > expected || (all_known && found != expected)) {
        Report("days", absl::StrCat(found, " ", what, " days, programme.",
                                    field, " says ", expected));
      }
    };
    compare("thematic_day_count", "thematic", thematic,
            programme.thematic_day_count());
    compare("visit_day_count", "visit", visits, programme.visit_day_count());
    compare("tutoring_day_count", "tutoring", tutoring,
            programme.tutoring_day_count());
    const int expected =
        programme.thematic_day_count() + programme.tutoring_day_count();
    if (!all_known && file_.days_size() != expected) {
      Report("days", absl::StrCat(file_.days_size(),
                                  " days, the programme counts ", expected));
    }
  }

  const ProgrammeFile& file_;
  std::vector<ProgrammeProblem> problems_;
  absl::flat_hash_set<std::string> modules_;
  absl::flat_hash_set<std::string> venues_;
  absl::flat_hash_set<std::string> trainers_;
  absl::flat_hash_map<int, int> slot_minutes_;  // by HalfDayKind
  std::optional<absl::CivilDay> start_;
  std::optional<absl::CivilDay> end_;
};

}  // namespace

absl::StatusOr<ProgrammeFile> LoadProgrammeFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, textproto::ReadTextFile(path));
  ProgrammeFile file;
  RETURN_IF_ERROR(textproto::Parse(text, path, file));
  return file;
}

absl::Status CompleteProgrammeFile(const ProgrammeFile& completion,
                                   ProgrammeFile& file) {
  ProgrammeFile additions = completion;
  // These two describe a file, not the programme.
  additions.clear_source();
  additions.clear_fictitious();
  Completer completer;
  completer.Complete(additions, "", file);
  RETURN_IF_ERROR(completer.status());
  file.set_fictitious(file.fictitious() || completion.fictitious());
  std::stable_sort(file.mutable_days()->pointer_begin(),
                   file.mutable_days()->pointer_end(),
                   [](const PlannedDay* a, const PlannedDay* b) {
                     return DayOf(a->date()) < DayOf(b->date());
                   });
  return absl::OkStatus();
}

std::vector<ProgrammeProblem> CheckProgrammeFile(const ProgrammeFile& file) {
  return Checker(file).Check();
}

}  // namespace parcours::cli
