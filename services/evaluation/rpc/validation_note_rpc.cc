#include "services/evaluation/rpc/validation_note_rpc.h"

#include <algorithm>
#include <optional>
#include <string>

#include "common/rpc/convert.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/types/record.h"
#include "parcours/type/v1/access.pb.h"
#include "services/evaluation/domain/note_use_cases.h"
#include "services/evaluation/rpc/convert.h"

namespace parcours::evaluation {
namespace {

// A message stays well below gRPC's limit of 4 MiB.
constexpr int32_t kMaximumPart = 1 << 20;

// The delay of a late note is for a coordinator to accept.
bool MayAcceptLate(const access::Principal& principal) {
  access::RoleSet roles;
  roles.Add(type::v1::ROLE_COORDINATOR);
  roles.Add(type::v1::ROLE_ADMINISTRATOR);
  return principal.roles.Intersects(roles);
}

}  // namespace

absl::StatusOr<pb::ValidationNote> ValidationNoteRpc::Show(
    const rpc::CallContext& call, absl::StatusOr<ValidationNote> note) {
  if (!note.ok()) return note.status();
  ASSIGN_OR_RETURN(const NoteView view,
                   GetNote(dependencies_.store, call.caller, note->name));
  return ToProto(view);
}

absl::StatusOr<pb::ValidationNote> ValidationNoteRpc::CreateValidationNote(
    const rpc::CallContext& call,
    const pb::CreateValidationNoteRequest& request) {
  ASSIGN_OR_RETURN(const CohortName cohort,
                   CohortName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const EnrolmentName enrolment,
                   EnrolmentName::Parse(request.validation_note().enrolment(),
                                        "validation_note.enrolment"));
  if (enrolment.Under<CohortName>() != cohort) {
    return MakeFieldError("validation_note.enrolment",
                          Reason::kUnknownReference);
  }
  return Show(call, CreateNote(dependencies_.store, dependencies_.enrolments,
                               call.caller, enrolment,
                               request.validation_note().subject()));
}

absl::StatusOr<pb::ValidationNote> ValidationNoteRpc::GetValidationNote(
    const rpc::CallContext& call, const pb::GetValidationNoteRequest& request) {
  ASSIGN_OR_RETURN(const NoteName name, NoteName::Parse(request.name()));
  ASSIGN_OR_RETURN(const NoteView view,
                   GetNote(dependencies_.store, call.caller, name));
  return ToProto(view);
}

absl::StatusOr<pb::ListValidationNotesResponse>
ValidationNoteRpc::ListValidationNotes(
    const rpc::CallContext& call,
    const pb::ListValidationNotesRequest& request) {
  ASSIGN_OR_RETURN(const CohortName cohort,
                   CohortName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  std::optional<NoteState> state;
  if (request.state() != pb::ValidationNote::STATE_UNSPECIFIED) {
    state = rpc::EnumFromProto<NoteState>(request.state());
  }
  ASSIGN_OR_RETURN(
      const Page<NoteView> found,
      ListNotes(dependencies_.store, call.caller, cohort, state, page));
  return PageResponse<pb::ListValidationNotesResponse>(
      dependencies_, request, found, [](auto& response, const NoteView& item) {
        *response.add_validation_notes() = ToProto(item);
      });
}

absl::StatusOr<pb::ValidationNote> ValidationNoteRpc::ProposeSubject(
    const rpc::CallContext& call, const pb::ProposeSubjectRequest& request) {
  ASSIGN_OR_RETURN(const NoteName name, NoteName::Parse(request.name()));
  return Show(call,
              evaluation::ProposeSubject(dependencies_.store, call.caller, name,
                                         request.subject(), request.etag()));
}

absl::StatusOr<pb::ValidationNote> ValidationNoteRpc::ApproveSubject(
    const rpc::CallContext& call, const pb::ApproveSubjectRequest& request) {
  ASSIGN_OR_RETURN(const NoteName name, NoteName::Parse(request.name()));
  return Show(call,
              evaluation::ApproveSubject(dependencies_.store, call.caller, name,
                                         request.decider(), request.etag()));
}

absl::StatusOr<pb::ValidationNote> ValidationNoteRpc::AskSubjectChanges(
    const rpc::CallContext& call, const pb::AskSubjectChangesRequest& request) {
  ASSIGN_OR_RETURN(const NoteName name, NoteName::Parse(request.name()));
  return Show(call, evaluation::AskSubjectChanges(
                        dependencies_.store, call.caller, name,
                        request.decider(), request.reason(), request.etag()));
}

absl::StatusOr<pb::NoteVersion> ValidationNoteRpc::SubmitNoteVersion(
    const rpc::CallContext& call, const pb::SubmitNoteVersionRequest& request) {
  VersionRequest asked;
  ASSIGN_OR_RETURN(asked.note, NoteName::Parse(request.name()));
  ASSIGN_OR_RETURN(asked.upload,
                   documents::UploadName::Parse(request.upload(), "upload"));
  asked.final = request.final();
  asked.sha256 = request.sha256();
  asked.late_reason = request.late_reason();
  asked.accept_late =
      request.accept_late() && MayAcceptLate(call.caller.principal);
  asked.late_accepted_by = request.late_accepted_by();
  asked.etag = request.etag();
  ASSIGN_OR_RETURN(
      const NoteVersion version,
      evaluation::SubmitNoteVersion(dependencies_.store, dependencies_.files,
                                    call.caller, asked));
  return ToProto(version);
}

absl::StatusOr<pb::ValidationNote> ValidationNoteRpc::ReopenNote(
    const rpc::CallContext& call, const pb::ReopenNoteRequest& request) {
  ASSIGN_OR_RETURN(const NoteName name, NoteName::Parse(request.name()));
  return Show(call,
              evaluation::ReopenNote(dependencies_.store, call.caller, name,
                                     request.reason(), request.etag()));
}

absl::StatusOr<pb::ValidationNote> ValidationNoteRpc::AdaptNote(
    const rpc::CallContext& call, const pb::AdaptNoteRequest& request) {
  ASSIGN_OR_RETURN(const NoteName name, NoteName::Parse(request.name()));
  return Show(call, evaluation::AdaptNote(dependencies_.store, call.caller,
                                          name, FromProto(request.adaptation()),
                                          request.etag()));
}

absl::StatusOr<pb::NoteVersion> ValidationNoteRpc::GetNoteVersion(
    const rpc::CallContext& call, const pb::GetNoteVersionRequest& request) {
  ASSIGN_OR_RETURN(const NoteVersionName name,
                   NoteVersionName::Parse(request.name()));
  ASSIGN_OR_RETURN(const NoteVersion version,
                   GetResource<NoteVersion>(dependencies_.store, call.caller,
                                            &EvaluationUnit::versions, name));
  return ToProto(version);
}

absl::StatusOr<pb::ListNoteVersionsResponse>
ValidationNoteRpc::ListNoteVersions(
    const rpc::CallContext& call, const pb::ListNoteVersionsRequest& request) {
  ASSIGN_OR_RETURN(const NoteName note,
                   NoteName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<NoteVersion> found,
      ListResources<NoteVersion>(dependencies_.store, call.caller,
                                 &EvaluationUnit::versions, note.text(), page));
  return PageResponse<pb::ListNoteVersionsResponse>(
      dependencies_, request, found,
      [](auto& response, const NoteVersion& item) {
        *response.add_versions() = ToProto(item);
      });
}

absl::StatusOr<pb::ReadNoteVersionResponse> ValidationNoteRpc::ReadNoteVersion(
    const rpc::CallContext& call, const pb::ReadNoteVersionRequest& request) {
  ASSIGN_OR_RETURN(const NoteVersionName name,
                   NoteVersionName::Parse(request.name()));
  const int32_t limit = request.limit() == 0
                            ? kMaximumPart
                            : std::min(request.limit(), kMaximumPart);
  ASSIGN_OR_RETURN(
      FilePart part,
      evaluation::ReadNoteVersion(dependencies_.store, dependencies_.files,
                                  call.caller, name, request.offset(), limit));
  pb::ReadNoteVersionResponse response;
  response.set_data(std::move(part.bytes));
  response.set_next_offset(part.next_offset);
  return response;
}

absl::StatusOr<pb::NoteReader> ValidationNoteRpc::AssignReader(
    const rpc::CallContext& call, const pb::AssignReaderRequest& request) {
  ASSIGN_OR_RETURN(const NoteName note,
                   NoteName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(
      const PersonName person,
      PersonName::Parse(request.reader().person(), "reader.person"));
  ASSIGN_OR_RETURN(
      const NoteReader reader,
      evaluation::AssignReader(dependencies_.store, call.caller, note, person,
                               request.reader().person_display_name()));
  return ToProto(reader);
}

absl::StatusOr<pb::NoteReader> ValidationNoteRpc::GetNoteReader(
    const rpc::CallContext& call, const pb::GetNoteReaderRequest& request) {
  ASSIGN_OR_RETURN(const NoteReaderName name,
                   NoteReaderName::Parse(request.name()));
  ASSIGN_OR_RETURN(const NoteReader reader,
                   GetResource<NoteReader>(dependencies_.store, call.caller,
                                           &EvaluationUnit::readers, name));
  return ToProto(reader);
}

absl::StatusOr<pb::ListNoteReadersResponse> ValidationNoteRpc::ListNoteReaders(
    const rpc::CallContext& call, const pb::ListNoteReadersRequest& request) {
  ASSIGN_OR_RETURN(const NoteName note,
                   NoteName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<NoteReader> found,
      ListResources<NoteReader>(dependencies_.store, call.caller,
                                &EvaluationUnit::readers, note.text(), page));
  return PageResponse<pb::ListNoteReadersResponse>(
      dependencies_, request, found,
      [](auto& response, const NoteReader& item) {
        *response.add_readers() = ToProto(item);
      });
}

absl::StatusOr<pb::NoteReader> ValidationNoteRpc::SubmitReaderReport(
    const rpc::CallContext& call,
    const pb::SubmitReaderReportRequest& request) {
  ASSIGN_OR_RETURN(const NoteReaderName name,
                   NoteReaderName::Parse(request.name()));
  std::optional<int64_t> mark;
  if (request.has_mark_hundredths()) mark = request.mark_hundredths();
  ASSIGN_OR_RETURN(
      const NoteReader reader,
      evaluation::SubmitReaderReport(dependencies_.store, call.caller, name,
                                     request.comments(), mark, request.etag()));
  return ToProto(reader);
}

}  // namespace parcours::evaluation
