#ifndef PARCOURS_COMMON_STORAGE_PERSON_KEYS_H_
#define PARCOURS_COMMON_STORAGE_PERSON_KEYS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/crypto/keyring.h"
#include "common/crypto/sealing.h"

namespace parcours::storage {

class Database;
class Transaction;

// What protects the data of persons in one service's database.
struct PersonSecrets {
  // Wraps the keys of persons.
  crypto::Keyring master_keys;
  // Of the digests by which something sealed can still be looked for; the same
  // for ever. 16 to 64 bytes.
  std::string blind_index_key;
};

// The keys of persons within one transaction. Not thread-safe.
//
// Sealed text is text: \x01, which no input may hold, and base64. Text without
// it was written before there were keys, and is read as it is.
class PersonKeys {
 public:
  // Both outlive this. Without secrets nothing can be sealed or opened.
  PersonKeys(Transaction& transaction, const PersonSecrets* secrets)
      : transaction_(transaction), secrets_(secrets) {}

  // The key of `person`, made and written when there is none. Errors:
  // PERSON_ERASED; those of Query; FAILED_PRECONDITION without secrets.
  absl::StatusOr<crypto::Sealer> Of(const std::string& person);

  // The same for a person who is inserted by this transaction, of whom there is
  // no key yet but from here: without a look.
  absl::StatusOr<crypto::Sealer> OfNew(const std::string& person);

  // `text` sealed under `key`, bound to `place`: table, column and row. Empty
  // text stays empty.
  static std::string SealText(const crypto::Sealer& key, std::string_view text,
                              std::string_view place);

  // The other way, with the wrapped key that the row was read with; empty when
  // the person has been erased. INTERNAL when it does not open.
  absl::StatusOr<std::string> OpenText(const std::string& person,
                                       const std::string& wrapped,
                                       const std::string& stored,
                                       std::string_view place);

  // The key with which `wrapped`, of `person`, was read.
  absl::StatusOr<crypto::Sealer> Unwrapped(const std::string& person,
                                           const std::string& wrapped);

  // `key` wrapped under the current master key as long as it protects what is
  // nobody's yet, bound to `owner`, and the other way. FAILED_PRECONDITION
  // without secrets, and as Keyring::Unwrap.
  absl::StatusOr<std::string> WrapUnowned(std::string_view key,
                                          std::string_view owner) const;
  absl::StatusOr<std::string> UnwrapUnowned(std::string_view wrapped,
                                            std::string_view owner) const;

  // A digest that is the same for the same `text` within `purpose`, and says
  // nothing about it to those without the service's secret.
  // FAILED_PRECONDITION without secrets.
  absl::StatusOr<std::string> BlindIndex(std::string_view purpose,
                                         std::string_view text) const;

  // Takes the key away for ever: what was sealed with it, here and in every
  // copy, can be read no more. OK when that was done before.
  void Erase(const std::string& person);

  // Whether Erase was called for `person`.
  absl::StatusOr<bool> IsErased(const std::string& person);

 private:
  Transaction& transaction_;
  const PersonSecrets* const secrets_;
  std::map<std::string, crypto::Sealer> known_;
};

// Persons whose erasure has begun here and is not finished: their files are to
// be removed, and others told. At most `limit`.
absl::StatusOr<std::vector<std::string>> ErasuresToFinish(
    Transaction& transaction, int limit);
// What is left of the erasure of `person` is done; false when that was said
// before, or nobody has erased them.
absl::StatusOr<bool> FinishErasure(Transaction& transaction,
                                   const std::string& person);

// Wraps keys anew that are not under the current master key, at most `limit` in
// one transaction; the number of those it found. Errors of Transact; INTERNAL,
// naming it, when a master key is not in the keyring.
absl::StatusOr<int> RewrapPersonKeys(Database& database,
                                     const PersonSecrets& secrets,
                                     const access::Caller& caller, int limit);

// How many of them there are.
absl::StatusOr<int64_t> PersonKeysToRewrap(Transaction& transaction,
                                           const PersonSecrets& secrets);

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_PERSON_KEYS_H_
