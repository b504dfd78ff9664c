#include "common/rpc/validation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "common/rpc/text_form.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"
#include "google/api/field_behavior.pb.h"
#include "google/api/resource.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/type/date.pb.h"
#include "google/type/timeofday.pb.h"
#include "parcours/type/v1/field.pb.h"

namespace parcours::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using type::v1::FieldRules;

constexpr int kDefaultMaxCharacters = 500;
constexpr int kDefaultMaxItems = 1000;
constexpr int kFirstYear = 1900;
constexpr int kLastYear = 2200;
// 0001-01-01 and the last second of 9999 (google/protobuf/timestamp.proto).
constexpr int64_t kFirstTimestamp = -62'135'596'800;
constexpr int64_t kLastTimestamp = 253'402'300'799;
constexpr int64_t kMaxDurationSeconds = 315'576'000'000;

class Plan;

enum class Kind {
  kString,
  kBytes,
  kEnum,
  kNumber,
  kDate,
  kTimeOfDay,
  kTimestamp,
  kDuration,
  kMessage,
  // Checked by those who use them, or without rules.
  kOther,
};

// The checks of one field.
struct FieldPlan {
  const FieldDescriptor* field = nullptr;
  Kind kind = Kind::kOther;
  bool required = false;
  int max_characters = 0;
  int max_items = kDefaultMaxItems;
  bool multiline = false;
  bool partial_date = false;
  FieldRules::PatternKind form = FieldRules::PATTERN_KIND_UNSPECIFIED;
  std::optional<int64_t> minimum;
  std::optional<int64_t> maximum;
  // A name of a resource, of one of these patterns; of any when empty.
  bool is_name = false;
  std::vector<std::string> patterns;
  const Plan* message = nullptr;
};

// Patterns of the resource types that a file and its imports declare.
using ResourceTypes = std::map<std::string, std::vector<std::string>>;

// bodies/{body}/cohorts/{cohort} -> bodies/*/cohorts/*
std::string Wildcards(std::string_view pattern) {
  std::string result;
  for (const std::string_view segment : NameSegments(pattern)) {
    if (!result.empty()) result += '/';
    result += segment.starts_with('{') ? "*" : segment;
  }
  return result;
}

void AddResource(const google::api::ResourceDescriptor& resource,
                 ResourceTypes& types) {
  if (resource.type().empty()) return;
  std::vector<std::string>& patterns = types[resource.type()];
  for (const std::string& pattern : resource.pattern()) {
    const std::string wildcards = Wildcards(pattern);
    if (std::find(patterns.begin(), patterns.end(), wildcards) ==
        patterns.end()) {
      patterns.push_back(wildcards);
    }
  }
}

void AddResources(const Descriptor& type, ResourceTypes& types) {
  AddResource(type.options().GetExtension(google::api::resource), types);
  for (int i = 0; i < type.nested_type_count(); ++i) {
    AddResources(*type.nested_type(i), types);
  }
}

void AddResources(const FileDescriptor& file,
                  std::set<const FileDescriptor*>& seen, ResourceTypes& types) {
  if (!seen.insert(&file).second) return;
  for (const auto& resource :
       file.options().GetRepeatedExtension(google::api::resource_definition)) {
    AddResource(resource, types);
  }
  for (int i = 0; i < file.message_type_count(); ++i) {
    AddResources(*file.message_type(i), types);
  }
  for (int i = 0; i < file.dependency_count(); ++i) {
    AddResources(*file.dependency(i), seen, types);
  }
}

// The pattern of the parent of resources of `pattern`: two segments less.
std::string ParentPattern(const std::string& pattern) {
  const std::size_t count = NameSegments(pattern).size();
  return FirstSegments(pattern, count >= 2 ? count - 2 : 0);
}

bool HasBehavior(const FieldDescriptor& field,
                 google::api::FieldBehavior behavior) {
  const auto& behaviors =
      field.options().GetRepeatedExtension(google::api::field_behavior);
  return std::find(behaviors.begin(), behaviors.end(), behavior) !=
         behaviors.end();
}

Kind KindOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? Kind::kBytes
                                                         : Kind::kString;
    case FieldDescriptor::CPPTYPE_ENUM:
      return Kind::kEnum;
    case FieldDescriptor::CPPTYPE_BOOL:
      return Kind::kOther;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
    default:
      return Kind::kNumber;
  }
  const std::string& type = field.message_type()->full_name();
  if (type == google::type::Date::descriptor()->full_name()) return Kind::kDate;
  if (type == google::type::TimeOfDay::descriptor()->full_name()) {
    return Kind::kTimeOfDay;
  }
  if (type == google::protobuf::Timestamp::descriptor()->full_name()) {
    return Kind::kTimestamp;
  }
  if (type == google::protobuf::Duration::descriptor()->full_name()) {
    return Kind::kDuration;
  }
  if (type == google::protobuf::FieldMask::descriptor()->full_name()) {
    return Kind::kOther;
  }
  return Kind::kMessage;
}

