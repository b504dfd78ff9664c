#ifndef PARCOURS_COMMON_PRIVACY_ERASURE_H_
#define PARCOURS_COMMON_PRIVACY_ERASURE_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/access/caller.h"
#include "common/documents/upload_store.h"
#include "common/privacy/erasure_log.h"
#include "common/storage/database.h"

namespace parcours::privacy {

// Kind of the change by which a service says that it has erased somebody, and
// by which enrolment says that somebody is to be erased.
inline constexpr std::string_view kErasureKind = "erasure";

// "bodies/opale/erasures/p-1" of "bodies/opale/persons/p-1", and the other way.
std::string ErasureNameOf(std::string_view person);
std::string PersonOfErasure(std::string_view erasure);

// Does what is left of erasures whose transaction has been committed: removes
// the files (uploads that the transaction made EXPIRED), has `overwrite` see to
// it that the database keeps no remains of deleted rows, and only then says in
// the feed, as a change of kind "erasure", that it is done. What a crash leaves
// is done by the next call. `uploads` is null for a service without files.
// `caller` serves the whole installation.
absl::Status FinishErasures(
    storage::Database& database, const documents::UploadStore* uploads,
    const access::Caller& caller,
    absl::FunctionRef<absl::Status()> overwrite = absl::OkStatus);

// Wraps everything anew that is not under the current master key, in batches,
// until nothing is left: keys of persons and, where `uploads` says that there
// are files, theirs. Every service calls it whenever it does what is due: once
// nothing is left it costs one read. The log says how many were wrapped anew,
// and when nothing is left under older master keys, so that their lines may go
// from the keyring. INTERNAL names one that is gone too soon.
absl::Status RewrapAll(storage::Database& database,
                       const storage::PersonSecrets& secrets,
                       const documents::UploadStore* uploads,
                       const access::Caller& caller);

// Erases again, by `erase`, all whom the log names and whose key is there
// again: after a restore. To be called at start, before anything is served.
// `erase` may answer NOT_FOUND of somebody of whom there is nothing.
absl::Status ReplayErasures(
    const FileErasureLog& log, storage::Database& database,
    const access::Caller& caller,
    const std::function<absl::Status(const std::string& person)>& erase);

}  // namespace parcours::privacy

#endif  // PARCOURS_COMMON_PRIVACY_ERASURE_H_
