#ifndef PARCOURS_COMMON_STORAGE_SQL_REPOSITORY_H_
#define PARCOURS_COMMON_STORAGE_SQL_REPOSITORY_H_

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/scope.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/database.h"
#include "common/storage/table.h"
#include "common/types/repository.h"

namespace parcours::storage {

// What is said of a resource that is absent or outside `scope`: NOT_FOUND with
// the full scope, else one PERMISSION_DENIED for both.
inline absl::Status AbsentIn(const access::Scope& scope,
                             const std::string& name) {
  if (!scope.is_full()) return MakeError(Reason::kPermissionDenied);
  return MakeError(Reason::kNotFound, {{"resource", name}});
}

// The resources of one table within one transaction: see Repository. Changes
// are not recorded in the feed: that is for the service, which knows their
// cause and scopes.
template <typename T>
class SqlRepository : public Repository<T> {
 public:
  using Name = typename Repository<T>::Name;

  // Both outlive this.
  SqlRepository(Transaction& transaction, const Table<T>& table)
      : transaction_(transaction), table_(table) {}

  absl::StatusOr<T> Get(const access::Scope& scope, const Name& name) override {
    return OrAbsent(scope, name, Find(scope, name));
  }

  absl::StatusOr<std::optional<T>> Find(const access::Scope& scope,
                                        const Name& name) override {
    return One(scope, name, "");
  }

  absl::StatusOr<T> Lock(const access::Scope& scope,
                         const Name& name) override {
    ASSIGN_OR_RETURN(T resource,
                     OrAbsent(scope, name, One(scope, name, "{for_update}")));
    owned_.insert(name.text());
    return resource;
  }

  // Lock in two steps, so that several things can be locked in one round trip:
  // the statement, and what its result says.
  Statement LockStatement(const access::Scope& scope, const Name& name) const {
    std::string where = "name = $1";
    Values values = {name.text()};
    where += ScopePredicate(scope, table_.reach(), values);
    return table_.SelectWhere(where, std::move(values), "{for_update}");
  }
  absl::StatusOr<T> Locked(const access::Scope& scope, const Name& name,
                           const Result& result) {
    if (result.rows.empty()) return AbsentIn(scope, name.text());
    ASSIGN_OR_RETURN(T resource, table_.Decode(result.rows.front(),
                                               transaction_.person_keys()));
    owned_.insert(name.text());
    return resource;
  }

  void Insert(T& resource) override {
    resource.version = 1;
    resource.create_time = transaction_.caller().now;
    resource.update_time = resource.create_time;
    WriteSealed(resource, [&](SealedTexts sealed) {
      transaction_.Write(table_.Insert(resource, std::move(sealed)));
    });
    owned_.insert(resource.name.text());
  }

  void Update(T& resource) override {
    const int64_t read_version = resource.version++;
    resource.update_time = transaction_.caller().now;
    WriteSealed(resource, [&](SealedTexts sealed) {
      if (owned_.contains(resource.name.text())) {
        transaction_.Write(table_.Update(resource, std::move(sealed)));
      } else {
        transaction_.Write(
            table_.UpdateIfVersion(resource, read_version, std::move(sealed)),
            1);
      }
    });
  }

  absl::StatusOr<Page<T>> List(const access::Scope& scope,
                               const std::string& parent,
                               const PageRequest& page) override {
    return ListWhere(scope, parent, page, "", {});
  }

  // List of those for which `condition`, if any, holds, with $1, … in `values`.
  absl::StatusOr<Page<T>> ListWhere(const access::Scope& scope,
                                    const std::string& parent,
                                    const PageRequest& page,
                                    std::string_view condition, Values values) {
    std::string where;
    const auto require = [&](std::string_view text) {
      CatTo(where, where.empty() ? "" : " AND ", text);
    };
    const auto bind = [&](std::string_view text, Value value) {
      values.push_back(std::move(value));
      require(Cat(text, "$", values.size()));
    };
    if (!condition.empty()) require(Cat("(", condition, ")"));
    if (const std::string within = WithinScope(scope, table_.reach(), values);
        !within.empty()) {
      require(within);
    }
    if (!parent.empty()) {
      // All that begin with "parent/": the next character after / is 0.
      bind("name >= ", parent + "/");
      bind("name < ", parent + "0");
    }
    if (!page.after_key.empty()) bind("name > ", page.after_key);
    if (where.empty()) where = "1 = 1";
    const auto size = static_cast<std::size_t>(std::max(page.size, 1));
    values.emplace_back(static_cast<int64_t>(size + 1));
    const std::string tail = Cat("ORDER BY name LIMIT $", values.size());
    Page<T> found;
    ASSIGN_OR_RETURN(found.items, SelectInto(transaction_, table_, where,
                                             std::move(values), tail));
    if (found.items.size() > size) {
      found.items.resize(size);
      found.next_key = found.items.back().name.text();
    }
    return found;
  }

 protected:
  // Nobody else can write the row until the end of the transaction: another
  // statement of it has locked the row.
  void Own(const T& resource) { owned_.insert(resource.name.text()); }

  Transaction& transaction() const { return transaction_; }

 private:
  using SealedTexts = typename Table<T>::SealedTexts;

  // Calls `write` with the sealed columns of `resource` as they are stored.
  template <typename Write>
  void WriteSealed(const T& resource, Write write) {
    if (!table_.has_sealed()) {
      write(SealedTexts());
      return;
    }
    absl::StatusOr<SealedTexts> sealed =
        table_.Seal(resource, transaction_.person_keys());
    if (sealed.ok()) {
      write(*std::move(sealed));
    } else {
      transaction_.Fail(sealed.status());
    }
  }

  absl::StatusOr<std::optional<T>> One(const access::Scope& scope,
                                       const Name& name,
                                       std::string_view lock) {
    std::string where = "name = $1";
    Values values = {name.text()};
    where += ScopePredicate(scope, table_.reach(), values);
    ASSIGN_OR_RETURN(
        std::vector<T> found,
        SelectInto(transaction_, table_, where, std::move(values), lock));
    if (found.empty()) return std::optional<T>();
    return std::optional<T>(std::move(found[0]));
  }

  static absl::StatusOr<T> OrAbsent(const access::Scope& scope,
                                    const Name& name,
                                    absl::StatusOr<std::optional<T>> found) {
    if (!found.ok()) return found.status();
    if (*found) return *std::move(*found);
    return AbsentIn(scope, name.text());
  }

  Transaction& transaction_;
  const Table<T>& table_;
  // Names of rows that nobody else can write until the end: locked or inserted.
  absl::flat_hash_set<std::string> owned_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_SQL_REPOSITORY_H_
