#include "common/documents/upload_repository.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/table.h"

namespace parcours::documents {
namespace {

const storage::Table<Upload>& UploadTable() {
  static const auto& table = *new storage::Table<Upload>(
      storage::Table<Upload>("upload")
          .Column("object_id", &Upload::object_id)
          .Column("byte_size", &Upload::byte_size)
          .Column("content_type", &Upload::content_type)
          .Column("sha256", &Upload::sha256)
          .Column("state", &Upload::state)
          .Column("expire_time", &Upload::expire_time)
          .Column("account", &Upload::account)
          .Column("person", &Upload::person));
  return table;
}

// Uploads that `where` selects, of all bodies.
absl::StatusOr<std::vector<Upload>> Select(storage::Database& database,
                                           const access::Caller& caller,
                                           std::string_view where,
                                           const storage::Values& values) {
  std::vector<Upload> uploads;
  RETURN_IF_ERROR(database.View(
      caller, [&](storage::Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(
            uploads,
            storage::SelectInto(transaction, UploadTable(), where, values));
        return absl::OkStatus();
      }));
  return uploads;
}

absl::Status Change(storage::Database& database, const access::Caller& caller,
                    const UploadName& name,
                    absl::FunctionRef<void(Upload&)> change) {
  return database
      .Transact(caller,
                [&](storage::Transaction& transaction)
                    -> absl::StatusOr<storage::Outcome> {
                  auto uploads = UploadRepository(transaction);
                  ASSIGN_OR_RETURN(Upload upload,
                                   uploads.Lock(caller.scope, name));
                  change(upload);
                  uploads.Update(upload);
                  return storage::Outcome{.name = name.text(),
                                          .version = upload.version};
                })
      .status();
}

// Removes the files of given-up uploads, then says so in their rows.
absl::Status RemoveBytes(storage::Database& database, const UploadStore& store,
                         const access::Caller& caller,
                         const std::vector<Upload>& uploads) {
  for (const Upload& upload : uploads) {
    RETURN_IF_ERROR(store.Remove(upload.object_id));
    RETURN_IF_ERROR(Change(database, caller, upload.name,
                           [](Upload& now) { now.object_id.clear(); }));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<storage::Migration> WithUploadMigrations(
    absl::Span<const storage::Migration> service) {
  std::vector<storage::Migration> all(service.begin(), service.end());
  const absl::Span<const storage::Migration> own = Migrations();
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

storage::RecordingRepository<Upload> UploadRepository(
    storage::Transaction& transaction) {
  return storage::RecordingRepository<Upload>(
      transaction, UploadTable(), "upload",
      [](const Upload& upload) {
        return std::vector<std::string>{upload.name.body()};
      },
      [](const Upload& upload) {
        std::vector<access::Ownership> owners;
        if (!upload.account.empty()) {
          owners.push_back(
              {upload.name.text(), access::AccountKey(upload.account)});
        }
        return owners;
      });
}

absl::StatusOr<Upload> ClaimUpload(storage::Transaction& transaction,
                                   const access::Scope& scope,
                                   const UploadName& name,
                                   std::string_view field,
                                   const std::string& person) {
  std::vector<storage::Statement> statements = {
      LockUpload(transaction, scope, name)};
  ASSIGN_OR_RETURN(const std::vector<storage::Result> results,
                   transaction.QueryTogether(std::move(statements)));
  return ClaimLockedUpload(transaction, scope, name, results[0], field, person);
}

storage::Statement LockUpload(storage::Transaction& transaction,
                              const access::Scope& scope,
                              const UploadName& name) {
  return UploadRepository(transaction).LockStatement(scope, name);
}

absl::StatusOr<Upload> ClaimLockedUpload(storage::Transaction& transaction,
                                         const access::Scope& scope,
                                         const UploadName& name,
                                         const storage::Result& result,
                                         std::string_view field,
                                         const std::string& person) {
  auto uploads = UploadRepository(transaction);
  absl::StatusOr<Upload> upload = uploads.Locked(scope, name, result);
  if (upload.status().code() == absl::StatusCode::kNotFound ||
      upload.status().code() == absl::StatusCode::kPermissionDenied ||
      (upload.ok() && upload->state == UploadState::kAttached)) {
    return MakeFieldError(field, Reason::kUnknownReference);
  }
  if (!upload.ok()) return upload;
  RETURN_IF_ERROR(Attach(*upload, transaction.caller().now));
  upload->person = person;
  uploads.Update(*upload);
  return upload;
}

absl::Status ExpireUploadsOf(storage::Transaction& transaction,
                             const std::string& person,
                             const std::vector<UploadName>& also) {
  auto uploads = UploadRepository(transaction);
  ASSIGN_OR_RETURN(
      std::vector<Upload> theirs,
      storage::SelectInto(transaction, UploadTable(), "person = $1", {person},
                          "ORDER BY name {for_update}"));
  for (const UploadName& name : also) {
    ASSIGN_OR_RETURN(std::vector<Upload> named,
                     storage::SelectInto(transaction, UploadTable(),
                                         "name = $1 AND person = ''",
                                         {name.text()}, "{for_update}"));
    for (Upload& upload : named) theirs.push_back(std::move(upload));
  }
  for (Upload& upload : theirs) {
    if (upload.state == UploadState::kExpired && upload.person == person) {
      continue;
    }
    uploads.NoteLocked(upload);
    upload.state = UploadState::kExpired;
    upload.person = person;
    upload.account.clear();
    upload.sha256.clear();
    uploads.Update(upload);
  }
  return absl::OkStatus();
}

absl::Status RemoveExpiredUploadsOf(storage::Database& database,
                                    const UploadStore& store,
                                    const access::Caller& caller,
                                    const std::string& person) {
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<Upload> to_remove,
                     Select(database, caller,
                            "person = $1 AND state = 'EXPIRED'"
                            " AND object_id <> '' ORDER BY name LIMIT 100",
                            {person}));
    if (to_remove.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(RemoveBytes(database, store, caller, to_remove));
  }
}

absl::StatusOr<int> CollectExpiredUploads(storage::Database& database,
                                          const UploadStore& store,
                                          const access::Caller& caller) {
  int given_up = 0;
  ASSIGN_OR_RETURN(
      const std::vector<Upload> due,
      Select(database, caller,
             "state IN ('RECEIVING', 'COMPLETE') AND expire_time <= $1 "
             "ORDER BY name LIMIT 500",
             {absl::ToUnixMicros(caller.now)}));
  for (const Upload& upload : due) {
    bool expired = false;
    RETURN_IF_ERROR(Change(database, caller, upload.name, [&](Upload& now) {
      expired = now.state == UploadState::kReceiving ||
                now.state == UploadState::kComplete;
      if (expired) now.state = UploadState::kExpired;
    }));
    if (expired) ++given_up;
  }
  // The row goes first, so that no file is removed that something took.
  ASSIGN_OR_RETURN(const std::vector<Upload> to_remove,
                   Select(database, caller,
                          "state = 'EXPIRED' AND object_id <> '' "
                          "ORDER BY name LIMIT 500",
                          {}));
  RETURN_IF_ERROR(RemoveBytes(database, store, caller, to_remove));
  return given_up;
}

}  // namespace parcours::documents
