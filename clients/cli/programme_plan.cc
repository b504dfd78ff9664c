#include "clients/cli/programme_plan.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/dates.h"
#include "common/text/view.h"
#include "google/api/field_behavior.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "google/type/date.pb.h"
#include "google/type/timeofday.pb.h"

namespace parcours::cli {
namespace {

using enrolment::v1::Party;
using enrolment::v1::PlannedDay;
using enrolment::v1::PlannedHalfDay;
using enrolment::v1::ProgrammeFile;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::MessageDifferencer;
using scheduling::v1::HalfDay;
using type::v1::HalfDayKind;

constexpr std::size_t kLongestValue = 72;

bool HasBehaviour(const FieldDescriptor& field,
                  google::api::FieldBehavior behaviour) {
  const google::protobuf::FieldOptions& options = field.options();
  for (int i = 0; i < options.ExtensionSize(google::api::field_behavior); ++i) {
    if (options.GetExtension(google::api::field_behavior, i) == behaviour) {
      return true;
    }
  }
  return false;
}

// Whether the file decides on this field.
bool IsSaid(const Message& wanted, const FieldDescriptor& field) {
  if (HasBehaviour(field, google::api::OUTPUT_ONLY) ||
      HasBehaviour(field, google::api::IDENTIFIER)) {
    return false;
  }
  const Reflection& reflection = *wanted.GetReflection();
  if (field.is_repeated()) return reflection.FieldSize(wanted, &field) > 0;
  if (!reflection.HasField(wanted, &field)) return false;
  return field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM ||
         !absl::EndsWith(reflection.GetEnum(wanted, &field)->name(), "_TBD");
}

// One line, cut between characters of UTF-8 when it is long.
std::string Shorten(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  if (text.size() <= kLongestValue) return text;
  std::size_t end = kLongestValue;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return absl::StrCat(text.substr(0, end), "…");
}

std::string PrintMessage(const Message& message) {
  if (message.GetDescriptor() == google::type::Date::descriptor()) {
    return Print(static_cast<const google::type::Date&>(message));
  }
  if (message.GetDescriptor() == google::type::TimeOfDay::descriptor()) {
    return Print(static_cast<const google::type::TimeOfDay&>(message));
  }
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintToString(message, &text);
  return text;
}

// The value of a field, or of its element `index`.
std::string PrintField(const Message& message, const FieldDescriptor& field,
                       int index) {
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return Shorten(PrintMessage(
        index < 0 ? reflection.GetMessage(message, &field)
                  : reflection.GetRepeatedMessage(message, &field, index)));
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    return Shorten(index < 0
                       ? reflection.GetString(message, &field)
                       : reflection.GetRepeatedString(message, &field, index));
  }
  std::string text;
  google::protobuf::TextFormat::PrintFieldValueToString(message, &field, index,
                                                        &text);
  return text;
}

bool IsLeaf(const Message& message) {
  return message.GetDescriptor() == google::type::Date::descriptor() ||
         message.GetDescriptor() == google::type::TimeOfDay::descriptor();
}

class Comparison {
 public:
  // Compares what `wanted` says at the top; below, everything counts, because a
  // message is written whole.
  void CompareResource(const Message& stored, const Message& wanted) {
    const google::protobuf::Descriptor* type = wanted.GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      if (IsSaid(wanted, field)) Compare(stored, wanted, field, "");
    }
  }

  std::vector<FieldChange> changes;

 private:
  void Compare(const Message& stored, const Message& wanted,
               const FieldDescriptor& field, const std::string& parent) {
    const std::string path =
        parent.empty() ? field.name() : absl::StrCat(parent, ".", field.name());
    if (field.is_repeated()) {
      CompareList(stored, wanted, field, path);
      return;
    }
    const bool before = stored.GetReflection()->HasField(stored, &field);
    const bool after = wanted.GetReflection()->HasField(wanted, &field);
    if (!before && !after) return;
    if (before && after &&
        field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      CompareMessages(stored.GetReflection()->GetMessage(stored, &field),
                      wanted.GetReflection()->GetMessage(wanted, &field), path);
      return;
    }
    Add(path, before ? PrintField(stored, field, -1) : "",
        after ? PrintField(wanted, field, -1) : "",
        before && after && Same(stored, wanted, field));
  }

