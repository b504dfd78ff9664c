#ifndef PARCOURS_COMMON_DOCUMENTS_UPLOAD_REPOSITORY_H_
#define PARCOURS_COMMON_DOCUMENTS_UPLOAD_REPOSITORY_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/access/caller.h"
#include "common/access/scope.h"
#include "common/documents/upload.h"
#include "common/documents/upload_store.h"
#include "common/storage/database.h"
#include "common/storage/recording_repository.h"

namespace parcours::documents {

// The table `upload`, number 900: part of every database whose service takes
// files.
absl::Span<const storage::Migration> Migrations();

// `service` and then the table `upload`.
std::vector<storage::Migration> WithUploadMigrations(
    absl::Span<const storage::Migration> service);

// The uploads within one transaction of any such service.
storage::RecordingRepository<Upload> UploadRepository(
    storage::Transaction& transaction);

// Locks a complete upload and makes it its resource's own, in the transaction
// that makes the resource. `person` is the name of the person whose it becomes,
// and with whom it is erased; empty for what is nobody's own. Errors:
// UNKNOWN_REFERENCE of `field` when it does not exist or belongs to a resource
// already, UPLOAD_INCOMPLETE, UPLOAD_EXPIRED, PERSON_ERASED.
absl::StatusOr<Upload> ClaimUpload(storage::Transaction& transaction,
                                   const access::Scope& scope,
                                   const UploadName& name,
                                   std::string_view field,
                                   const std::string& person);

// The same in two steps, so that several things can be locked in one round
// trip: the statement, and what its result says. One upload is named once.
storage::Statement LockUpload(storage::Transaction& transaction,
                              const access::Scope& scope,
                              const UploadName& name);
absl::StatusOr<Upload> ClaimLockedUpload(storage::Transaction& transaction,
                                         const access::Scope& scope,
                                         const UploadName& name,
                                         const storage::Result& result,
                                         std::string_view field,
                                         const std::string& person);

// Everything that `person` has sent becomes EXPIRED and says nothing of them
// any more; CollectExpiredUploads removes the bytes. `also` names what else is
// theirs, because resources that took it say so: uploads did not say whose they
// are before migration 902.
absl::Status ExpireUploadsOf(storage::Transaction& transaction,
                             const std::string& person,
                             const std::vector<UploadName>& also = {});

// Removes the bytes of what ExpireUploadsOf has given up. May be repeated.
absl::Status RemoveExpiredUploadsOf(storage::Database& database,
                                    const UploadStore& store,
                                    const access::Caller& caller,
                                    const std::string& person);

// Gives up what has expired by `caller.now` and removes the bytes; answers how
// many uploads were given up. What a crash leaves is done by the next call.
absl::StatusOr<int> CollectExpiredUploads(storage::Database& database,
                                          const UploadStore& store,
                                          const access::Caller& caller);

}  // namespace parcours::documents

#endif  // PARCOURS_COMMON_DOCUMENTS_UPLOAD_REPOSITORY_H_
