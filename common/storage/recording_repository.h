#ifndef PARCOURS_COMMON_STORAGE_RECORDING_REPOSITORY_H_
#define PARCOURS_COMMON_STORAGE_RECORDING_REPOSITORY_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/own_key.h"
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

// Whoever owned something because of the resource `source` owns it no longer.
inline void Disown(Transaction& transaction, const std::string& source) {
  transaction.Write(
      {.sql = "DELETE FROM ownership WHERE source = $1", .values = {source}});
}

// SqlRepository that records every change in the change feed, and keeps who
// owns what because of a resource. Not thread-safe.
template <typename T>
class RecordingRepository final : public SqlRepository<T> {
 public:
  using Name = typename SqlRepository<T>::Name;
  // The names of the resources in whose scope one lies.
  using ScopesOf = std::function<std::vector<std::string>(const T&)>;
  // Who owns what because of one.
  using OwnersOf = std::function<std::vector<access::Ownership>(const T&)>;

  // `kind` is the kind's name in the feed. Without `owners_of`, resources of
  // the kind make nobody an owner.
  RecordingRepository(Transaction& transaction, const Table<T>& table,
                      std::string kind, ScopesOf scopes_of,
                      OwnersOf owners_of = nullptr)
      : SqlRepository<T>(transaction, table),
        kind_(std::move(kind)),
        scopes_of_(std::move(scopes_of)),
        owners_of_(std::move(owners_of)) {}

  absl::StatusOr<std::optional<T>> Find(const access::Scope& scope,
                                        const Name& name) override {
    ASSIGN_OR_RETURN(std::optional<T> found,
                     SqlRepository<T>::Find(scope, name));
    if (found.has_value()) Note(*found);
    return found;
  }

  absl::StatusOr<T> Lock(const access::Scope& scope,
                         const Name& name) override {
    ASSIGN_OR_RETURN(T found, SqlRepository<T>::Lock(scope, name));
    Note(found);
    return found;
  }

  absl::StatusOr<T> Locked(const access::Scope& scope, const Name& name,
                           const Result& result) {
    ASSIGN_OR_RETURN(T found, SqlRepository<T>::Locked(scope, name, result));
    Note(found);
    return found;
  }

  // Another statement of the transaction has read and locked `resource`.
  void NoteLocked(const T& resource) {
    SqlRepository<T>::Own(resource);
    Note(resource);
  }

  void Insert(T& resource) override {
    SqlRepository<T>::Insert(resource);
    noted_[resource.name.text()] = {};
    Record(resource);
  }

  void Update(T& resource) override {
    SqlRepository<T>::Update(resource);
    Record(resource);
  }

 private:
  // What the record says, as far as this transaction knows it.
  struct Noted {
    std::vector<std::string> scopes;
    std::vector<access::Ownership> owners;
  };

  std::vector<access::Ownership> Owners(const T& resource) const {
    return owners_of_ == nullptr ? std::vector<access::Ownership>()
                                 : owners_of_(resource);
  }

  // Readers of the feed within their own scope know owners by their keys.
  static std::vector<std::string> WithKeys(
      std::vector<std::string> scopes,
      const std::vector<access::Ownership>& owners) {
    for (const access::Ownership& ownership : owners) {
      if (std::find(scopes.begin(), scopes.end(), ownership.key) ==
          scopes.end()) {
        scopes.push_back(ownership.key);
      }
    }
    return scopes;
  }

  void Note(const T& resource) {
    std::vector<access::Ownership> owners = Owners(resource);
    std::vector<std::string> scopes = WithKeys(scopes_of_(resource), owners);
    noted_[resource.name.text()] = {std::move(scopes), std::move(owners)};
  }

  void Record(const T& resource) {
    Transaction& transaction = SqlRepository<T>::transaction();
    const std::string& name = resource.name.text();
    const bool known = noted_.contains(name);
    const Noted before = std::move(noted_[name]);
    Note(resource);
    const Noted& now = noted_[name];
    if (!known || now.owners != before.owners) {
      if (!known || !before.owners.empty()) Disown(transaction, name);
      KeepOwners(name, now.owners);
    }
    transaction.Record({.kind = kind_,
                        .name = name,
                        .version = resource.version,
                        .cause = CauseOf(transaction.caller()),
                        .scopes_before = before.scopes,
                        .scopes_after = now.scopes});
  }

  void KeepOwners(const std::string& source,
                  const std::vector<access::Ownership>& owners) {
    // One statement for some hundred rows: engines limit its values.
    constexpr std::size_t kRows = 300;
    for (std::size_t first = 0; first < owners.size(); first += kRows) {
      Statement statement{
          "INSERT INTO ownership (owner_key, owned, source)"
          " VALUES ",
          {source}};
      for (std::size_t i = first; i < std::min(owners.size(), first + kRows);
           ++i) {
        statement.values.emplace_back(owners[i].key);
        statement.values.emplace_back(owners[i].name);
        const std::size_t n = statement.values.size();
        CatTo(statement.sql, i == first ? "($" : ", ($", n - 1, ", $", n,
              ", $1)");
      }
      CatTo(statement.sql, " ON CONFLICT DO NOTHING");
      SqlRepository<T>::transaction().Write(std::move(statement));
    }
  }

  const std::string kind_;
  const ScopesOf scopes_of_;
  const OwnersOf owners_of_;
  std::map<std::string, Noted> noted_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_RECORDING_REPOSITORY_H_