  void CompareMessages(const Message& stored, const Message& wanted,
                       const std::string& path) {
    if (IsLeaf(wanted)) {
      Add(path, PrintMessage(stored), PrintMessage(wanted),
          MessageDifferencer::Equals(stored, wanted));
      return;
    }
    const google::protobuf::Descriptor* type = wanted.GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      if (!HasBehaviour(field, google::api::OUTPUT_ONLY)) {
        Compare(stored, wanted, field, path);
      }
    }
  }

  void CompareList(const Message& stored, const Message& wanted,
                   const FieldDescriptor& field, const std::string& path) {
    const Reflection& reflection = *wanted.GetReflection();
    const int before = reflection.FieldSize(stored, &field);
    const int after = reflection.FieldSize(wanted, &field);
    const bool messages = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    for (int i = 0; i < std::max(before, after); ++i) {
      const std::string at = absl::StrCat(path, "[", i, "]");
      if (messages && i < before && i < after) {
        CompareMessages(reflection.GetRepeatedMessage(stored, &field, i),
                        reflection.GetRepeatedMessage(wanted, &field, i), at);
        continue;
      }
      const std::string old_value =
          i < before ? PrintField(stored, field, i) : "";
      const std::string new_value =
          i < after ? PrintField(wanted, field, i) : "";
      const bool same =
          i < before && i < after &&
          (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING
               ? reflection.GetRepeatedString(stored, &field, i) ==
                     reflection.GetRepeatedString(wanted, &field, i)
               : old_value == new_value);
      Add(at, old_value, new_value, same);
    }
  }

  static bool Same(const Message& a, const Message& b,
                   const FieldDescriptor& field) {
    MessageDifferencer differencer;
    return differencer.CompareWithFields(a, b, {&field}, {&field});
  }

  void Add(const std::string& field, std::string before, std::string after,
           bool same) {
    if (!same) changes.push_back({field, std::move(before), std::move(after)});
  }
};

std::string HalfDayName(const std::string& cohort,
                        const google::type::Date& date, HalfDayKind half) {
  return absl::StrCat(
      cohort, "/halfDays/", Print(date),
      half == type::v1::HALF_DAY_KIND_MORNING ? "-morning" : "-afternoon");
}

// The order of a day: date, then half.
std::tuple<int, int, int, int> OrderOf(const HalfDay& half_day) {
  return {half_day.date().year(), half_day.date().month(),
          half_day.date().day(), half_day.half()};
}

bool IsEarlier(const HalfDay* a, const HalfDay* b) {
  return OrderOf(*a) < OrderOf(*b);
}

}  // namespace

std::vector<FieldChange> FieldChanges(const Message& stored,
                                      const Message& wanted) {
  Comparison comparison;
  comparison.CompareResource(stored, wanted);
  return std::move(comparison.changes);
}

google::protobuf::FieldMask MaskOf(const std::vector<FieldChange>& changes) {
  google::protobuf::FieldMask mask;
  for (const FieldChange& change : changes) {
    const std::string top =
        change.field.substr(0, change.field.find_first_of(".["));
    const auto& paths = mask.paths();
    if (std::find(paths.begin(), paths.end(), top) == paths.end()) {
      mask.add_paths(top);
    }
  }
  return mask;
}

