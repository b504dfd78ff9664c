#ifndef PARCOURS_SERVICES_ENROLMENT_STORE_STORED_PIECE_H_
#define PARCOURS_SERVICES_ENROLMENT_STORE_STORED_PIECE_H_

#include <optional>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/documents/upload_store.h"
#include "common/storage/database.h"
#include "services/enrolment/domain/names.h"
#include "services/enrolment/domain/upload.h"

namespace parcours::enrolment {

// The file of an application; nothing when it has been given up. REQUIRES: the
// caller sees the application, and so its files, whoever sent them. Both
// outlive what is returned. Errors of Database::View.
absl::StatusOr<std::optional<PieceFile>> FindStoredPiece(
    storage::Database& database, const documents::UploadStore& uploads,
    const access::Caller& caller, const UploadName& name);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_STORE_STORED_PIECE_H_
