#ifndef PARCOURS_COMMON_STORAGE_TABLE_H_
#define PARCOURS_COMMON_STORAGE_TABLE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/status/macros.h"
#include "common/storage/column_traits.h"
#include "common/storage/database.h"
#include "common/storage/person_keys.h"
#include "common/storage/reach.h"
#include "common/storage/session.h"
#include "common/text/view.h"

namespace parcours::storage {

// Which column of a table holds which member of the domain struct `T`:
//
//   const Table<Application>& ApplicationTable() {
//     static const auto* const table = new Table<Application>(
//         Table<Application>("application")
//             .Column("cohort", &Application::cohort)
//             .Column("city", [](auto& a) -> auto& { return a.address.city; })
//             .Json("answers", &Application::answers));
//     return *table;
//   }
//
// The columns name (its text), body (name.body()), version, create_time and
// update_time stand in every table and are implied. Their migration reads
//
//   CREATE TABLE application (
//     name {key_text} PRIMARY KEY,
//     body {key_text} NOT NULL,
//     version BIGINT NOT NULL,
//     create_time BIGINT NOT NULL,
//     update_time BIGINT NOT NULL, …);
//
// Types are those of ColumnTraits. Immutable once built, then thread-safe.
template <typename T>
class Table {
 public:
  explicit Table(std::string name) : name_(std::move(name)) { Generate(); }

  // `member` is a pointer to a member, or a function from (const) T& to a
  // (const) reference into it.
  template <typename Member>
  Table& Column(std::string column, Member member) {
    return Add<ColumnTraits<MemberType<Member>>>(std::move(column), member);
  }

  // The same, stored as JSON text, for types that have to_json and from_json.
  template <typename Member>
  Table& Json(std::string column, Member member) {
    return Add<JsonColumnTraits<MemberType<Member>>>(std::move(column), member);
  }

  // A std::string member, stored as bytes.
  template <typename Member>
  Table& Bytes(std::string column, Member member) {
    return Add<BytesColumnTraits>(std::move(column), member);
  }

  // Whose the sealed columns are: `column` holds the name of a person, which
  // `member` leads to as in Column.
  template <typename Member>
  Table& SealedFor(std::string column, Member member) {
    person_column_ = std::move(column);
    person_of_ = [member](const T& resource) {
      return std::invoke(member, resource).text();
    };
    Generate();
    return *this;
  }

  // A std::string member, stored as text that only the person's key opens: see
  // PersonKeys. REQUIRES: SealedFor is called too.
  template <typename Member>
  Table& Sealed(std::string column, Member member) {
    sealed_.push_back({column, [member](T& resource) -> std::string& {
                         return std::invoke(member, resource);
                       }});
    return Column(std::move(column), member);
  }

  bool has_sealed() const { return !sealed_.empty(); }

  // Makes the sealed members of `resource` what is stored. Errors of
  // PersonKeys; INTERNAL when there is something to seal and nobody whose it
  // is.
  absl::Status Seal(T& resource, PersonKeys& keys) const {
    std::optional<crypto::Sealer> key;
    for (const SealedColumn& column : sealed_) {
      std::string& text = column.member(resource);
      if (text.empty()) continue;
      if (!key) {
        ASSIGN_OR_RETURN(key, KeyOf(resource, keys));
      }
      text = PersonKeys::SealText(*key, text, Place(column, resource));
    }
    return absl::OkStatus();
  }

  // How rows lie within the scope of owners; without it, by their own name.
  Table& Within(Reach reach) {
    reach_ = std::move(reach);
    return *this;
  }

  const std::string& name() const { return name_; }
  const Reach& reach() const { return reach_; }

  // The rows for which `where` holds, with $1, … in `values`; `tail` may order,
  // limit and lock: "ORDER BY name {for_update}".
  Statement SelectWhere(std::string_view where, Values values,
                        std::string_view tail = "") const {
    return {Cat(select_, " WHERE ", where, " ", tail), std::move(values)};
  }