void PrintStep(std::ostream& out, const PlannedStep& step) {
  constexpr std::string_view kMarks[] = {"+", "~", "-", "="};
  out << "  " << kMarks[static_cast<std::size_t>(step.effect)] << ' '
      << step.name;
  if (!step.title.empty()) out << "  (" << step.title << ')';
  out << '\n';
  if (step.effect == Effect::kChange) {
    for (const FieldChange& change : step.changes) {
      out << "      " << change.field << " : "
          << (change.before.empty() ? "∅" : change.before) << " → "
          << (change.after.empty() ? "∅" : change.after) << '\n';
    }
  }
}

int CountChanges(const std::vector<PlannedStep>& steps) {
  return static_cast<int>(std::count_if(
      steps.begin(), steps.end(),
      [](const PlannedStep& step) { return step.effect != Effect::kNone; }));
}

std::vector<HalfDay> HalfDaysOf(const ProgrammeFile& file) {
  std::map<int, const type::v1::HalfDaySlot*> slots;
  for (const auto& slot : file.half_day_slots()) slots[slot.kind()] = &slot;
  std::map<std::string, type::v1::TrainerKind> trainer_kinds;
  for (const auto& trainer : file.trainers()) {
    trainer_kinds[trainer.id()] = trainer.kind();
  }
  const std::string& body = file.body().name();
  std::vector<HalfDay> half_days;
  for (const PlannedDay& day : file.days()) {
    std::vector<PlannedHalfDay> halves(day.half_days().begin(),
                                       day.half_days().end());
    if (halves.empty()) {
      for (const auto& [kind, slot] : slots) {
        halves.emplace_back().set_kind(slot->kind());
      }
    }
    for (const PlannedHalfDay& half : halves) {
      const auto slot = slots.find(half.kind());
      if (slot == slots.end()) continue;  // reported by CheckProgrammeFile
      HalfDay& half_day = half_days.emplace_back();
      half_day.set_name(
          HalfDayName(file.cohort().name(), day.date(), half.kind()));
      *half_day.mutable_date() = day.date();
      half_day.set_half(half.kind());
      *half_day.mutable_local_start() = slot->second->start_time();
      *half_day.mutable_local_end() = slot->second->end_time();
      half_day.set_day_kind(day.kind());
      *half_day.mutable_module_ids() = half.module_ids();
      if (!half.venue_id().empty()) {
        half_day.set_venue(absl::StrCat(body, "/venues/", half.venue_id()));
      }
      for (const std::string& id : half.trainer_ids()) {
        auto& trainer = *half_day.add_trainers();
        trainer.set_person(absl::StrCat(body, "/persons/", id));
        trainer.set_kind(trainer_kinds[id]);
      }
    }
  }
  return half_days;
}

std::vector<scheduling::v1::Venue> VenuesOf(const ProgrammeFile& file) {
  std::vector<scheduling::v1::Venue> venues;
  for (const auto& planned : file.venues()) {
    scheduling::v1::Venue& venue = venues.emplace_back();
    venue.set_name(absl::StrCat(file.body().name(), "/venues/", planned.id()));
    venue.set_display_name(planned.display_name());
    *venue.mutable_address_lines() = planned.address_lines();
    venue.set_kind(planned.kind());
    if (planned.has_capacity()) venue.set_capacity(planned.capacity());
  }
  return venues;
}

std::vector<PlannedPerson> TrainersOf(const ProgrammeFile& file) {
  const std::string& contact = file.programme().contact().email();
  std::vector<PlannedPerson> persons;
  for (const auto& trainer : file.trainers()) {
    const std::string& name = trainer.display_name();
    const std::size_t space = name.find(' ');
    const bool one_word = space == std::string::npos;
    persons.push_back(
        {.name = absl::StrCat(file.body().name(), "/persons/", trainer.id()),
         .given_name = one_word ? name : name.substr(0, space),
         .family_name = one_word ? name : name.substr(space + 1),
         .email = contact.empty() ? file.body().email() : contact});
  }
  return persons;
}

