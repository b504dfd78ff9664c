#include "common/privacy/erasure.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_replace.h"
#include "common/documents/upload_repository.h"
#include "common/status/macros.h"
#include "common/storage/person_keys.h"
#include "common/storage/recording_repository.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"

namespace parcours::privacy {
namespace {

constexpr int kBatch = 100;

// Says in the feed that `person` has been erased, unless that was said.
absl::Status Acknowledge(storage::Database& database,
                         const access::Caller& caller,
                         const std::string& person) {
  return database
      .Transact(caller,
                [&](storage::Transaction& transaction)
                    -> absl::StatusOr<storage::Outcome> {
                  const std::string name = ErasureNameOf(person);
                  ASSIGN_OR_RETURN(const bool was_left,
                                   storage::FinishErasure(transaction, person));
                  if (was_left) {
                    transaction.Record(
                        {.kind = std::string(kErasureKind),
                         .name = name,
                         .version = 1,
                         .cause = storage::CauseOf(transaction.caller()),
                         .scopes_after = {FirstSegments(name, 2)}});
                  }
                  return storage::Outcome{.name = name, .version = 1};
                })
      .status();
}

}  // namespace

std::string ErasureNameOf(std::string_view person) {
  return absl::StrReplaceAll(AbslView(person), {{"/persons/", "/erasures/"}});
}

std::string PersonOfErasure(std::string_view erasure) {
  return absl::StrReplaceAll(AbslView(erasure), {{"/erasures/", "/persons/"}});
}

absl::Status FinishErasures(storage::Database& database,
                            const documents::UploadStore* uploads,
                            const access::Caller& caller,
                            absl::FunctionRef<absl::Status()> overwrite) {
  while (true) {
    std::vector<std::string> persons;
    RETURN_IF_ERROR(database.View(
        caller, [&](storage::Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(persons,
                           storage::ErasuresToFinish(transaction, kBatch));
          return absl::OkStatus();
        }));
    if (persons.empty()) return absl::OkStatus();
    for (const std::string& person : persons) {
      if (uploads == nullptr) break;
      RETURN_IF_ERROR(documents::RemoveExpiredUploadsOf(database, *uploads,
                                                        caller, person));
    }
    RETURN_IF_ERROR(overwrite());
    for (const std::string& person : persons) {
      RETURN_IF_ERROR(Acknowledge(database, caller, person));
    }
  }
}

absl::Status RewrapAll(storage::Database& database,
                       const storage::PersonSecrets& secrets,
                       const documents::UploadStore* uploads,
                       const access::Caller& caller) {
  int64_t left = 0;
  const auto count = [&](storage::Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(left, storage::PersonKeysToRewrap(transaction, secrets));
    if (uploads == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(const int64_t files,
                     documents::FileKeysToRewrap(transaction, secrets));
    left += files;
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(database.View(caller, count));
  if (left == 0) return absl::OkStatus();
  int64_t wrapped = 0;
  const auto rewrap = [&]() -> absl::Status {
    while (true) {
      ASSIGN_OR_RETURN(int found, storage::RewrapPersonKeys(database, secrets,
                                                            caller, kBatch));
      if (uploads != nullptr) {
        ASSIGN_OR_RETURN(
            const int files,
            documents::RewrapFileKeys(database, secrets, caller, kBatch));
        found += files;
      }
      if (found == 0) return absl::OkStatus();
      wrapped += found;
    }
  };
  const absl::Status status = rewrap();
  RETURN_IF_ERROR(database.View(caller, count));
  telemetry::Log(
      status.ok() ? telemetry::LogLevel::kInfo : telemetry::LogLevel::kWarning,
      status.ok() ? "nothing is left under older master keys"
                  : "keys are left under older master keys",
      {{"wrapped_anew", wrapped},
       {"left", left},
       {"master_key", std::string_view(secrets.master_keys.current_id())}});
  return status;
}

absl::Status ReplayErasures(
    const FileErasureLog& log, storage::Database& database,
    const access::Caller& caller,
    const std::function<absl::Status(const std::string& person)>& erase) {
  ASSIGN_OR_RETURN(const std::vector<std::string> persons, log.Read());
  for (const std::string& person : persons) {
    bool erased = false;
    RETURN_IF_ERROR(database.View(
        caller, [&](storage::Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(erased, transaction.person_keys().IsErased(person));
          return absl::OkStatus();
        }));
    if (erased) continue;
    const absl::Status again = erase(person);
    // Restored from before they came: there is nothing of them.
    if (!again.ok() && again.code() != absl::StatusCode::kNotFound) {
      return again;
    }
  }
  return absl::OkStatus();
}

}  // namespace parcours::privacy