int64_t GetNumber(const Message& message, const FieldDescriptor& field,
                  int index) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  const auto clamp = [](uint64_t value) {
    constexpr auto kMax =
        static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    return static_cast<int64_t>(std::min(value, kMax));
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return repeated ? reflection.GetRepeatedInt32(message, &field, index)
                      : reflection.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return repeated ? reflection.GetRepeatedUInt32(message, &field, index)
                      : reflection.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return clamp(repeated
                       ? reflection.GetRepeatedUInt64(message, &field, index)
                       : reflection.GetUInt64(message, &field));
    default:
      return repeated ? reflection.GetRepeatedInt64(message, &field, index)
                      : reflection.GetInt64(message, &field);
  }
}

std::optional<double> GetReal(const Message& message,
                              const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    return field.is_repeated()
               ? reflection.GetRepeatedDouble(message, &field, index)
               : reflection.GetDouble(message, &field);
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
    return field.is_repeated()
               ? reflection.GetRepeatedFloat(message, &field, index)
               : reflection.GetFloat(message, &field);
  }
  return std::nullopt;
}

bool IsDate(const google::type::Date& date, bool partial) {
  if (date.year() < kFirstYear || date.year() > kLastYear) return false;
  if (partial && date.day() == 0) {
    return date.month() >= 0 && date.month() <= 12;
  }
  if (date.month() < 1 || date.month() > 12 || date.day() < 1) return false;
  // A day that does not exist would be carried over into another month.
  const absl::CivilDay day(date.year(), date.month(), date.day());
  return day.month() == date.month() && day.day() == date.day();
}

bool IsTimeOfDay(const google::type::TimeOfDay& time) {
  return time.hours() >= 0 && time.hours() < 24 && time.minutes() >= 0 &&
         time.minutes() < 60 && time.seconds() >= 0 && time.seconds() < 60 &&
         time.nanos() >= 0 && time.nanos() < 1'000'000'000;
}

bool IsTimestamp(const google::protobuf::Timestamp& time) {
  return time.seconds() >= kFirstTimestamp &&
         time.seconds() <= kLastTimestamp && time.nanos() >= 0 &&
         time.nanos() < 1'000'000'000;
}

bool IsDuration(const google::protobuf::Duration& duration) {
  return std::abs(duration.seconds()) <= kMaxDurationSeconds &&
         std::abs(duration.nanos()) < 1'000'000'000 &&
         (duration.seconds() == 0 || duration.nanos() == 0 ||
          (duration.seconds() < 0) == (duration.nanos() < 0));
}

// Which fields of the resource of an update are replaced, and must therefore
// be there.
class Replaced {
 public:
  static Replaced All() { return Replaced(true, {}); }
  static Replaced Of(const google::protobuf::FieldMask& mask) {
    std::set<std::string> paths(mask.paths().begin(), mask.paths().end());
    const bool all = paths.contains("*");
    return Replaced(all, std::move(paths));
  }
  bool Has(const std::string& field) const {
    return all_ || paths_.contains(field);
  }

 private:
  Replaced(bool all, std::set<std::string> paths)
      : all_(all), paths_(std::move(paths)) {}
  bool all_;
  std::set<std::string> paths_;
};

// What one walk over a request finds.
struct Findings {
  FieldViolations violations;
  bool needs_normalisation = false;
};

// The checks of one type of message.
class Plan final : public RequestRules {
 public:
  absl::Status Check(const Message& request,
                     std::unique_ptr<Message>& normalised) const override {
    Findings findings;
    Walk(request, "", Replaced::All(), findings);
    if (!findings.violations.empty()) return findings.violations.ToStatus();
    if (findings.needs_normalisation) {
      normalised.reset(request.New());
      normalised->CopyFrom(request);
      Normalise(*normalised);
    }
    return absl::OkStatus();
  }

  void Fill(const Descriptor& type, const ResourceTypes& types,
            std::map<const Descriptor*, std::unique_ptr<Plan>>& plans);

 private:
  void Walk(const Message& message, const std::string& prefix,
            const Replaced& replaced, Findings& findings) const;
  void CheckValue(const Message& message, const FieldPlan& plan, int index,
                  const std::string& path, const Replaced& replaced,
                  Findings& findings) const;
  void Normalise(Message& message) const;

