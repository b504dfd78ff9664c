#include "common/storage/person_keys.h"

#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "common/crypto/digest.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/database.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

constexpr char kSealed = '\x01';
constexpr std::size_t kKeyBytes = 32;
// Two ranges of an index, without those that were erased.
constexpr char kToRewrap[] =
    "((master_key > '' AND master_key < $1) OR master_key > $1)";

absl::Status NoSecrets() {
  return absl::FailedPreconditionError("no master key file is in use");
}

}  // namespace

absl::StatusOr<crypto::Sealer> PersonKeys::Of(const std::string& person) {
  if (const auto known = known_.find(person); known != known_.end()) {
    return known->second;
  }
  if (secrets_ == nullptr) return NoSecrets();
  ASSIGN_OR_RETURN(
      const Rows rows,
      transaction_.Query(
          {.sql = "SELECT wrapped FROM person_key WHERE person = $1",
           .values = {person}}));
  if (rows.empty()) return OfNew(person);
  if (rows[0].Bytes(0).empty()) return MakeError(Reason::kPersonErased);
  return Unwrapped(person, rows[0].Bytes(0));
}

absl::StatusOr<crypto::Sealer> PersonKeys::OfNew(const std::string& person) {
  if (const auto known = known_.find(person); known != known_.end()) {
    return known->second;
  }
  if (secrets_ == nullptr) return NoSecrets();
  const std::string key = crypto::RandomBytes(kKeyBytes);
  ASSIGN_OR_RETURN(const crypto::Sealer sealer, crypto::Sealer::Create(key));
  const std::string wrapped = secrets_->master_keys.Wrap(key, person);
  // Two at once: the second fails on the primary key, and is made again.
  transaction_.Write(
      {.sql =
           "INSERT INTO person_key (person, wrapped, master_key, create_time)"
           " VALUES ($1, $2, $3, $4)",
       .values = {person, Blob{wrapped}, crypto::Keyring::MasterIdOf(wrapped),
                  absl::ToUnixMicros(transaction_.caller().now)}});
  known_.insert_or_assign(person, sealer);
  return sealer;
}

std::string PersonKeys::SealText(const crypto::Sealer& key,
                                 std::string_view text,
                                 std::string_view place) {
  if (text.empty()) return "";
  return Cat(std::string_view(&kSealed, 1),
             absl::Base64Escape(key.Seal(text, place)));
}

absl::StatusOr<std::string> PersonKeys::OpenText(const std::string& person,
                                                 const std::string& wrapped,
                                                 const std::string& stored,
                                                 std::string_view place) {
  if (stored.empty() || stored.front() != kSealed) return stored;
  if (wrapped.empty()) return std::string();
  ASSIGN_OR_RETURN(const crypto::Sealer key, Unwrapped(person, wrapped));
  std::string sealed;
  if (absl::Base64Unescape(stored.substr(1), &sealed)) {
    if (auto text = key.Open(sealed, place)) return *std::move(text);
  }
  return absl::InternalError(Cat("sealed text does not open: ", place));
}

absl::StatusOr<crypto::Sealer> PersonKeys::Unwrapped(
    const std::string& person, const std::string& wrapped) {
  if (const auto known = known_.find(person); known != known_.end()) {
    return known->second;
  }
  if (secrets_ == nullptr) return NoSecrets();
  ASSIGN_OR_RETURN(const std::string key,
                   secrets_->master_keys.Unwrap(wrapped, person));
  ASSIGN_OR_RETURN(const crypto::Sealer sealer, crypto::Sealer::Create(key));
  known_.insert_or_assign(person, sealer);
  return sealer;
}

absl::StatusOr<std::string> PersonKeys::WrapUnowned(
    std::string_view key, std::string_view owner) const {
  if (secrets_ == nullptr) return NoSecrets();
  return secrets_->master_keys.Wrap(key, owner);
}

