#ifndef PARCOURS_COMMON_DOCUMENTS_INSPECT_H_
#define PARCOURS_COMMON_DOCUMENTS_INSPECT_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace parcours::documents {

// How files are inspected: by a child process of its own for each, so that a
// hostile file can hurt nothing else.
struct InspectorOptions {
  // The documents_inspector executable.
  std::filesystem::path program;
  // Address space of the child, in bytes.
  int64_t memory_bytes = int64_t{512} << 20;
  // Processor time of the child; whole seconds.
  absl::Duration cpu_time = absl::Seconds(10);
  // Real time until the child is killed.
  absl::Duration timeout = absl::Seconds(20);
};

// What a file is.
struct Inspection {
  int pages = 0;
  int64_t byte_size = 0;
};

// Looks at a PDF. Errors:
//   UPLOAD_EMPTY            there are no bytes
//   UPLOAD_OFFICE_DOCUMENT  it is a word processor's file
//   UPLOAD_WRONG_TYPE       it is no PDF, or something else as well
//   UPLOAD_ENCRYPTED        it is encrypted, with or without a password
//   UPLOAD_ACTIVE_CONTENT   it holds a script, a file or another thing that
//   acts
//                           (pdf_facts.h)
//   UPLOAD_UNREADABLE       it is damaged, has no pages, or was not read within
//                           the limits
//   OVERLOADED              too many files are being looked at
//   INTERNAL                the child process could not be started
// Blocks, for two seconds at most until one of two places is free in this
// process: so many children, with their memory, run at a time. Thread-safe.
absl::StatusOr<Inspection> InspectFile(const InspectorOptions& options,
                                       const std::filesystem::path& path);

// The same for bytes in memory; the child reads them from an anonymous file.
absl::StatusOr<Inspection> InspectBytes(const InspectorOptions& options,
                                        std::string_view bytes);

// What the child's answer about a file of `byte_size` bytes says; the errors
// are those above. The child has read a hostile file: whatever it answers is
// looked at as if somebody else had written it.
absl::StatusOr<Inspection> ReadInspection(std::string_view answer,
                                          int64_t byte_size);

}  // namespace parcours::documents

#endif  // PARCOURS_COMMON_DOCUMENTS_INSPECT_H_