  // The paths that the update mask beside `plan` replaces in it.
  Replaced ReplacedIn(const Message& message, const FieldPlan& plan) const;

  std::vector<FieldPlan> fields_;
  // Of an update: the resource and the mask.
  const FieldDescriptor* update_mask_ = nullptr;
  const FieldDescriptor* updated_resource_ = nullptr;
};

bool IsResource(const Descriptor& type) {
  return type.options().HasExtension(google::api::resource);
}

void Plan::Fill(const Descriptor& type, const ResourceTypes& types,
                std::map<const Descriptor*, std::unique_ptr<Plan>>& plans) {
  const google::api::ResourceDescriptor& resource =
      type.options().GetExtension(google::api::resource);
  const std::string name_field =
      resource.name_field().empty() ? "name" : resource.name_field();

  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (HasBehavior(field, google::api::OUTPUT_ONLY)) continue;
    const FieldRules& rules = field.options().GetExtension(type::v1::rules);
    FieldPlan plan;
    plan.field = &field;
    plan.kind = KindOf(field);
    plan.required = HasBehavior(field, google::api::REQUIRED);
    plan.multiline = rules.multiline();
    plan.partial_date = rules.partial_date();
    plan.form = rules.pattern_kind();
    plan.max_characters = rules.max_characters();
    if (plan.kind == Kind::kString && plan.max_characters == 0) {
      plan.max_characters = kDefaultMaxCharacters;
    }
    if (rules.max_items() > 0) plan.max_items = rules.max_items();
    if (rules.has_minimum()) {
      plan.minimum = rules.minimum();
    } else if (plan.kind == Kind::kNumber &&
               (field.name() == "page_size" ||
                absl::EndsWith(field.name(), "_cents"))) {
      plan.minimum = 0;
    }
    if (rules.has_maximum()) plan.maximum = rules.maximum();

    if (plan.kind == Kind::kString) {
      const google::api::ResourceReference& reference =
          field.options().GetExtension(google::api::resource_reference);
      const auto patterns_of = [&](const std::string& name) {
        const auto found = types.find(name);
        return found == types.end() ? std::vector<std::string>()
                                    : found->second;
      };
      if (!reference.type().empty()) {
        plan.is_name = true;
        plan.patterns = patterns_of(reference.type());
      } else if (!reference.child_type().empty()) {
        plan.is_name = true;
        for (const std::string& child : patterns_of(reference.child_type())) {
          plan.patterns.push_back(ParentPattern(child));
        }
      } else if (!resource.type().empty() && field.name() == name_field) {
        plan.is_name = true;
        plan.patterns = patterns_of(resource.type());
      }
    }

    if (plan.kind == Kind::kMessage) {
      const Descriptor& nested = *field.message_type();
      std::unique_ptr<Plan>& slot = plans[&nested];
      if (slot == nullptr) {
        slot = std::make_unique<Plan>();
        Plan& unfilled = *slot;
        unfilled.Fill(nested, types, plans);
      }
      plan.message = plans[&nested].get();
      if (!field.is_repeated() && IsResource(nested)) {
        updated_resource_ = &field;
      }
    }
    if (field.name() == "update_mask" && plan.kind == Kind::kOther) {
      update_mask_ = &field;
    }
    fields_.push_back(std::move(plan));
  }
}

std::string PathOf(const std::string& prefix, const FieldDescriptor& field) {
  return prefix.empty() ? field.name()
                        : absl::StrCat(prefix, ".", field.name());
}

bool IsBlank(const Message& message, const FieldPlan& plan) {
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor* const field = plan.field;
  if (field->is_repeated()) return reflection.FieldSize(message, field) == 0;
  if (field->has_presence() && !reflection.HasField(message, field)) {
    return true;
  }
  switch (plan.kind) {
    case Kind::kString: {
      std::string scratch;
      return absl::StripAsciiWhitespace(
                 reflection.GetStringReference(message, field, &scratch))
          .empty();
    }
    case Kind::kBytes: {
      std::string scratch;
      return reflection.GetStringReference(message, field, &scratch).empty();
    }
    case Kind::kEnum:
      return reflection.GetEnumValue(message, field) == 0;
    default:
      return false;
  }
}

Replaced Plan::ReplacedIn(const Message& message, const FieldPlan& plan) const {
  if (update_mask_ == nullptr || plan.field != updated_resource_) {
    return Replaced::All();
  }
  return Replaced::Of(static_cast<const google::protobuf::FieldMask&>(
      message.GetReflection()->GetMessage(message, update_mask_)));
}

