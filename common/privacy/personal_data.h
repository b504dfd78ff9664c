#ifndef PARCOURS_COMMON_PRIVACY_PERSONAL_DATA_H_
#define PARCOURS_COMMON_PRIVACY_PERSONAL_DATA_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/privacy/legal_hold.h"
#include "google/protobuf/message.h"

namespace parcours::privacy {

// A record of an export: the message that the service's own methods answer.
struct ExportedRecord {
  std::string kind;
  std::string resource;
  std::unique_ptr<google::protobuf::Message> content;
};

// A document of an export; its bytes are read when they are sent.
struct ExportedDocument {
  std::string resource;
  std::string kind;
  std::string file_name;
  std::string sha256;
  int64_t byte_size = 0;
  std::function<absl::StatusOr<std::string>()> read;
};

struct PersonExport {
  std::vector<ExportedRecord> records;
  std::vector<ExportedDocument> documents;
};

// What one service does about the persons in its record: implemented in the
// rpc/ room of each, on use cases of its domain. Thread-safe.
class PersonalData {
 public:
  virtual ~PersonalData() = default;

  // Everything held on `person`, within the scope of the caller, who was found
  // to be allowed to see that person. NOT_FOUND where the service owns persons
  // and has no such one.
  virtual absl::StatusOr<PersonExport> Export(const access::Caller& caller,
                                              const std::string& person) = 0;

  // Why `person` cannot be erased here at business time caller.now.
  virtual absl::StatusOr<std::vector<LegalHold>> Holds(
      const access::Caller& caller, const std::string& person) = 0;

  // All kinds of documents that are kept for a time, with what is due of them
  // in `body` at caller.now.
  virtual absl::StatusOr<std::vector<RetentionClass>> Due(
      const access::Caller& caller, const std::string& body) = 0;

  // Removes what is due, in one transaction, after `check` agreed to what was
  // found in it; answers that. Errors of `check` pass.
  virtual absl::StatusOr<std::vector<RetentionClass>> RemoveDue(
      const access::Caller& caller, const std::string& body,
      const std::function<absl::Status(const std::vector<RetentionClass>&)>&
          check) = 0;
};

}  // namespace parcours::privacy

#endif  // PARCOURS_COMMON_PRIVACY_PERSONAL_DATA_H_
