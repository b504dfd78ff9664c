#include "common/documents/upload_repository.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/crypto/keyring.h"
#include "common/crypto/sealing.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/person_keys.h"
#include "common/storage/table.h"
#include "common/text/view.h"

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
          .Column("person", &Upload::person)
          .Column("file_key", &Upload::file_key)
          .Column("file_master_key", &Upload::file_master_key));
  return table;
}

// Two ranges of an index.
constexpr char kToRewrap[] =
    "((file_master_key > '' AND file_master_key < $1) OR file_master_key > $1)";

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

// To what the key of a file is bound under the key of a person.
std::string PlaceOfKey(const Upload& upload) {
  return Cat("upload\nfile_key\n", upload.name.text());
}

void ForgetFileKey(Upload& upload) {
  upload.file_key.clear();
  upload.file_master_key.clear();
}

absl::StatusOr<std::string> SealedKey(const Upload& upload) {
  std::string sealed;
  if (absl::Base64Unescape(upload.file_key, &sealed)) return sealed;
  return absl::InternalError(
      Cat("the key of a file is malformed: ", upload.name.text()));
}

// From under the master key.
absl::StatusOr<std::string> UnwrapKey(storage::Transaction& transaction,
                                      const Upload& upload) {
  ASSIGN_OR_RETURN(const std::string wrapped, SealedKey(upload));
  return transaction.person_keys().UnwrapUnowned(wrapped, upload.name.text());
}

// From under the master key to under that of `person`.
absl::Status SealFileKey(storage::Transaction& transaction, Upload& upload,
                         const std::string& person) {
  ASSIGN_OR_RETURN(const crypto::Sealer sealer,
                   transaction.person_keys().Of(person));
  upload.person = person;
  if (upload.file_master_key.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string key, UnwrapKey(transaction, upload));
  upload.file_key = absl::Base64Escape(sealer.Seal(key, PlaceOfKey(upload)));
  upload.file_master_key.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadWhere(storage::Database& database,
                                      const UploadStore& store,
                                      const access::Caller& caller,
                                      std::string_view where,
                                      const std::string& value) {
  std::string object_id;
  std::string key;
  RETURN_IF_ERROR(database.View(
      caller, [&](storage::Transaction& transaction) -> absl::Status {
        object_id.clear();
        ASSIGN_OR_RETURN(
            const std::vector<Upload> found,
            storage::SelectInto(transaction, UploadTable(), where, {value}));
        if (found.empty() || found.front().state == UploadState::kExpired) {
          return absl::OkStatus();
        }
        object_id = found.front().object_id;
        ASSIGN_OR_RETURN(key, OpenFileKey(transaction, found.front()));
        return absl::OkStatus();
      }));
  if (object_id.empty()) return absl::NotFoundError("the upload has no file");
  return store.Read(object_id, key);
}

// Removes the files of given-up uploads, then says so in their rows.
absl::Status RemoveBytes(storage::Database& database, const UploadStore& store,
                         const access::Caller& caller,
                         const std::vector<Upload>& uploads) {
  for (const Upload& upload : uploads) {
    RETURN_IF_ERROR(store.Remove(upload.object_id));
    RETURN_IF_ERROR(Change(database, caller, upload.name, [](Upload& now) {
      now.object_id.clear();
      ForgetFileKey(now);
    }));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<storage::Migration> WithUploadMigrations(
    absl::Span<const storage::Migration> service) {
  std::vector<storage::Migration> all(service.begin(), service.end());
  const absl::Span<const storage::Migration> own = Migrations();
  all.insert(all.end(), own.begin(), own.end());
  // A service may add to its own after those of uploads were made.
  std::sort(all.begin(), all.end(),
            [](const storage::Migration& a, const storage::Migration& b) {
              return a.number < b.number;
            });
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
  if (!person.empty()) {
    RETURN_IF_ERROR(SealFileKey(transaction, *upload, person));
  }
  uploads.Update(*upload);
  return upload;
}

absl::Status GiveFileKey(storage::Transaction& transaction, Upload& upload) {
  ASSIGN_OR_RETURN(const std::string wrapped,
                   transaction.person_keys().WrapUnowned(UploadStore::NewKey(),
                                                         upload.name.text()));
  upload.file_key = absl::Base64Escape(wrapped);
  upload.file_master_key = crypto::Keyring::MasterIdOf(wrapped);
  return absl::OkStatus();
}

absl::StatusOr<std::string> OpenFileKey(storage::Transaction& transaction,
                                        const Upload& upload) {
  if (upload.file_key.empty()) return std::string();
  if (!upload.file_master_key.empty()) {
    return UnwrapKey(transaction, upload);
  }
  ASSIGN_OR_RETURN(const crypto::Sealer sealer,
                   transaction.person_keys().Of(upload.person));
  ASSIGN_OR_RETURN(const std::string sealed, SealedKey(upload));
  if (auto key = sealer.Open(sealed, PlaceOfKey(upload))) {
    return *std::move(key);
  }
  return absl::InternalError(
      Cat("the key of a file does not open: ", upload.name.text()));
}

absl::StatusOr<std::string> ReadUpload(storage::Database& database,
                                       const UploadStore& store,
                                       const access::Caller& caller,
                                       const UploadName& name) {
  return ReadWhere(database, store, caller, "name = $1", name.text());
}

absl::StatusOr<std::string> ReadFile(storage::Database& database,
                                     const UploadStore& store,
                                     const access::Caller& caller,
                                     const std::string& object_id) {
  if (object_id.empty()) return absl::NotFoundError("the upload has no file");
  return ReadWhere(database, store, caller, "object_id = $1", object_id);
}

absl::StatusOr<int> RewrapFileKeys(storage::Database& database,
                                   const storage::PersonSecrets& secrets,
                                   const access::Caller& caller, int limit) {
  const crypto::Keyring& keyring = secrets.master_keys;
  int found = 0;
  const auto rewrap = [&](storage::Transaction& transaction)
      -> absl::StatusOr<storage::Outcome> {
    ASSIGN_OR_RETURN(const storage::Rows rows,
                     transaction.Query(
                         {.sql = Cat("SELECT name, file_key FROM upload WHERE ",
                                     kToRewrap, " LIMIT $2 {for_update}"),
                          .values = {keyring.current_id(), int64_t{limit}}}));
    found = static_cast<int>(rows.size());
    for (const storage::Row& row : rows) {
      const std::string& name = row.Text(0);
      std::string wrapped;
      if (!absl::Base64Unescape(row.Text(1), &wrapped)) {
        return absl::InternalError(
            Cat("the key of a file is malformed: ", name));
      }
      ASSIGN_OR_RETURN(const std::string key, keyring.Unwrap(wrapped, name));
      // Nothing that anybody follows: neither version nor feed.
      transaction.Write(
          {.sql = "UPDATE upload SET file_key = $2,"
                  " file_master_key = $3 WHERE name = $1",
           .values = {name, absl::Base64Escape(keyring.Wrap(key, name)),
                      keyring.current_id()}});
    }
    return storage::Outcome{};
  };
  RETURN_IF_ERROR(database.Transact(caller, rewrap).status());
  return found;
}

absl::StatusOr<int64_t> FileKeysToRewrap(
    storage::Transaction& transaction, const storage::PersonSecrets& secrets) {
  ASSIGN_OR_RETURN(
      const storage::Rows rows,
      transaction.Query(
          {.sql = Cat("SELECT COUNT(*) FROM upload WHERE ", kToRewrap),
           .values = {secrets.master_keys.current_id()}}));
  return rows.front().Integer(0);
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
    ForgetFileKey(upload);
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