void Plan::Walk(const Message& message, const std::string& prefix,
                const Replaced& replaced, Findings& findings) const {
  const Reflection& reflection = *message.GetReflection();
  for (const FieldPlan& plan : fields_) {
    const FieldDescriptor& field = *plan.field;
    if (plan.required && IsBlank(message, plan)) {
      if (replaced.Has(field.name())) {
        findings.violations.Add(PathOf(prefix, field), Reason::kFieldRequired);
      }
      continue;
    }
    if (field.is_repeated()) {
      const int size = reflection.FieldSize(message, &field);
      if (size == 0) continue;
      const std::string path = PathOf(prefix, field);
      if (size > plan.max_items) {
        findings.violations.Add(
            path, Reason::kFieldMalformed,
            {{"expected", absl::StrCat("a list of at most ", plan.max_items)}});
        continue;
      }
      for (int i = 0; i < size; ++i) {
        CheckValue(message, plan, i, absl::StrCat(path, "[", i, "]"),
                   Replaced::All(), findings);
      }
      continue;
    }
    if (plan.kind == Kind::kOther) continue;
    if (field.has_presence() && !reflection.HasField(message, &field)) continue;
    CheckValue(message, plan, -1, PathOf(prefix, field),
               ReplacedIn(message, plan), findings);
  }
}

template <typename T>
const T& As(const Message& message, const FieldPlan& plan, int index) {
  const Reflection& reflection = *message.GetReflection();
  return static_cast<const T&>(
      index < 0 ? reflection.GetMessage(message, plan.field)
                : reflection.GetRepeatedMessage(message, plan.field, index));
}

void CheckText(const std::string& text, const FieldPlan& plan,
               const std::string& path, Findings& findings) {
  if (text.empty()) return;
  const TextForm form = ExamineText(text, plan.multiline);
  if (form.forbidden) {
    findings.violations.Add(path, Reason::kFieldForbiddenCharacter);
    return;
  }
  if (form.characters > static_cast<std::size_t>(plan.max_characters)) {
    findings.violations.Add(path, Reason::kFieldTooLong,
                            {{"maximum", absl::StrCat(plan.max_characters)}});
    return;
  }
  findings.needs_normalisation |= !form.normal;
  if (plan.is_name) {
    const bool matches =
        plan.patterns.empty()
            ? LooksLikeName(text)
            : std::any_of(plan.patterns.begin(), plan.patterns.end(),
                          [&](const std::string& pattern) {
                            return MatchesNamePattern(pattern, text);
                          });
    if (!matches) {
      findings.violations.Add(
          path, Reason::kFieldMalformed,
          {{"expected", plan.patterns.empty()
                            ? "a name of a resource"
                            : absl::StrCat("a name ", plan.patterns[0])}});
    }
    return;
  }
  if (!HasForm(text, plan.form)) {
    findings.violations.Add(path, Reason::kFieldMalformed,
                            {{"expected", std::string(FormName(plan.form))}});
  }
}

void CheckNumber(const Message& message, const FieldPlan& plan, int index,
                 const std::string& path, Findings& findings) {
  const std::optional<double> real = GetReal(message, *plan.field, index);
  if (real && !std::isfinite(*real)) {
    findings.violations.Add(path, Reason::kFieldMalformed,
                            {{"expected", "a finite number"}});
    return;
  }
  const int64_t number = real ? 0 : GetNumber(message, *plan.field, index);
  const auto below = [&](int64_t bound) {
    return real ? *real < static_cast<double>(bound) : number < bound;
  };
  const auto above = [&](int64_t bound) {
    return real ? *real > static_cast<double>(bound) : number > bound;
  };
  const bool too_small = plan.minimum && below(*plan.minimum);
  const bool too_large = plan.maximum && above(*plan.maximum);
  if (!too_small && !too_large) return;
  if (too_small && *plan.minimum == 0 && !plan.maximum) {
    findings.violations.Add(path, Reason::kFieldNegative);
    return;
  }
  const bool narrow = plan.field->cpp_type() == FieldDescriptor::CPPTYPE_INT32;
  const int64_t lowest = narrow ? std::numeric_limits<int32_t>::min()
                                : std::numeric_limits<int64_t>::min();
  const int64_t highest = narrow ? std::numeric_limits<int32_t>::max()
                                 : std::numeric_limits<int64_t>::max();
  findings.violations.Add(
      path, Reason::kFieldOutOfRange,
      {{"minimum", absl::StrCat(plan.minimum.value_or(lowest))},
       {"maximum", absl::StrCat(plan.maximum.value_or(highest))}});
}