absl::StatusOr<std::string> PersonKeys::UnwrapUnowned(
    std::string_view wrapped, std::string_view owner) const {
  if (secrets_ == nullptr) return NoSecrets();
  return secrets_->master_keys.Unwrap(wrapped, owner);
}

absl::StatusOr<std::string> PersonKeys::BlindIndex(
    std::string_view purpose, std::string_view text) const {
  if (secrets_ == nullptr) return NoSecrets();
  return crypto::KeyedDigestHex(secrets_->blind_index_key,
                                Cat(purpose, "\n", text));
}

void PersonKeys::Erase(const std::string& person) {
  known_.erase(person);
  const int64_t now = absl::ToUnixMicros(transaction_.caller().now);
  transaction_.Write(
      {.sql = "INSERT INTO person_key"
              " (person, wrapped, master_key, create_time, erase_time)"
              " VALUES ($1, $2, '', $3, $3) ON CONFLICT (person) DO UPDATE"
              " SET wrapped = $2, master_key = '',"
              " erase_time = COALESCE(person_key.erase_time, $3)",
       .values = {person, Blob{}, now}});
}

absl::StatusOr<bool> PersonKeys::IsErased(const std::string& person) {
  ASSIGN_OR_RETURN(
      const Rows rows,
      transaction_.Query({.sql = "SELECT 1 FROM person_key WHERE person = $1"
                                 " AND erase_time IS NOT NULL",
                          .values = {person}}));
  return !rows.empty();
}

absl::StatusOr<std::vector<std::string>> ErasuresToFinish(
    Transaction& transaction, int limit) {
  ASSIGN_OR_RETURN(
      const Rows rows,
      transaction.Query(
          {.sql = "SELECT person FROM person_key WHERE erase_time IS NOT NULL"
                  " AND erased_time IS NULL ORDER BY erase_time LIMIT $1",
           .values = {int64_t{limit}}}));
  std::vector<std::string> persons;
  persons.reserve(rows.size());
  for (const Row& row : rows) persons.push_back(row.Text(0));
  return persons;
}

absl::StatusOr<bool> FinishErasure(Transaction& transaction,
                                   const std::string& person) {
  ASSIGN_OR_RETURN(
      const std::vector<Result> results,
      transaction.QueryTogether(
          {{.sql = "UPDATE person_key SET erased_time = $2 WHERE person = $1"
                   " AND erase_time IS NOT NULL AND erased_time IS NULL",
            .values = {person,
                       absl::ToUnixMicros(transaction.caller().now)}}}));
  return results.front().affected > 0;
}

absl::StatusOr<int> RewrapPersonKeys(Database& database,
                                     const PersonSecrets& secrets,
                                     const access::Caller& caller, int limit) {
  int found = 0;
  const auto rewrap = [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction.Query(
            {.sql = Cat("SELECT person, wrapped FROM person_key WHERE ",
                        kToRewrap, " LIMIT $2 {for_update}"),
             .values = {secrets.master_keys.current_id(), int64_t{limit}}}));
    found = static_cast<int>(rows.size());
    for (const Row& row : rows) {
      const std::string& person = row.Text(0);
      ASSIGN_OR_RETURN(const std::string key,
                       secrets.master_keys.Unwrap(row.Bytes(1), person));
      transaction.Write(
          {.sql = "UPDATE person_key SET wrapped = $2, master_key = $3"
                  " WHERE person = $1",
           .values = {person, Blob{secrets.master_keys.Wrap(key, person)},
                      secrets.master_keys.current_id()}});
    }
    return Outcome{};
  };
  RETURN_IF_ERROR(database.Transact(caller, rewrap).status());
  return found;
}

absl::StatusOr<int64_t> PersonKeysToRewrap(Transaction& transaction,
                                           const PersonSecrets& secrets) {
  ASSIGN_OR_RETURN(
      const Rows rows,
      transaction.Query(
          {.sql = Cat("SELECT COUNT(*) FROM person_key WHERE ", kToRewrap),
           .values = {secrets.master_keys.current_id()}}));
  return rows.front().Integer(0);
}

}  // namespace parcours::storage
