#ifndef PARCOURS_SERVICES_EVALUATION_STORE_STORED_NOTE_FILES_H_
#define PARCOURS_SERVICES_EVALUATION_STORE_STORED_NOTE_FILES_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/documents/inspect.h"
#include "common/documents/upload_store.h"
#include "common/storage/database.h"
#include "services/evaluation/domain/note_files.h"

namespace parcours::evaluation {

// NoteFiles in the upload store, looked at by the inspector. Thread-safe.
class StoredNoteFiles final : public NoteFiles {
 public:
  // Both outlive this.
  StoredNoteFiles(storage::Database& database,
                  const documents::UploadStore& store,
                  documents::InspectorOptions inspector)
      : database_(database), store_(store), inspector_(std::move(inspector)) {}

  absl::StatusOr<NoteFile> Inspect(const documents::Upload& upload) override;
  absl::StatusOr<std::string> Read(const std::string& object_id) override;

 private:
  storage::Database& database_;
  const documents::UploadStore& store_;
  const documents::InspectorOptions inspector_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_STORE_STORED_NOTE_FILES_H_
