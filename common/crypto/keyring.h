#ifndef PARCOURS_COMMON_CRYPTO_KEYRING_H_
#define PARCOURS_COMMON_CRYPTO_KEYRING_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/sealing.h"

namespace parcours::crypto {

// The master keys of a service: under the current one the keys of persons and
// files are wrapped before they are stored; with the others, older ones, they
// are still unwrapped until everything has been wrapped anew. Immutable, and so
// thread-safe.
//
// The file holds one key to a line, the current one first: an id of 8 of a-z
// and 0-9, a space, 64 hexadecimal digits. Empty lines, and those that begin
// with #, are skipped. To rotate, put a new line first and start the service
// again; once nothing is wrapped under an old key any more, its line may go.
// Where several processes share the record, all must know a key before one
// wraps with it: put the new line last, start them all again, then move it up.
class Keyring {
 public:
  // Reads the file at `path`; where it is missing it is made with one random
  // key, mode 0600. FAILED_PRECONDITION, naming the line, when it cannot be
  // read or made, when it is readable by others than its owner, or malformed.
  static absl::StatusOr<Keyring> Load(const std::filesystem::path& path);

  // A line with a fresh random key.
  static std::string NewLine();

  // `key` wrapped under the current master key, bound to `owner`: the id of the
  // master key, then the sealed key.
  std::string Wrap(std::string_view key, std::string_view owner) const;

  // The other way. INTERNAL when it was wrapped for another owner or damaged;
  // FAILED_PRECONDITION, naming the id, when its master key is not in the file.
  absl::StatusOr<std::string> Unwrap(std::string_view wrapped,
                                     std::string_view owner) const;

  // The id of the master key under which `wrapped` is wrapped.
  static std::string MasterIdOf(std::string_view wrapped);
  // That of the current one.
  const std::string& current_id() const { return keys_.front().first; }

 private:
  Keyring() = default;

  // By id; never empty.
  std::vector<std::pair<std::string, Sealer>> keys_;
};

}  // namespace parcours::crypto

#endif  // PARCOURS_COMMON_CRYPTO_KEYRING_H_
