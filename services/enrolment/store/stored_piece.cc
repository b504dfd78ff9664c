#include "services/enrolment/store/stored_piece.h"

#include "common/documents/upload_repository.h"
#include "common/status/macros.h"

namespace parcours::enrolment {

absl::StatusOr<std::optional<PieceFile>> FindStoredPiece(
    storage::Database& database, const documents::UploadStore& uploads,
    const access::Caller& caller, const UploadName& name) {
  std::optional<documents::Upload> upload;
  RETURN_IF_ERROR(database.View(
      caller, [&](storage::Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(upload, documents::UploadRepository(transaction)
                                     .Find(caller.scope.Whole(), name));
        return absl::OkStatus();
      }));
  if (!upload.has_value() || upload->object_id.empty() ||
      upload->state != documents::UploadState::kAttached) {
    return std::optional<PieceFile>();
  }
  return PieceFile{.byte_size = upload->byte_size,
                   .read = [&database, &uploads, caller, name] {
                     return documents::ReadUpload(database, uploads, caller,
                                                  name);
                   }};
}

}  // namespace parcours::enrolment
