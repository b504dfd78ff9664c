#include "services/evaluation/rpc/evaluation_personal_data.h"

#include <memory>

#include "common/status/macros.h"
#include "common/text/view.h"
#include "services/evaluation/domain/erasure_use_cases.h"
#include "services/evaluation/domain/note_use_cases.h"
#include "services/evaluation/domain/retention.h"
#include "services/evaluation/rpc/convert.h"

namespace parcours::evaluation {
namespace {

// Of a document of an export.
constexpr char kNoteFile[] = "VALIDATION_NOTE";

template <typename Message>
void Add(privacy::PersonExport& exported, std::string kind,
         const std::string& resource, Message message) {
  exported.records.push_back(
      {.kind = std::move(kind),
       .resource = resource,
       .content = std::make_unique<Message>(std::move(message))});
}

// Each of `resources` as its own method answers it.
template <typename Resource>
void AddAll(privacy::PersonExport& exported, const std::string& kind,
            const std::vector<Resource>& resources) {
  for (const Resource& resource : resources) {
    Add(exported, kind, resource.name.text(), ToProto(resource));
  }
}

// What the jury says of one member: others are not theirs to have.
pb::Jury OfMember(Jury jury, const PersonName& person) {
  std::erase_if(jury.members,
                [&](const JuryMember& m) { return m.person != person; });
  jury.candidates.clear();
  return ToProto(jury);
}

// "essai-2026-a-001.pdf": cohort, enrolment and version.
std::string FileName(const NoteVersion& version) {
  return Cat(version.name.Under<CohortName>().id(), "-",
             version.name.Under<NoteName>().id(), "-", version.name.id(),
             ".pdf");
}

}  // namespace

absl::StatusOr<privacy::PersonExport> EvaluationPersonalData::Export(
    const access::Caller& caller, const std::string& person) {
  const auto name = PersonName::FromRecord(person);
  // Whoever may see the person has everything: what a reader or a jury wrote of
  // a learner is the learner's to have, though no other method shows it them.
  access::Caller whole = caller;
  whole.scope = caller.scope.Whole();
  PersonRecord record;
  RETURN_IF_ERROR(dependencies_.store.View(
      whole, [&](EvaluationUnit& unit) -> absl::Status {
        ASSIGN_OR_RETURN(record, unit.RecordOf(whole.scope, name));
        return absl::OkStatus();
      }));

  privacy::PersonExport exported;
  AddAll(exported, "rosterEntry", record.roster);
  for (const ValidationNote& note : record.notes) {
    ASSIGN_OR_RETURN(const NoteView view,
                     GetNote(dependencies_.store, whole, note.name));
    Add(exported, "validationNote", note.name.text(), ToProto(view));
  }
  AddAll(exported, "noteVersion", record.versions);
  AddAll(exported, "noteReader", record.reports);
  AddAll(exported, "decision", record.decisions);
  AddAll(exported, "result", record.results);
  AddAll(exported, "appeal", record.appeals);
  AddAll(exported, "certificate", record.certificates);
  for (const Jury& jury : record.juries) {
    Add(exported, "jury", jury.name.text(), OfMember(jury, name));
  }
  AddAll(exported, "noteReader", record.readings);
  AddAll(exported, "conflict", record.conflicts);

  for (const NoteVersion& version : record.versions) {
    if (version.object_id.empty()) continue;
    exported.documents.push_back(
        {.resource = version.name.text(),
         .kind = kNoteFile,
         .file_name = FileName(version),
         .sha256 = version.sha256,
         .byte_size = version.byte_size,
         .read = [&files = dependencies_.files, object = version.object_id] {
           return files.Read(object);
         }});
  }
  return exported;
}

absl::StatusOr<std::vector<privacy::LegalHold>> EvaluationPersonalData::Holds(
    const access::Caller& caller, const std::string& person) {
  return HoldsOn(dependencies_.store, dependencies_.rules, caller,
                 PersonName::FromRecord(person));
}

absl::StatusOr<std::vector<privacy::RetentionClass>>
EvaluationPersonalData::Due(const access::Caller& caller,
                            const std::string& body) {
  return DueIn(dependencies_.store, dependencies_.rules, caller,
               BodyName::FromRecord(body));
}

absl::StatusOr<std::vector<privacy::RetentionClass>>
EvaluationPersonalData::RemoveDue(
    const access::Caller& caller, const std::string& body,
    const std::function<
        absl::Status(const std::vector<privacy::RetentionClass>&)>& check) {
  return evaluation::RemoveDue(dependencies_.store, dependencies_.rules, caller,
                               BodyName::FromRecord(body), check);
}

}  // namespace parcours::evaluation