  // What a row that SelectWhere returned says, opened with the key of whose it
  // is; what was sealed for somebody who has been erased is empty. INTERNAL,
  // naming the table, the column and the key, when the record is malformed.
  absl::StatusOr<T> Decode(const Row& row, PersonKeys& keys) const {
    T decoded;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i < row.size() && columns_[i].decode(row[i], decoded)) continue;
      const auto* key = std::get_if<std::string>(&row[0]);
      return absl::InternalError(Cat("malformed record: table ", name_,
                                     ", column ", columns_[i].name, ", key ",
                                     key == nullptr ? "?" : *key));
    }
    RETURN_IF_ERROR(Open(row, decoded, keys));
    return decoded;
  }

  // The values stand as $1 = name, $2 = body, then the columns.
  Statement Insert(const T& resource) const {
    Values values;
    values.reserve(columns_.size() + 1);
    values.push_back(columns_[kName].encode(resource));
    values.emplace_back(resource.name.body());
    for (std::size_t i = kName + 1; i < columns_.size(); ++i) {
      values.push_back(columns_[i].encode(resource));
    }
    return {insert_, std::move(values)};
  }

  // Replaces all but name, body and create_time.
  Statement Update(const T& resource) const {
    return {update_, UpdateValues(resource)};
  }
  // The same where the stored version is `version`.
  Statement UpdateIfVersion(const T& resource, int64_t version) const {
    Values values = UpdateValues(resource);
    values.emplace_back(version);
    return {update_if_version_, std::move(values)};
  }

 private:
  template <typename Member>
  using MemberType = std::remove_cvref_t<std::invoke_result_t<Member, T&>>;

  struct ColumnOf {
    std::string name;
    std::function<Value(const T&)> encode;
    std::function<bool(const Value&, T&)> decode;
  };

  struct SealedColumn {
    std::string name;
    std::function<std::string&(T&)> member;
  };

  std::string Place(const SealedColumn& column, const T& resource) const {
    return Cat(name_, "\n", column.name, "\n", resource.name.text());
  }

  absl::StatusOr<crypto::Sealer> KeyOf(const T& resource,
                                       PersonKeys& keys) const {
    const std::string person = person_of_(resource);
    if (person.empty()) {
      return absl::InternalError(
          Cat("nobody whose it is: ", name_, " ", resource.name.text()));
    }
    // Only a person who is inserted has a name without a key yet.
    return resource.version == 1 && person == resource.name.text()
               ? keys.OfNew(person)
               : keys.Of(person);
  }

  absl::Status Open(const Row& row, T& resource, PersonKeys& keys) const {
    if (sealed_.empty()) return absl::OkStatus();
    const auto* wrapped = std::get_if<Blob>(&row[columns_.size()]);
    for (const SealedColumn& column : sealed_) {
      std::string& text = column.member(resource);
      ASSIGN_OR_RETURN(
          text, keys.OpenText(person_of_(resource),
                              wrapped == nullptr ? "" : wrapped->bytes, text,
                              Place(column, resource)));
    }
    return absl::OkStatus();
  }

  // Positions of the implied columns that are encoded.
  static constexpr std::size_t kName = 0;
  static constexpr std::size_t kCreateTime = 2;

  template <typename Traits, typename Member>
  static ColumnOf Make(std::string column, Member member) {
    return {std::move(column),
            [member](const T& resource) {
              return Traits::Encode(std::invoke(member, resource));
            },
            [member](const Value& value, T& resource) {
              return Traits::Decode(value, std::invoke(member, resource));
            }};
  }

  template <typename Traits, typename Member>
  Table& Add(std::string column, Member member) {
    columns_.push_back(Make<Traits>(std::move(column), member));
    Generate();
    return *this;
  }

  static std::vector<ColumnOf> Implied() {
    return {
        Make<ColumnTraits<decltype(T::name)>>("name", &T::name),
        Make<ColumnTraits<int64_t>>("version", &T::version),
        Make<ColumnTraits<absl::Time>>("create_time", &T::create_time),
        Make<ColumnTraits<absl::Time>>("update_time", &T::update_time),
    };
  }

  Values Encode(const T& resource) const {
    Values values;
    values.reserve(columns_.size() + 2);
    for (const ColumnOf& column : columns_) {
      values.push_back(column.encode(resource));
    }
    return values;
  }

  Values UpdateValues(const T& resource) const {
    Values values = Encode(resource);
    values.erase(values.begin() + kCreateTime);
    return values;
  }

  void Generate() {
    std::string read;
    std::string inserted = "name, body";
    std::string places = "$1, $2";
    std::string assigned;
    int written = 2;
    int updated = 1;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& column = columns_[i].name;
      CatTo(read, i == 0 ? "" : ", ", column);
      if (i == kName) continue;
      CatTo(inserted, ", ", column);
      CatTo(places, ", $", ++written);
      if (i == kCreateTime) continue;
      CatTo(assigned, assigned.empty() ? "" : ", ", column, " = $", ++updated);
    }
    if (!person_column_.empty()) {
      CatTo(read,
            ", (SELECT wrapped FROM person_key WHERE person_key.person = ",
            name_, ".", person_column_, ")");
    }
    select_ = Cat("SELECT ", read, " FROM ", name_);
    insert_ =
        Cat("INSERT INTO ", name_, " (", inserted, ") VALUES (", places, ")");
    update_ = Cat("UPDATE ", name_, " SET ", assigned, " WHERE name = $1");
    update_if_version_ = Cat(update_, " AND version = $", updated + 1);
  }

  std::string name_;
  Reach reach_ = Reach::Through({"name"});
  std::vector<ColumnOf> columns_ = Implied();
  std::string person_column_;
  std::function<std::string(const T&)> person_of_;
  std::vector<SealedColumn> sealed_;
  std::string select_;
  std::string insert_;
  std::string update_;
  std::string update_if_version_;
};

// The resources for which `where` holds. The scope of the caller is not added:
// that is for SqlRepository.
template <typename T>
absl::StatusOr<std::vector<T>> SelectInto(Transaction& transaction,
                                          const Table<T>& table,
                                          std::string_view where, Values values,
                                          std::string_view tail = "") {
  ASSIGN_OR_RETURN(const Rows rows, transaction.Query(table.SelectWhere(
                                        where, std::move(values), tail)));
  std::vector<T> resources;
  resources.reserve(rows.size());
  for (const Row& row : rows) {
    ASSIGN_OR_RETURN(T resource, table.Decode(row, transaction.person_keys()));
    resources.push_back(std::move(resource));
  }
  return resources;
}

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_TABLE_H_
