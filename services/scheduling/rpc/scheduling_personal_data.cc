#include "services/scheduling/rpc/scheduling_personal_data.h"

#include <memory>
#include <type_traits>

#include "common/status/macros.h"
#include "services/scheduling/domain/erasure_use_cases.h"
#include "services/scheduling/domain/retention.h"
#include "services/scheduling/rpc/convert.h"

namespace parcours::scheduling {
namespace {

template <typename Resource>
void Add(const std::string& kind, const std::vector<Resource>& resources,
         privacy::PersonExport& exported) {
  for (const Resource& resource : resources) {
    using Message = std::decay_t<decltype(ToProto(resource))>;
    exported.records.push_back(
        {.kind = kind,
         .resource = resource.name.text(),
         .content = std::make_unique<Message>(ToProto(resource))});
  }
}

}  // namespace

absl::StatusOr<privacy::PersonExport> SchedulingPersonalData::Export(
    const access::Caller& caller, const std::string& person) {
  ASSIGN_OR_RETURN(
      const PersonRecord record,
      ReadPerson(dependencies_.store, caller, PersonName::FromRecord(person)));
  privacy::PersonExport exported;
  Add("rosterEntry", record.roster, exported);
  Add("attendanceEntry", record.entries, exported);
  Add("completionRecord", record.completion_records, exported);
  Add("halfDay", record.half_days, exported);
  return exported;
}

absl::StatusOr<std::vector<privacy::LegalHold>> SchedulingPersonalData::Holds(
    const access::Caller& caller, const std::string& person) {
  return HoldsOn(dependencies_.store, dependencies_.rules, caller,
                 PersonName::FromRecord(person));
}

absl::StatusOr<std::vector<privacy::RetentionClass>>
SchedulingPersonalData::Due(const access::Caller& caller,
                            const std::string& body) {
  return DueIn(dependencies_.store, dependencies_.rules, caller,
               BodyName::FromRecord(body));
}

absl::StatusOr<std::vector<privacy::RetentionClass>>
SchedulingPersonalData::RemoveDue(
    const access::Caller& caller, const std::string& body,
    const std::function<
        absl::Status(const std::vector<privacy::RetentionClass>&)>& check) {
  return scheduling::RemoveDue(dependencies_.store, dependencies_.rules, caller,
                               BodyName::FromRecord(body), check);
}

}  // namespace parcours::scheduling
