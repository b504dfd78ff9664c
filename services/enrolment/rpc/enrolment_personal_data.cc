#include "services/enrolment/rpc/enrolment_personal_data.h"

#include <memory>
#include <optional>

#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/time/clock.h"
#include "services/enrolment/domain/application_use_cases.h"
#include "services/enrolment/domain/retention.h"
#include "services/enrolment/rpc/convert.h"

namespace parcours::enrolment {
namespace {

template <typename Message>
privacy::ExportedRecord Record(std::string kind, std::string resource,
                               Message message) {
  return {.kind = std::move(kind),
          .resource = std::move(resource),
          .content = std::make_unique<Message>(std::move(message))};
}

// "CV-019a….pdf": the id tells the files of several applications apart.
std::string FileName(const Piece& piece) {
  return Cat(NameOf(piece.kind), "-", piece.upload.id(), ".pdf");
}

}  // namespace

absl::StatusOr<privacy::PersonExport> EnrolmentPersonalData::Export(
    const access::Caller& caller, const std::string& person) {
  EnrolmentStore& store = dependencies_.store;
  const auto name = PersonName::FromRecord(person);
  std::optional<PersonRecord> record;
  std::optional<Erasure> erasure;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(record, unit.RecordOf(caller.scope, name));
    ASSIGN_OR_RETURN(erasure,
                     unit.erasures().Find(caller.scope, ErasureOf(name)));
    return absl::OkStatus();
  }));

  privacy::PersonExport exported;
  exported.records.push_back(Record("person", person, ToProto(record->person)));
  for (const Application& application : record->applications) {
    ASSIGN_OR_RETURN(const ApplicationView view,
                     GetApplication(store, caller, application.name));
    exported.records.push_back(
        Record("application", application.name.text(), ToProto(view)));
    ASSIGN_OR_RETURN(const PlaceExplanation explanation,
                     ExplainPlace(store, caller, application.name));
    exported.records.push_back(
        Record("place", application.name.text(), ToProto(explanation)));
    for (const Piece& piece : application.pieces) {
      ASSIGN_OR_RETURN(std::optional<PieceFile> file,
                       find_file_(caller, piece.upload));
      if (!file.has_value()) continue;
      exported.documents.push_back({.resource = application.name.text(),
                                    .kind = std::string(NameOf(piece.kind)),
                                    .file_name = FileName(piece),
                                    .sha256 = piece.sha256,
                                    .byte_size = file->byte_size,
                                    .read = std::move(file->read)});
    }
  }
  const absl::CivilDay today = ParisDay(caller.now);
  for (const Agreement& agreement : record->agreements) {
    exported.records.push_back(
        Record("agreement", agreement.name.text(), ToProto(agreement, today)));
  }
  for (const Enrolment& enrolment : record->enrolments) {
    exported.records.push_back(
        Record("enrolment", enrolment.name.text(), ToProto(enrolment)));
  }
  if (erasure.has_value()) {
    exported.records.push_back(
        Record("erasure", erasure->name.text(), ToProto(*erasure)));
  }
  return exported;
}

absl::StatusOr<std::vector<privacy::LegalHold>> EnrolmentPersonalData::Holds(
    const access::Caller& caller, const std::string& person) {
  return HoldsOn(dependencies_.store, dependencies_.rules, caller,
                 PersonName::FromRecord(person));
}

absl::StatusOr<std::vector<privacy::RetentionClass>> EnrolmentPersonalData::Due(
    const access::Caller& caller, const std::string& body) {
  return DueIn(dependencies_.store, dependencies_.rules, ports_.peers, caller,
               BodyName::FromRecord(body));
}

absl::StatusOr<std::vector<privacy::RetentionClass>>
EnrolmentPersonalData::RemoveDue(
    const access::Caller& caller, const std::string& body,
    const std::function<
        absl::Status(const std::vector<privacy::RetentionClass>&)>& check) {
  return enrolment::RemoveDue(dependencies_.store, dependencies_.rules, ports_,
                              caller, BodyName::FromRecord(body), check);
}

}  // namespace parcours::enrolment
