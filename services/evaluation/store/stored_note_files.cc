#include "services/evaluation/store/stored_note_files.h"

#include "common/status/macros.h"

namespace parcours::evaluation {

absl::StatusOr<NoteFile> StoredNoteFiles::Inspect(
    const documents::Upload& upload) {
  ASSIGN_OR_RETURN(const std::string bytes, store_.Read(upload.object_id));
  ASSIGN_OR_RETURN(const documents::Inspection inspection,
                   documents::InspectBytes(inspector_, bytes));
  return NoteFile{.sha256 = upload.sha256,
                  .byte_size = inspection.byte_size,
                  .page_count = inspection.pages};
}

absl::StatusOr<std::string> StoredNoteFiles::Read(
    const std::string& object_id) {
  return store_.Read(object_id);
}

}  // namespace parcours::evaluation
