#ifndef PARCOURS_SERVICES_EVALUATION_RPC_VALIDATION_NOTE_RPC_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_VALIDATION_NOTE_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/evaluation/v1/validation_note.grpc.pb.h"
#include "services/evaluation/rpc/dependencies.h"

namespace parcours::evaluation {

namespace pb = ::parcours::evaluation::v1;

// parcours.evaluation.v1.ValidationNoteService.
class ValidationNoteRpc final
    : public rpc::ServiceOf<pb::ValidationNoteService> {
 public:
  ValidationNoteRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(CreateValidationNote, pb::CreateValidationNoteRequest,
               pb::ValidationNote)
  PARCOURS_RPC(GetValidationNote, pb::GetValidationNoteRequest,
               pb::ValidationNote)
  PARCOURS_RPC(ListValidationNotes, pb::ListValidationNotesRequest,
               pb::ListValidationNotesResponse)
  PARCOURS_RPC(ProposeSubject, pb::ProposeSubjectRequest, pb::ValidationNote)
  PARCOURS_RPC(ApproveSubject, pb::ApproveSubjectRequest, pb::ValidationNote)
  PARCOURS_RPC(AskSubjectChanges, pb::AskSubjectChangesRequest,
               pb::ValidationNote)
  PARCOURS_RPC(SubmitNoteVersion, pb::SubmitNoteVersionRequest, pb::NoteVersion)
  PARCOURS_RPC(ReopenNote, pb::ReopenNoteRequest, pb::ValidationNote)
  PARCOURS_RPC(AdaptNote, pb::AdaptNoteRequest, pb::ValidationNote)
  PARCOURS_RPC(GetNoteVersion, pb::GetNoteVersionRequest, pb::NoteVersion)
  PARCOURS_RPC(ListNoteVersions, pb::ListNoteVersionsRequest,
               pb::ListNoteVersionsResponse)
  PARCOURS_RPC(ReadNoteVersion, pb::ReadNoteVersionRequest,
               pb::ReadNoteVersionResponse)
  PARCOURS_RPC(AssignReader, pb::AssignReaderRequest, pb::NoteReader)
  PARCOURS_RPC(GetNoteReader, pb::GetNoteReaderRequest, pb::NoteReader)
  PARCOURS_RPC(ListNoteReaders, pb::ListNoteReadersRequest,
               pb::ListNoteReadersResponse)
  PARCOURS_RPC(SubmitReaderReport, pb::SubmitReaderReportRequest,
               pb::NoteReader)

 private:
  absl::StatusOr<pb::ValidationNote> CreateValidationNote(
      const rpc::CallContext& call,
      const pb::CreateValidationNoteRequest& request);
  absl::StatusOr<pb::ValidationNote> GetValidationNote(
      const rpc::CallContext& call,
      const pb::GetValidationNoteRequest& request);
  absl::StatusOr<pb::ListValidationNotesResponse> ListValidationNotes(
      const rpc::CallContext& call,
      const pb::ListValidationNotesRequest& request);
  absl::StatusOr<pb::ValidationNote> ProposeSubject(
      const rpc::CallContext& call, const pb::ProposeSubjectRequest& request);
  absl::StatusOr<pb::ValidationNote> ApproveSubject(
      const rpc::CallContext& call, const pb::ApproveSubjectRequest& request);
  absl::StatusOr<pb::ValidationNote> AskSubjectChanges(
      const rpc::CallContext& call,
      const pb::AskSubjectChangesRequest& request);
  absl::StatusOr<pb::NoteVersion> SubmitNoteVersion(
      const rpc::CallContext& call,
      const pb::SubmitNoteVersionRequest& request);
  absl::StatusOr<pb::ValidationNote> ReopenNote(
      const rpc::CallContext& call, const pb::ReopenNoteRequest& request);
  absl::StatusOr<pb::ValidationNote> AdaptNote(
      const rpc::CallContext& call, const pb::AdaptNoteRequest& request);
  absl::StatusOr<pb::NoteVersion> GetNoteVersion(
      const rpc::CallContext& call, const pb::GetNoteVersionRequest& request);
  absl::StatusOr<pb::ListNoteVersionsResponse> ListNoteVersions(
      const rpc::CallContext& call, const pb::ListNoteVersionsRequest& request);
  absl::StatusOr<pb::ReadNoteVersionResponse> ReadNoteVersion(
      const rpc::CallContext& call, const pb::ReadNoteVersionRequest& request);
  absl::StatusOr<pb::NoteReader> AssignReader(
      const rpc::CallContext& call, const pb::AssignReaderRequest& request);
  absl::StatusOr<pb::NoteReader> GetNoteReader(
      const rpc::CallContext& call, const pb::GetNoteReaderRequest& request);
  absl::StatusOr<pb::ListNoteReadersResponse> ListNoteReaders(
      const rpc::CallContext& call, const pb::ListNoteReadersRequest& request);
  absl::StatusOr<pb::NoteReader> SubmitReaderReport(
      const rpc::CallContext& call,
      const pb::SubmitReaderReportRequest& request);

  // The note with what is shown beside it, after a change.
  absl::StatusOr<pb::ValidationNote> Show(const rpc::CallContext& call,
                                          absl::StatusOr<ValidationNote> note);

  const Dependencies dependencies_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_VALIDATION_NOTE_RPC_H_
