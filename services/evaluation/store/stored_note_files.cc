#include "services/evaluation/store/stored_note_files.h"

#include "absl/time/clock.h"
#include "common/access/caller.h"
#include "common/documents/upload_repository.h"
#include "common/status/macros.h"

namespace parcours::evaluation {

namespace {

// Of one look for the key of a file.
constexpr absl::Duration kReadTime = absl::Seconds(10);

// Whoever asked was found to see the note.
access::Caller OwnCaller() {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = "system:note-files";
  caller.deadline = absl::Now() + kReadTime;
  return caller;
}

}  // namespace

absl::StatusOr<NoteFile> StoredNoteFiles::Inspect(
    const documents::Upload& upload) {
  ASSIGN_OR_RETURN(const std::string bytes, Read(upload.object_id));
  ASSIGN_OR_RETURN(const documents::Inspection inspection,
                   documents::InspectBytes(inspector_, bytes));
  return NoteFile{.sha256 = upload.sha256,
                  .byte_size = inspection.byte_size,
                  .page_count = inspection.pages};
}

absl::StatusOr<std::string> StoredNoteFiles::Read(
    const std::string& object_id) {
  return documents::ReadFile(database_, store_, OwnCaller(), object_id);
}

}  // namespace parcours::evaluation
