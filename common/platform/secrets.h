#ifndef PARCOURS_COMMON_PLATFORM_SECRETS_H_
#define PARCOURS_COMMON_PLATFORM_SECRETS_H_

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"

namespace parcours::platform {

// The keys of one service, all derived from one secret file, so that each
// purpose has its own.
struct Secrets {
  std::string request_digest_key;
  std::string page_token_key;
  std::string cache_sealing_key;
  // Of the digests of secrets that callers show.
  std::string credential_key;
  // Of the digests by which sealed data can be looked for.
  std::string blind_index_key;
};

// Reads the secret of 32 bytes at `path`; where the file is missing it is made
// with random bytes, mode 0600. All replicas of a service share one file.
// FAILED_PRECONDITION when it cannot be read or made, or is of another length.
absl::StatusOr<Secrets> LoadSecrets(const std::filesystem::path& path);

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_SECRETS_H_
