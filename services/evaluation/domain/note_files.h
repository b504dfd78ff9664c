#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_NOTE_FILES_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_NOTE_FILES_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/documents/upload.h"

namespace parcours::evaluation {

// What the inspection of a note's file found.
struct NoteFile {
  std::string sha256;
  int64_t byte_size = 0;
  int64_t page_count = 0;
};

// The bytes behind uploads. Not to be called within a transaction. Thread-safe.
class NoteFiles {
 public:
  virtual ~NoteFiles() = default;

  // The errors of common/documents/inspect.h.
  virtual absl::StatusOr<NoteFile> Inspect(const documents::Upload& upload) = 0;

  // REQUIRES: the caller was found to see the version that it is the file of.
  // NOT_FOUND once it is removed, PERSON_ERASED.
  virtual absl::StatusOr<std::string> Read(const std::string& object_id) = 0;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_NOTE_FILES_H_
