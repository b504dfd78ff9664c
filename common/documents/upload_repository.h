#ifndef PARCOURS_COMMON_DOCUMENTS_UPLOAD_REPOSITORY_H_
#define PARCOURS_COMMON_DOCUMENTS_UPLOAD_REPOSITORY_H_

#include <cstdint>
#include <string>
#include <string_view>
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

// `service` with those of the table `upload`, by number.
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

// Gives an upload that is to be inserted a key of its own for its file, wrapped
// under the master key. FAILED_PRECONDITION where the database has no secrets.
absl::Status GiveFileKey(storage::Transaction& transaction, Upload& upload);

// The key with which the store opens the file of `upload`; empty for a file
// from before files had keys. PERSON_ERASED when its person has been erased:
// then nobody can open it any more, whoever has a copy of the file and of the
// row. A copy of the row from before the file was claimed is still opened by
// the master key of that time, until that is taken out of the keyring.
absl::StatusOr<std::string> OpenFileKey(storage::Transaction& transaction,
                                        const Upload& upload);

// The clear bytes of an upload, or of the file with that object id. REQUIRES:
// the caller was found to see what took it. Errors: NOT_FOUND when it was
// given up, PERSON_ERASED, those of Database::View and UploadStore::Read.
absl::StatusOr<std::string> ReadUpload(storage::Database& database,
                                       const UploadStore& store,
                                       const access::Caller& caller,
                                       const UploadName& name);
absl::StatusOr<std::string> ReadFile(storage::Database& database,
                                     const UploadStore& store,
                                     const access::Caller& caller,
                                     const std::string& object_id);

// Wraps keys of files anew that are not under the current master key, at most
// `limit` in one transaction; the number of those it found. Errors of Transact;
// INTERNAL, naming it, when a master key is not in the keyring.
absl::StatusOr<int> RewrapFileKeys(storage::Database& database,
                                   const storage::PersonSecrets& secrets,
                                   const access::Caller& caller, int limit);

// How many of them there are.
absl::StatusOr<int64_t> FileKeysToRewrap(storage::Transaction& transaction,
                                         const storage::PersonSecrets& secrets);

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
