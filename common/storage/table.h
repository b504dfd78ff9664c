#ifndef PARCOURS_COMMON_STORAGE_TABLE_H_
#define PARCOURS_COMMON_STORAGE_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
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
    bytes_.push_back(columns_.size());
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
    sealed_.push_back(columns_.size());
    return Column(std::move(column), member);
  }

  // The same for a member that is stored as JSON text; an empty optional is
  // stored as empty text, and what cannot be opened any more is the member as T
  // begins with it.
  template <typename Member>
  Table& SealedJson(std::string column, Member member) {
    sealed_.push_back(columns_.size());
    return Add<SealedJsonTraits<MemberType<Member>>>(std::move(column), member);
  }

  bool has_sealed() const { return !sealed_.empty(); }

  // The condition of rows that are somebody's and hold text that was written
  // before there were keys; `sealed` stands for a pattern that sealed text
  // matches. REQUIRES: has_sealed().
  std::string WhereNotSealed(std::string_view sealed) const {
    std::string any;
    for (const std::size_t i : sealed_) {
      const std::string& column = columns_[i].name;
      CatTo(any, any.empty() ? "" : " OR ", "(", column, " <> '' AND ", column,
            " NOT LIKE ", sealed, ")");
    }
    return Cat(person_column_, " <> '' AND (", any, ")");
  }

  // What is stored in the sealed columns, by position.
  using SealedTexts = std::map<std::size_t, std::string>;

  // The sealed columns of `resource` as they are stored. Errors of PersonKeys;
  // INTERNAL when there is something to seal and nobody whose it is.
  absl::StatusOr<SealedTexts> Seal(const T& resource, PersonKeys& keys) const {
    SealedTexts texts;
    std::optional<crypto::Sealer> key;
    for (const std::size_t i : sealed_) {
      const Value clear = columns_[i].encode(resource);
      const auto& text = std::get<std::string>(clear);
      if (text.empty()) {
        texts[i] = "";
        continue;
      }
      if (!key) {
        ASSIGN_OR_RETURN(key, KeyOf(resource, keys));
      }
      texts[i] = PersonKeys::SealText(*key, text, Place(i, resource));
    }
    return texts;
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

  // The same without what stands in columns of Bytes, which are read as empty:
  // for rows that are decided on and not written.
  Statement SelectBriefly(std::string_view where, Values values) const {
    return {Cat(select_briefly_, " WHERE ", where), std::move(values)};
  }

  // What a row that either returned says, opened with the key of whose it
  // is; what was sealed for somebody who has been erased is empty. INTERNAL,
  // naming the table, the column and the key, when the record is malformed.
  absl::StatusOr<T> Decode(const Row& row, PersonKeys& keys) const {
    T decoded;
    std::size_t next_sealed = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      // Those are opened once it is known whose they are.
      if (next_sealed < sealed_.size() && sealed_[next_sealed] == i) {
        ++next_sealed;
        continue;
      }
      if (i < row.size() && columns_[i].decode(row[i], decoded)) continue;
      return Malformed(row, i);
    }
    RETURN_IF_ERROR(Open(row, decoded, keys));
    return decoded;
  }

  // The values stand as $1 = name, $2 = body, then the columns.
  // `sealed` is what Seal returned.
  Statement Insert(const T& resource, SealedTexts sealed = {}) const {
    Values values = Encode(resource, std::move(sealed));
    values.insert(values.begin() + kName + 1, resource.name.body());
    return {insert_, std::move(values)};
  }

  // Replaces all but name, body and create_time.
  Statement Update(const T& resource, SealedTexts sealed = {}) const {
    return {update_, UpdateValues(resource, std::move(sealed))};
  }
  // The same where the stored version is `version`.
  Statement UpdateIfVersion(const T& resource, int64_t version,
                            SealedTexts sealed = {}) const {
    Values values = UpdateValues(resource, std::move(sealed));
    values.emplace_back(version);
    return {update_if_version_, std::move(values)};
  }

 private:
  template <typename Member>
  using MemberType = std::remove_cvref_t<std::invoke_result_t<Member, T&>>;

  template <typename Member>
  struct SealedJsonTraits : JsonColumnTraits<Member> {
    static Value Encode(const Member& value) {
      Value json = JsonColumnTraits<Member>::Encode(value);
      return json == Value(std::string("null")) ? Value(std::string()) : json;
    }
  };

  struct ColumnOf {
    std::string name;
    std::function<Value(const T&)> encode;
    std::function<bool(const Value&, T&)> decode;
  };

  absl::Status Malformed(const Row& row, std::size_t column) const {
    const auto* key = std::get_if<std::string>(&row[0]);
    return absl::InternalError(Cat("malformed record: table ", name_,
                                   ", column ", columns_[column].name, ", key ",
                                   key == nullptr ? "?" : *key));
  }

  std::string Place(std::size_t column, const T& resource) const {
    return Cat(name_, "\n", columns_[column].name, "\n", resource.name.text());
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
    for (const std::size_t i : sealed_) {
      const auto* stored = std::get_if<std::string>(&row[i]);
      if (stored == nullptr) return Malformed(row, i);
      ASSIGN_OR_RETURN(std::string text,
                       keys.OpenText(person_of_(resource),
                                     wrapped == nullptr ? "" : wrapped->bytes,
                                     *stored, Place(i, resource)));
      if (text.empty()) continue;
      if (!columns_[i].decode(Value(std::move(text)), resource)) {
        return Malformed(row, i);
      }
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

  Values Encode(const T& resource, SealedTexts sealed) const {
    Values values;
    values.reserve(columns_.size() + 2);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto text = sealed.find(i);
      values.push_back(text == sealed.end() ? columns_[i].encode(resource)
                                            : Value(std::move(text->second)));
    }
    return values;
  }

  Values UpdateValues(const T& resource, SealedTexts sealed) const {
    Values values = Encode(resource, std::move(sealed));
    values.erase(values.begin() + kCreateTime);
    return values;
  }

  void Generate() {
    std::string read;
    std::string read_briefly;
    std::string inserted = "name, body";
    std::string places = "$1, $2";
    std::string assigned;
    int written = 2;
    int updated = 1;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& column = columns_[i].name;
      CatTo(read, i == 0 ? "" : ", ", column);
      const bool is_bytes =
          std::find(bytes_.begin(), bytes_.end(), i) != bytes_.end();
      // Of no bytes at all, SUBSTR of SQLite is NULL.
      CatTo(read_briefly, i == 0 ? "" : ", ",
            is_bytes ? Cat("COALESCE(SUBSTR(", column, ", 1, 0), ", column, ")")
                     : column);
      if (i == kName) continue;
      CatTo(inserted, ", ", column);
      CatTo(places, ", $", ++written);
      if (i == kCreateTime) continue;
      CatTo(assigned, assigned.empty() ? "" : ", ", column, " = $", ++updated);
    }
    if (!person_column_.empty()) {
      const std::string key = Cat(
          ", (SELECT wrapped FROM person_key WHERE person_key.person = ", name_,
          ".", person_column_, ")");
      CatTo(read, key);
      CatTo(read_briefly, key);
    }
    select_ = Cat("SELECT ", read, " FROM ", name_);
    select_briefly_ = Cat("SELECT ", read_briefly, " FROM ", name_);
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
  // Positions in columns_, in order.
  std::vector<std::size_t> sealed_;
  // The same of those that are bytes.
  std::vector<std::size_t> bytes_;
  std::string select_;
  std::string select_briefly_;
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