evaluation::v1::AssessmentPlan AssessmentPlanOf(const ProgrammeFile& file) {
  const enrolment::v1::Programme& programme = file.programme();
  evaluation::v1::AssessmentPlan plan;
  plan.set_name(absl::StrCat(file.cohort().name(), "/assessmentPlan"));
  *plan.mutable_options() = programme.assessment();
  if (file.cohort().has_assessment_calendar()) {
    *plan.mutable_calendar() = file.cohort().assessment_calendar();
  }
  plan.set_certification_mode(programme.certification_mode());
  if (programme.has_certification_mandate()) {
    const auto& mandate = programme.certification_mandate();
    auto& copy = *plan.mutable_certification_mandate();
    copy.set_reference(mandate.reference());
    if (mandate.has_effective_from()) {
      *copy.mutable_effective_from() = mandate.effective_from();
    }
    if (mandate.has_effective_until()) {
      *copy.mutable_effective_until() = mandate.effective_until();
    }
  }
  plan.set_certificate_title(programme.certificate_title());
  plan.set_certificate_kind(programme.certificate_kind());
  if (programme.has_credit_wording()) {
    *plan.mutable_credit_wording() = programme.credit_wording();
  }
  for (const Party& party : programme.parties()) {
    if (party.role() == Party::ROLE_CERTIFIER) {
      plan.set_certifier_display_name(party.display_name());
      break;
    }
  }
  plan.set_body_display_name(file.body().display_name());
  plan.set_action_title(programme.display_name());
  return plan;
}

std::vector<HalfDayMatch> MatchHalfDays(const std::vector<HalfDay>& stored,
                                        const std::vector<HalfDay>& wanted) {
  std::vector<const HalfDay*> old_ones;
  std::set<std::string> names;
  for (const HalfDay& half_day : stored) {
    old_ones.push_back(&half_day);
    names.insert(half_day.name());
  }
  std::vector<const HalfDay*> new_ones;
  new_ones.reserve(wanted.size());
  for (const HalfDay& half_day : wanted) new_ones.push_back(&half_day);
  std::sort(old_ones.begin(), old_ones.end(), IsEarlier);
  std::sort(new_ones.begin(), new_ones.end(), IsEarlier);

  std::vector<HalfDayMatch> matches;
  const auto take = [&matches](const HalfDay& known, const HalfDay& planned) {
    HalfDayMatch match{.stored = known, .wanted = planned};
    match.wanted->set_name(known.name());
    matches.push_back(std::move(match));
  };
  // First what stands where it stood, then what has moved.
  for (const bool same_date : {true, false}) {
    for (const HalfDay*& planned : new_ones) {
      const auto known = std::find_if(
          old_ones.begin(), old_ones.end(), [&](const HalfDay* candidate) {
            return same_date ? OrderOf(*candidate) == OrderOf(*planned)
                             : candidate->half() == planned->half();
          });
      if (known == old_ones.end()) continue;
      take(**known, *planned);
      old_ones.erase(known);
      planned = nullptr;
    }
    new_ones.erase(std::remove(new_ones.begin(), new_ones.end(), nullptr),
                   new_ones.end());
  }
  for (const HalfDay* planned : new_ones) {
    HalfDayMatch match{.stored = std::nullopt, .wanted = *planned};
    // The name of a half-day that has moved away stays with it.
    std::string name = planned->name();
    for (int i = 2; !names.insert(name).second; ++i) {
      name = absl::StrCat(planned->name(), "-", i);
    }
    match.wanted->set_name(name);
    matches.push_back(std::move(match));
  }
  std::stable_sort(matches.begin(), matches.end(),
                   [](const HalfDayMatch& a, const HalfDayMatch& b) {
                     return OrderOf(*a.wanted) < OrderOf(*b.wanted);
                   });
  std::vector<HalfDayMatch> all;
  all.reserve(old_ones.size() + matches.size());
  for (const HalfDay* gone : old_ones) {
    all.push_back({.stored = *gone, .wanted = std::nullopt});
  }
  std::move(matches.begin(), matches.end(), std::back_inserter(all));
  return all;
}

}  // namespace parcours::cli
