#ifndef PARCOURS_COMMON_STORAGE_RECORDING_REPOSITORY_H_
#define PARCOURS_COMMON_STORAGE_RECORDING_REPOSITORY_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/scope.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/database.h"
#include "common/storage/sql_repository.h"
#include "common/storage/table.h"

namespace parcours::storage {

// Last segment of the method's full name: what a change says it was caused by.
inline std::string CauseOf(const access::Caller& caller) {
  return caller.method.substr(caller.method.rfind('/') + 1);
}

// " AND body = $n" for a scope of one body, with its value added to `values`;
// nothing for the whole installation.
inline std::string ScopePredicate(const access::Scope& scope, Values& values) {
  if (scope.is_full()) return "";
  values.emplace_back(scope.body());
  return Cat(" AND body = $", values.size());
}

// What is said of a resource that is absent or outside `scope`: NOT_FOUND with
// the full scope, else one PERMISSION_DENIED for both.
inline absl::Status AbsentIn(const access::Scope& scope,
                             const std::string& name) {
  if (!scope.is_full()) return MakeError(Reason::kPermissionDenied);
  return MakeError(Reason::kNotFound, {{"resource", name}});
}

// SqlRepository that records every change in the change feed. Not thread-safe.
template <typename T>
class RecordingRepository final : public SqlRepository<T> {
 public:
  using Name = typename SqlRepository<T>::Name;
  // The names of the resources in whose scope one lies.
  using ScopesOf = std::function<std::vector<std::string>(const T&)>;

  // `kind` is the kind's name in the feed.
  RecordingRepository(Transaction& transaction, const Table<T>& table,
                      std::string kind, ScopesOf scopes_of)
      : SqlRepository<T>(transaction, table),
        kind_(std::move(kind)),
        scopes_of_(std::move(scopes_of)) {}

  absl::StatusOr<std::optional<T>> Find(const access::Scope& scope,
                                        const Name& name) override {
    ASSIGN_OR_RETURN(std::optional<T> found,
                     SqlRepository<T>::Find(scope, name));
    if (found.has_value()) NoteScopes(*found);
    return found;
  }

  absl::StatusOr<T> Lock(const access::Scope& scope,
                         const Name& name) override {
    ASSIGN_OR_RETURN(T found, SqlRepository<T>::Lock(scope, name));
    NoteScopes(found);
    return found;
  }

  // Another statement of the transaction has read and locked `resource`.
  void NoteLocked(const T& resource) {
    SqlRepository<T>::Own(resource);
    NoteScopes(resource);
  }

  void Insert(T& resource) override {
    SqlRepository<T>::Insert(resource);
    Record(resource);
  }

  void Update(T& resource) override {
    SqlRepository<T>::Update(resource);
    Record(resource);
  }

 private:
  void NoteScopes(const T& resource) {
    scopes_[resource.name.text()] = scopes_of_(resource);
  }

  void Record(const T& resource) {
    Transaction& transaction = SqlRepository<T>::transaction();
    std::vector<std::string>& scopes = scopes_[resource.name.text()];
    std::vector<std::string> before = std::move(scopes);
    scopes = scopes_of_(resource);
    transaction.Record({.kind = kind_,
                        .name = resource.name.text(),
                        .version = resource.version,
                        .cause = CauseOf(transaction.caller()),
                        .scopes_before = std::move(before),
                        .scopes_after = scopes});
  }

  const std::string kind_;
  const ScopesOf scopes_of_;
  std::map<std::string, std::vector<std::string>> scopes_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_RECORDING_REPOSITORY_H_