void Plan::CheckValue(const Message& message, const FieldPlan& plan, int index,
                      const std::string& path, const Replaced& replaced,
                      Findings& findings) const {
  const Reflection& reflection = *message.GetReflection();
  const auto expect = [&](bool valid, const char* expected) {
    if (valid) return;
    findings.violations.Add(path, Reason::kFieldMalformed,
                            {{"expected", expected}});
  };
  std::string scratch;
  switch (plan.kind) {
    case Kind::kString:
      CheckText(index < 0 ? reflection.GetStringReference(message, plan.field,
                                                          &scratch)
                          : reflection.GetRepeatedStringReference(
                                message, plan.field, index, &scratch),
                plan, path, findings);
      break;
    case Kind::kBytes: {
      const std::string& bytes =
          index < 0
              ? reflection.GetStringReference(message, plan.field, &scratch)
              : reflection.GetRepeatedStringReference(message, plan.field,
                                                      index, &scratch);
      if (plan.max_characters > 0 &&
          bytes.size() > static_cast<std::size_t>(plan.max_characters)) {
        findings.violations.Add(
            path, Reason::kFieldTooLong,
            {{"maximum", absl::StrCat(plan.max_characters)}});
      }
      break;
    }
    case Kind::kEnum: {
      const int value = index < 0 ? reflection.GetEnumValue(message, plan.field)
                                  : reflection.GetRepeatedEnumValue(
                                        message, plan.field, index);
      // An element of a list is there to say something.
      const bool says_nothing = index >= 0 && value == 0;
      if (says_nothing ||
          plan.field->enum_type()->FindValueByNumber(value) == nullptr) {
        findings.violations.Add(path, Reason::kUnknownEnumValue);
      }
      break;
    }
    case Kind::kNumber:
      CheckNumber(message, plan, index, path, findings);
      break;
    case Kind::kDate:
      expect(IsDate(As<google::type::Date>(message, plan, index),
                    plan.partial_date),
             "a date between 1900 and 2200");
      break;
    case Kind::kTimeOfDay:
      expect(IsTimeOfDay(As<google::type::TimeOfDay>(message, plan, index)),
             "a time of day");
      break;
    case Kind::kTimestamp:
      expect(IsTimestamp(As<google::protobuf::Timestamp>(message, plan, index)),
             "an instant");
      break;
    case Kind::kDuration:
      expect(IsDuration(As<google::protobuf::Duration>(message, plan, index)),
             "a duration");
      break;
    case Kind::kMessage:
      plan.message->Walk(As<Message>(message, plan, index), path, replaced,
                         findings);
      break;
    case Kind::kOther:
      break;
  }
}

void Plan::Normalise(Message& message) const {
  const Reflection& reflection = *message.GetReflection();
  for (const FieldPlan& plan : fields_) {
    const FieldDescriptor* const field = plan.field;
    if (plan.kind == Kind::kString) {
      if (field->is_repeated()) {
        const int size = reflection.FieldSize(message, field);
        for (int i = 0; i < size; ++i) {
          reflection.SetRepeatedString(
              &message, field, i,
              NormaliseText(reflection.GetRepeatedString(message, field, i),
                            plan.multiline));
        }
      } else if (!field->has_presence() ||
                 reflection.HasField(message, field)) {
        const std::string text = reflection.GetString(message, field);
        if (!text.empty()) {
          reflection.SetString(&message, field,
                               NormaliseText(text, plan.multiline));
        }
      }
    } else if (plan.kind == Kind::kMessage) {
      if (field->is_repeated()) {
        const int size = reflection.FieldSize(message, field);
        for (int i = 0; i < size; ++i) {
          plan.message->Normalise(
              *reflection.MutableRepeatedMessage(&message, field, i));
        }
      } else if (reflection.HasField(message, field)) {
        plan.message->Normalise(*reflection.MutableMessage(&message, field));
      }
    }
  }
}

}  // namespace

const RequestRules& RequestRules::Of(const Descriptor& type) {
  static std::mutex mutex;
  static auto* const plans =
      new std::map<const Descriptor*, std::unique_ptr<Plan>>;
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Plan>& slot = (*plans)[&type];
  if (slot == nullptr) {
    slot = std::make_unique<Plan>();
    Plan& unfilled = *slot;
    std::set<const FileDescriptor*> seen;
    ResourceTypes types;
    AddResources(*type.file(), seen, types);
    unfilled.Fill(type, types, *plans);
  }
  return *(*plans)[&type];
}

}  // namespace parcours::rpc
